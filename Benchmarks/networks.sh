#!/usr/bin/env bash
# Networks of `latent bench` here and in diffusers, in turn: seconds, and how many times faster.
# usage: Benchmarks/networks.sh PYTHON [ROUNDS [WORKLOAD...]]
#   PYTHON has torch and diffusers; WORKLOAD: unet (default), kl-autoencoder, sd-unet.
set -euo pipefail
python="$1" rounds="${2:-2}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- unet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for workload in "$@"; do
  for precision in fp32 bf16; do
    for round in $(seq "$rounds"); do
      "$root/latent" bench "$workload" --precision "$precision" --threads 2 --json --quiet \
        >"$work/ours.$workload.$precision.$round"
      "$python" "$root/Benchmarks/peers/networks.py" "$workload" "$precision" 2>/dev/null \
        >"$work/theirs.$workload.$precision.$round"
    done
  done
done
"$python" - "$work" <<'PYTHON'
import json, pathlib, statistics, sys
seconds = {}
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    side, workload, precision, _ = path.name.split(".")
    text = path.read_text()
    found = json.loads(text)["results"] if side == "ours" else map(json.loads, text.splitlines())
    for one in found:
        seconds.setdefault((workload, precision, one["what"]), {}).setdefault(side, []).append(one["seconds"])
for (workload, precision, what), sides in seconds.items():
    if len(sides) < 2: continue
    a, b = (statistics.median(sides[s]) for s in ("ours", "theirs"))
    print(f"{workload} {precision} {what}: {a:.3f} s here ({', '.join(f'{s:.3f}' for s in sides['ours'])}), "
          f"{b:.3f} s in diffusers ({', '.join(f'{s:.3f}' for s in sides['theirs'])}): {b / a:.2f} times as fast")
PYTHON
