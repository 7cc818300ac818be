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

echo "== the same losses on both devices: 30 steps a family, then 10 more after a stop"
for family in ae vae vae-gan gan diffusion classifier; do
  for where in cpu "$device"; do
    train "$family" --steps 30 --batch-size 32 --device "$where" --out "$work/$family.$where" \
      >"$work/$family.$where.json" || echo "$family on $where failed"
  done
  train "$family" --steps 40 --batch-size 32 --device "$device" --out "$work/$family.$device" \
    --resume >/dev/null || echo "$family on $device does not go on"
  "$python" - "$work/$family.cpu" "$work/$family.$device" "$family" <<'PYTHON'
import json, sys
def figures(run):
    return [json.loads(line) for line in open(run + "/metrics.jsonl")]
pairs = zip(figures(sys.argv[1]), figures(sys.argv[2]))
worst = {}
for a, b in pairs:
    for key in a:
        if key in ("step", "epoch", "seconds", "rate", "data_wait") or key not in b: continue
        if isinstance(a[key], (int, float)):
            worst[key] = max(worst.get(key, 0), abs(a[key] - b[key]) / max(abs(a[key]), 1e-3))
print(f"{sys.argv[3]:10}", {k: float(f"{v:.1e}") for k, v in worst.items()})
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

echo "== the U-Net of 6.8 million parameters, 32×32×1, batch 64: pictures a second"
for precision in fp32 bf16; do
  train diffusion --channels 1 --steps 150 --batch-size 64 --device "$device" --precision "$precision" \
    --set block_out_channels=[64,128,128] --set layers_per_block=2 --set attention_levels=[1,2] \
    --set attention_head_dim=8 --set norm_num_groups=32 --set class_conditional=false \
    --out "$work/speed.$precision" >"$work/speed.json" &&
    "$python" -c 'import json, sys
r = json.load(open(sys.argv[1])); print("latent", sys.argv[2], round(r["images_per_second"]), "images/s over all,", r["parameters"], "parameters")' \
      "$work/speed.json" "$precision"
  "$python" - "$work/speed.$precision/metrics.jsonl" <<'PYTHON'
import json, statistics, sys
rates = [r["rate"] for r in map(json.loads, open(sys.argv[1])) if "rate" in r]
print("  median of the reports:", round(statistics.median(rates)))
PYTHON
  "$python" "$root/Benchmarks/peers/unet_cuda.py" "$precision" | sed 's/^/diffusers /' || true
done
