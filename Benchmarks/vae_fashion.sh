#!/usr/bin/env bash
# The MLP VAE on Fashion-MNIST here and in PyTorch, in turn: pictures a second, medians, ratio.
# usage: Benchmarks/vae_fashion.sh PYTHON PEER.py [EPOCHS [ROUNDS [PRECISION]]]
#   PYTHON has torch; PEER.py trains the same network and prints "(N img/s)" an epoch;
#   PRECISION is ours: fp32 (default) or bf16x3.
set -euo pipefail
python="$1" peer="$2" epochs="${3:-3}" rounds="${4:-3}" precision="${5:-fp32}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for round in $(seq "$rounds"); do
  "$root/latent" train vae --preset mlp --data fashion-mnist --epochs "$epochs" --seed 0 --threads 2 \
    --precision "$precision" --out "$work/run" --force --quiet --json >"$work/ours.$round.json"
  "$python" "$peer" "$epochs" >"$work/theirs.$round.txt"
done
python3 "$root/Benchmarks/ratios.py" "$work"
