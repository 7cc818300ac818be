#!/usr/bin/env bash
# The U-Net trained in float32 and in bf16 from the same seed: how far the smoothed losses are apart,
# and what each took.
#
#   Benchmarks/precision.sh [STEPS] [BATCH]
set -euo pipefail
cd "$(dirname "$0")/.."
steps=${1:-2000} batch=${2:-32}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for precision in fp32 bf16; do
  ./latent train diffusion --data fashion-mnist --batch-size "$batch" --steps "$steps" --seed 0 \
    --precision "$precision" --out "$work/$precision" --quiet --json > "$work/$precision.json"
done
python3 - "$work" "$steps" <<'PYTHON'
import json, sys
work, steps = sys.argv[1], int(sys.argv[2])
def losses(precision):
    """The mean over all steps that a report is about, at each step of it."""
    found, last = {}, 0
    for line in open(f"{work}/{precision}/metrics.jsonl"):
        record = json.loads(line)
        if "loss" not in record: continue
        for step in range(last + 1, record["step"] + 1): found[step] = record["loss"]
        last = record["step"]
    return found
full, half = losses("fp32"), losses("bf16")
window = steps // 10
for end in range(window, steps + 1, window):
    a, b = (sum(run[s] for s in range(end - window + 1, end + 1)) / window for run in (full, half))
    print(f"steps {end - window + 1:5}-{end:5}: fp32 {a:.5f}  bf16 {b:.5f}  {100 * (b / a - 1):+.2f} %")
for precision in ("fp32", "bf16"):
    result = json.load(open(f"{work}/{precision}.json"))
    print(f"{precision}: {result['images_per_second']:.0f} images/s, held-out loss {result['loss']:.5f}")
PYTHON
