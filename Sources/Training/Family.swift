import Models

/// The families that `latent train` knows.
public enum Family: String, CaseIterable, Sendable {
  /// The autoencoder.
  case ae
  /// The variational autoencoder.
  case vae
  /// The variational autoencoder that borrows a discriminator's eye.
  case vaeGAN = "vae-gan"
  /// The autoencoder whose latents a latent diffusion model draws.
  case autoencoderKL = "autoencoder-kl"
  /// Generator against discriminator.
  case gan
  /// The diffusion model.
  case diffusion
  /// The diffusion model of latents that captions guide.
  case latentDiffusion = "latent-diffusion"
  /// Low-rank changes of a text-to-image model.
  case lora
  /// The classifier, whose features measure the others.
  case classifier

  /// What the family is, in a few words.
  public var summary: String {
    switch self {
    case .ae: "autoencoder: compresses and restores; draws from its code space are broken"
    case .vae: "variational autoencoder (β-VAE with beta > 1): its code space can be drawn from"
    case .vaeGAN: "VAE-GAN: a discriminator judges the decoder's pictures, which blur less"
    case .autoencoderKL:
      "KL autoencoder: small latents of pictures, for a latent diffusion model to draw"
    case .gan: "adversarial networks: a generator that learns to fool a discriminator"
    case .diffusion: "diffusion model: learns to take noise away, and draws from nothing but noise"
    case .latentDiffusion:
      "latent diffusion: text to image, in the latents of a KL autoencoder; captions guide it"
    case .lora:
      "LoRA: teaches a text-to-image model (--model) new pictures by small changes of its weights"
    case .classifier: "classifier: tells classes apart; its features measure the other families"
    }
  }

  /// Point or distribution, for the autoencoders among the families.
  public var autoencoderKind: AutoencoderConfig.Kind? {
    switch self {
    case .ae: .deterministic
    case .vae, .vaeGAN: .variational
    case .autoencoderKL, .gan, .diffusion, .latentDiffusion, .lora, .classifier: nil
    }
  }

  /// How the family is trained.
  public var recipe: any TrainingRecipe.Type {
    switch self {
    case .ae, .vae: AutoencoderRecipe.self
    case .vaeGAN: VAEGANRecipe.self
    case .autoencoderKL: AutoencoderKLRecipe.self
    case .gan: GANRecipe.self
    case .diffusion: DiffusionRecipe.self
    case .latentDiffusion: LatentDiffusionRecipe.self
    case .lora: LoRARecipe.self
    case .classifier: ClassifierRecipe.self
    }
  }

  /// The presets' names and what they are, the default first.
  public var presets: [(name: String, summary: String)] {
    func list<Recipe: TrainingRecipe>(_ type: Recipe.Type) -> [(name: String, summary: String)] {
      type.presets(of: self).map { ($0.name, $0.summary) }
    }
    return list(recipe)
  }
}
