#!/usr/bin/env bash
# The MLP VAE on Fashion-MNIST here and in PyTorch, in turn: pictures a second, medians, ratio.
# usage: Benchmarks/vae_fashion.sh PYTHON PEER.py [EPOCHS [ROUNDS]]
#   PYTHON has torch; PEER.py trains the same network and prints "(N img/s)" an epoch.
set -euo pipefail
python="$1" peer="$2" epochs="${3:-3}" rounds="${4:-3}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for round in $(seq "$rounds"); do
  "$root/latent" train vae --preset mlp --data fashion-mnist --epochs "$epochs" --seed 0 --threads 2 \
    --out "$work/run" --force --quiet --json >"$work/ours.$round.json"
  # The first epoch warms up; the fastest of the rest is the peer's best foot.
  "$python" "$peer" "$epochs" >"$work/theirs.$round.txt"
done
python3 - "$work" <<'PYTHON'
import json, pathlib, re, statistics, sys

work = pathlib.Path(sys.argv[1])
ours = [json.loads(p.read_text())["images_per_second"] for p in sorted(work.glob("ours.*.json"))]
theirs = [max(map(int, re.findall(r"\((\d+) img/s\)", p.read_text()))) for p in sorted(work.glob("theirs.*.txt"))]
ratios = [a / b for a, b in zip(ours, theirs)]
print(json.dumps({
    "latent_images_per_second": round(statistics.median(ours)),
    "pytorch_images_per_second": round(statistics.median(theirs)),
    "ratio_median": round(statistics.median(ratios), 2),
    "ratios": [round(r, 2) for r in ratios],
}))
PYTHON
