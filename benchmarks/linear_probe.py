"""How much a backbone sees without any learning of its own: ``python -m benchmarks.linear_probe PICTURES ...``

Each PICTURES is a folder or zip with one folder per class. The backbone stays as it is; logistic regression learns from
its pooled features (standardised) of four fifths of the pictures and is asked about the last fifth: mean over three
stratified draws. Thaw's own network stands between the same network with random weights (0 %) and a peer (100 %);
further backbones are measured beside it.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tlcore.backbones import embedding, table, weights
from tlcore.images import intake, pixels

SEEDS = (0, 1, 2)
OWN, RANDOM = "thawnet", "thawnet, random weights"


def accuracy(features: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of right answers, 0 to 1: mean over three draws of 80 % for learning and 20 % for asking."""
    found = []
    for seed in SEEDS:
        draw = StratifiedShuffleSplit(1, test_size=0.2, random_state=seed)
        learn, ask = next(draw.split(features, labels))
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        found.append(model.fit(features[learn], labels[learn]).score(features[ask], labels[ask]))
    return float(np.mean(found))


def features_of(name: str, file: Path | None, array: np.ndarray) -> np.ndarray:
    """Return the pooled features (N, D) of a backbone, by a given file or by the weights that are here."""
    if name == RANDOM:
        return embedding.embed(table.get(OWN), array, None, seed=0)
    row = table.get(name)
    return embedding.embed(row, array, file or weights.fetch(row))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.linear_probe", description=__doc__)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--weights", type=Path, help="a file of Thaw's own network other than the one it comes with")
    parser.add_argument("--peer", default="mobilenet_v2_035")
    parser.add_argument("--also", nargs="*", default=[], help="further backbones")
    asked = parser.parse_args()
    names = [RANDOM, OWN, asked.peer, *asked.also]
    table_of = {name: [] for name in names}
    for path in asked.pictures:
        dataset = intake.open_pictures(path)
        array = pixels.pixels(dataset, asked.image_size)
        labels = np.array([picture.label for picture in dataset.pictures])
        for name in names:
            features = features_of(name, asked.weights if name == OWN else None, array)
            table_of[name].append(accuracy(features, labels))
    print(f"{'':<28}" + "".join(f"{path.name:>16}" for path in asked.pictures) + f"{'mean':>10}")
    for name, found in table_of.items():
        print(f"{name:<28}" + "".join(f"{value:>16.3f}" for value in found) + f"{np.mean(found):>10.3f}")
    low, own, high = (float(np.mean(table_of[name])) for name in names[:3])
    print(f"{OWN} has come {(own - low) / (high - low):.0%} of the way from random weights to {asked.peer}")


if __name__ == "__main__":
    main()
