"""A network of `latent bench` in diffusers, eager: seconds of a training step and of a forward pass, one JSON line each.
In float32 as diffusers builds it (NCHW), Stable Diffusion's sizes in bf16 channels-last, which is faster there.
usage: python networks.py {unet,kl-autoencoder,sd-unet} {fp32,bf16} [THREADS [DEVICE]]   (needs torch, diffusers)"""
import json, sys, time, torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel, UNet2DModel

name, half = sys.argv[1], sys.argv[2] == "bf16"
torch.set_num_threads(int(sys.argv[3]) if len(sys.argv) > 3 else 2)
device = sys.argv[4] if len(sys.argv) > 4 else "cpu"
torch.set_default_device(device)
torch.manual_seed(0)

def wait():
    if device != "cpu": torch.cuda.synchronize()

def report(what, call, repeats):
    call(); call(); wait()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call(); wait()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"workload": name, "what": what, "seconds": sorted(seconds)[repeats // 2]}), flush=True)

if name == "unet":
    net = UNet2DModel(
        sample_size=32, in_channels=1, out_channels=1, layers_per_block=2, block_out_channels=(64, 128, 128),
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"))
    x, adam, process = torch.randn(64, 1, 32, 32), torch.optim.AdamW(net.parameters(), lr=1e-4), DDPMScheduler(1000)
    def step():
        noise, t = torch.randn_like(x), torch.randint(0, 1000, (64,))
        with torch.autocast(device, torch.bfloat16, enabled=half):
            loss = torch.nn.functional.mse_loss(net(process.add_noise(x, noise, t), t, return_dict=False)[0].float(), noise)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
    def forward():
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=half): net(x[:16], torch.tensor(7))
    report("training step", step, 5)
    report("forward of 16", forward, 5)
else:
    if name == "sd-unet":
        net = UNet2DConditionModel(sample_size=64, cross_attention_dim=768).eval()
        inputs = [torch.randn(2, 4, 64, 64), torch.tensor(500), torch.randn(2, 77, 768)]
    else:
        net = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), down_block_types=["DownEncoderBlock2D"] * 4,
            up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=2, latent_channels=4, sample_size=512).eval()
        inputs = [torch.randn(1, 4, 64, 64)]
    if half:
        net = net.to(torch.bfloat16).to(memory_format=torch.channels_last)
        inputs = [i.bfloat16() if i.is_floating_point() else i for i in inputs]
    call = net if name == "sd-unet" else net.decode
    with torch.no_grad(): report("forward of 2" if name == "sd-unet" else "forward of 1", lambda: call(*inputs), 3)
