#!/usr/bin/env bash
# The DCGAN on Fashion-MNIST here and in PyTorch, in turn: pictures a second, medians, ratio.
# usage: Benchmarks/dcgan.sh PYTHON [STEPS [ROUNDS [PRECISION]]]
#   PYTHON has torch; PRECISION is ours: fp32 (default) or bf16x3.
set -euo pipefail
python="$1" steps="${2:-200}" rounds="${3:-3}" precision="${4:-fp32}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for round in $(seq "$rounds"); do
  "$root/latent" train gan --preset dcgan --data fashion-mnist --steps "$steps" --seed 0 --threads 2 \
    --precision "$precision" --out "$work/run" --force --quiet --json >"$work/ours.$round.json"
  "$python" "$root/Benchmarks/peers/dcgan.py" "$steps" >"$work/theirs.$round.txt"
done
python3 "$root/Benchmarks/ratios.py" "$work"
