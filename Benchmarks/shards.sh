#!/usr/bin/env bash
# Ten million samples in tar shards through pipes: whether memory stays flat and reading keeps up.
# usage: Benchmarks/shards.sh [MINUTES [SHARDS [SIDE]]]
#   Each of SHARDS (1000) is a command that prints the same 10,000 coloured shapes of SIDE (32)
#   pixels; the MLP VAE is trained on them for MINUTES (default: one epoch). Linux: reads /proc.
set -euo pipefail
minutes="${1:-}" shards="${2:-1000}" side="${3:-32}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/latent" shards pack shapes --image-size "$side" --seed 0 -o "$work/base" --quiet >/dev/null
python3 - "$work" "$shards" <<'PYTHON'
import json, pathlib, sys

work, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
base = json.loads((work / "base/shards.json").read_text())
train, test = (
    [s for s in base["shardlist"] if s["url"].startswith(part)] for part in ("train", "test")
)
base["shardlist"] = [
    {"url": f"pipe:cat {work}/base/{s['url']}", "nsamples": s["nsamples"]} for s in train
] * count + [{"url": f"{work}/base/{s['url']}", "nsamples": s["nsamples"]} for s in test]
(work / "index.json").write_text(json.dumps(base))
total = sum(s["nsamples"] for s in base["shardlist"])
print(f"{len(base['shardlist'])} shards, {total} samples")
PYTHON
length=(--epochs 1)
[ -z "$minutes" ] || length=(--minutes "$minutes")
"$root/latent" train vae --preset mlp --data "$work/index.json" "${length[@]}" --seed 0 \
  --out "$work/run" --quiet --json >"$work/result.json" &
process=$!
while kill -0 "$process" 2>/dev/null; do
  sleep 10
  awk '/^VmRSS/ { print $2 }' "/proc/$process/status" 2>/dev/null >>"$work/rss" || true
done
wait "$process"
python3 - "$work" <<'PYTHON'
import json, pathlib, sys

work = pathlib.Path(sys.argv[1])
result = json.loads((work / "result.json").read_text())
rss = [int(line) / 1024 for line in (work / "rss").read_text().split()]
steady = rss[6:-1] or rss  # after the first minute, before the measures at the end
first, last = steady[: len(steady) // 4 or 1], steady[-(len(steady) // 4 or 1) :]
growth = sum(last) / len(last) / (sum(first) / len(first)) - 1
print(
    f"{result['steps']} steps in {result['seconds']:.0f} s, "
    f"{result['images_per_second']:.0f} pictures/s, data wait {100 * result['data_wait']:.2f} %, "
    f"{result['damaged_samples']} damaged"
)
print(
    f"memory {min(steady):.0f} to {max(steady):.0f} MB ({100 * (max(steady) / min(steady) - 1):.1f} %), "
    f"last quarter against first {100 * growth:+.1f} %"
)
PYTHON
