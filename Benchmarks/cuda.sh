#!/usr/bin/env bash
# Whether a GPU gives what the CPU gives, for every family, and how fast.
# usage: Benchmarks/cuda.sh [PYTHON [DEVICE]]
#   PYTHON (python3) has numpy and, for the peer's figures, torch and diffusers; DEVICE (cuda).
#   LATENT names the program (./latent), built against a libtorch with CUDA.
set -uo pipefail
python="${1:-python3}" device="${2:-cuda}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
latent="${LATENT:-$root/latent}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$latent" doctor

train() { "$latent" train "$@" --data shapes --image-size 32 --seed 0 --quiet --json; }

echo "== held-out figures after 10 steps in float32 on both devices, relative differences; then 5 more after a stop"
for family in ae vae vae-gan gan diffusion classifier; do
  for where in cpu "$device"; do
    # cuDNN's convolutions round to TF32 otherwise.
    NVIDIA_TF32_OVERRIDE=0 train "$family" --steps 10 --batch-size 32 --device "$where" \
      --out "$work/$family.$where" >"$work/$family.$where.json" || echo "$family on $where failed"
  done
  train "$family" --steps 15 --batch-size 32 --device "$device" --out "$work/$family.$device" \
    --resume >/dev/null || echo "$family on $device does not go on"
  "$python" - "$work/$family.cpu.json" "$work/$family.$device.json" <<'PYTHON'
import json, sys
a, b = (json.load(open(path)) for path in sys.argv[1:])
figures = list(a)[list(a).index("damaged_samples" if "damaged_samples" in a else "data_wait") + 1 :]
print(f"{a['family']:10}", {k: float(f"{abs(a[k] - b[k]) / max(abs(a[k]), 1e-3):.1e}") for k in figures})
PYTHON
done

echo "== the same picture on both devices: 20 steps from one seed"
for where in cpu "$device"; do
  "$latent" sample "$work/diffusion.cpu" -n 4 --seed 1 --steps 20 --device "$where" --quiet \
    --save-images "$work/$where.safetensors" -o "$work/$where.png"
done
"$python" - "$work/cpu.safetensors" "$work/$device.safetensors" <<'PYTHON'
import json, numpy, struct, sys
def images(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    entry = json.loads(data[8 : 8 + size])["images"]
    begin, end = entry["data_offsets"]
    return numpy.frombuffer(data[8 + size + begin : 8 + size + end], numpy.float32)
a, b = images(sys.argv[1]), images(sys.argv[2])
print("largest difference of a pixel in 0...1:", float(abs(a - b).max()))
PYTHON

echo "== the same pictures with and without graphs, of several batches, with guidance: every bit"
for graphs in 1 0; do
  LATENT_GRAPHS=$graphs "$latent" sample "$work/diffusion.$device" -n 100 --seed 1 --steps 20 \
    --sampler dpmpp-2m --guidance 3 --device "$device" --quiet \
    --save-images "$work/graphs.$graphs.safetensors" -o "$work/graphs.png" --force
done
cmp "$work/graphs.1.safetensors" "$work/graphs.0.safetensors" && echo "they are"

echo "== the U-Net of 6.8 million parameters, 32×32×1, batch 64: pictures a second"
for precision in fp32 bf16; do
  train diffusion --channels 1 --steps 150 --batch-size 64 --device "$device" --precision "$precision" \
    --set block_out_channels=[64,128,128] --set layers_per_block=2 --set attention_levels=[1,2] \
    --set attention_head_dim=8 --set norm_num_groups=32 --set class_conditional=false \
    --out "$work/speed.$precision" >"$work/speed.json" &&
    "$python" - "$work/speed.$precision/metrics.jsonl" "$precision" <<'PYTHON'
import json, statistics, sys
rates = [r["rate"] for r in map(json.loads, open(sys.argv[1])) if "rate" in r]
print("latent", sys.argv[2], round(statistics.median(rates)), "images/s")
PYTHON
  "$python" "$root/Benchmarks/peers/unet_cuda.py" "$precision" | sed 's/^/diffusers /' || true
done
