#!/usr/bin/env bash
# How long a training stands still for the checkpoints of a network of 100 million numbers: weights,
# averages and Adam's two moments, 1.6 GB.
#
#   Benchmarks/checkpoint.sh [STEPS]
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
./latent train ae --preset mlp --data fashion-mnist --set 'hidden_dims=[6700,6700]' --batch-size 8 \
  --steps "${1:-60}" --checkpoint-minutes 0.05 --seed 0 --out "$work/run" --quiet --json |
  python3 -c '
import json, sys
result = json.load(sys.stdin)
print("{parameters} numbers, {steps} steps of {0:.2f} s: longest pause {checkpoint_pause_seconds:.3f} s".format(
    result["seconds"] / result["steps"], **result))'
du -sh "$work"/run/checkpoints/* | sed "s|$work/||"
