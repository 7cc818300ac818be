import Commands

Latent.start()
