"""Training steps of the U-Net of 6.8 million parameters (32x32x1, batch 64) in diffusers on a GPU, pictures a second.
usage: python unet_cuda.py {fp32,bf16} [compile]   (needs torch with CUDA, diffusers)"""
import sys, time, torch
from diffusers import UNet2DModel, DDPMScheduler
torch.manual_seed(0)
half, compiled = sys.argv[1] == "bf16", "compile" in sys.argv
net = UNet2DModel(
    sample_size=32, in_channels=1, out_channels=1, layers_per_block=2, block_out_channels=(64, 128, 128),
    down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D")).cuda().to(memory_format=torch.channels_last)
call = torch.compile(net) if compiled else net
process, batch = DDPMScheduler(1000), 64
x = torch.randn(batch, 1, 32, 32, device="cuda").to(memory_format=torch.channels_last)
adam = torch.optim.AdamW(net.parameters(), lr=1e-4)

def step():
    noise = torch.randn_like(x)
    t = torch.randint(0, 1000, (batch,), device="cuda")
    with torch.autocast("cuda", torch.bfloat16, enabled=half):
        loss = torch.nn.functional.mse_loss(
            call(process.add_noise(x, noise, t), t, return_dict=False)[0].float(), noise)
    adam.zero_grad(set_to_none=True)
    loss.backward()
    adam.step()

for _ in range(10): step()
torch.cuda.synchronize()
start = time.perf_counter()
for _ in range(60): step()
torch.cuda.synchronize()
print(" ".join(sys.argv[1:]), round(60 * batch / (time.perf_counter() - start)), "images/s")
