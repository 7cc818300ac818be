#!/usr/bin/env bash
# Trains with ranks on two "machines" (network namespaces joined by a cable), and goes on with one
# rank and with three. Needs root.
#
#   sudo Benchmarks/namespaces.sh
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'ip netns del latent-a; ip netns del latent-b; rm -rf "$work"' EXIT
for name in a b; do
  ip netns add "latent-$name"
  ip -n "latent-$name" link set lo up
done
ip link add cable-a netns latent-a type veth peer name cable-b netns latent-b
ip -n latent-a addr add 10.77.0.1/24 dev cable-a
ip -n latent-b addr add 10.77.0.2/24 dev cable-b
ip -n latent-a link set cable-a up
ip -n latent-b link set cable-b up

# train MODE STEPS PLACE…: a rank in each place, and rank 0's report; ends when one fails.
train() {
  local mode=$1 steps=$2 rank=0 pids=()
  shift 2
  for place in "$@"; do
    WORLD_SIZE=$# RANK=$rank MASTER_ADDR=10.77.0.1 MASTER_PORT=29500 \
      ip netns exec "latent-$place" ./latent train diffusion --preset tiny --data fashion-mnist \
      --seed 0 --threads 1 --steps "$steps" --out "$work/run" --quiet --json $mode &
    pids+=($!)
    rank=$((rank + 1))
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

./latent doctor > /dev/null  # builds, where that is still to do
train "" 20 a b
train --resume 30 a
train --resume 40 a b b
