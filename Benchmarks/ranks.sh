#!/usr/bin/env bash
# Images a second of two ranks with one thread each against one rank with one thread, in turns; then
# kills a rank and says how long the other one took to end.
#
#   Benchmarks/ranks.sh TORCHRUN [STEPS] [TURNS]
set -euo pipefail
cd "$(dirname "$0")/.."
torchrun=${1:?the path of torchrun} steps=${2:-40} turns=${3:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
train=(./latent train diffusion --data fashion-mnist --batch-size 64 --seed 0 --threads 1)
together=("$torchrun" --no-python --nproc-per-node 2)
rate() { python3 -c 'import json, sys; print(json.load(sys.stdin)["images_per_second"])'; }

for turn in $(seq "$turns"); do
  "${train[@]}" --steps "$steps" --out "$work/one-$turn" --quiet --json | rate >> "$work/one"
  "${together[@]}" "${train[@]}" --steps "$steps" --out "$work/two-$turn" --quiet --json \
    2>/dev/null | rate >> "$work/two"
done
paste "$work/one" "$work/two" | python3 -c '
import statistics, sys
pairs = [tuple(map(float, line.split())) for line in sys.stdin]
for one, two in pairs: print(f"one {one:6.1f} images/s   two {two:6.1f} images/s   {two / one:.2f} x")
print(f"median {statistics.median(two / one for one, two in pairs):.2f} x")'

export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29877 LOCAL_WORLD_SIZE=2
pids=()
for rank in 0 1; do
  RANK=$rank LOCAL_RANK=$rank "${train[@]}" --steps 100000 --out "$work/killed" --quiet \
    --checkpoint-minutes 0.1 2> "$work/rank-$rank" &
  pids+=($!)
done
until compgen -G "$work/killed/checkpoints/step-*" > /dev/null; do
  kill -0 "${pids[@]}" || { cat "$work"/rank-*; exit 1; }
  sleep 0.2
done
start=$(date +%s.%N)
pkill -KILL -P "${pids[1]}" 2> /dev/null || kill -KILL "${pids[1]}"
status=0
wait "${pids[0]}" || status=$?
python3 -c "import time; print(f'rank 1 killed: rank 0 ended after {time.time() - $start:.1f} s with code $status')"
cat "$work/rank-0"
