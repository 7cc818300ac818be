"""Ratios of trainings in turn: FOLDER/ours.N.json of `latent train --json`, FOLDER/theirs.N.txt of a peer."""
import json, pathlib, re, statistics, sys

work = pathlib.Path(sys.argv[1])
ours = [json.loads(p.read_text())["images_per_second"] for p in sorted(work.glob("ours.*.json"))]
epochs = [
    list(map(int, re.findall(r"\((\d+) img/s\)", p.read_text()))) for p in sorted(work.glob("theirs.*.txt"))
]
# The same figure on both sides: all pictures over all seconds of a training. Beside it the hardest
# comparison: our whole training against the peer's fastest epoch.
theirs = [statistics.harmonic_mean(e) for e in epochs]
ratios = [a / b for a, b in zip(ours, theirs)]
hardest = [a / max(e) for a, e in zip(ours, epochs)]
print(json.dumps({
    "latent_images_per_second": [round(x) for x in ours],
    "pytorch_images_per_second": [round(x) for x in theirs],
    "ratios": [round(r, 2) for r in ratios],
    "ratio_median": round(statistics.median(ratios), 2),
    "ratio_of_medians": round(statistics.median(ours) / statistics.median(theirs), 2),
    "ratio_to_fastest_epoch_median": round(statistics.median(hardest), 2),
}))
