"""Can the class be told without looking at what is on the picture? No TensorFlow here.

A random forest gets only what a file gives away from outside (width, height, format, colour mode, bytes per pixel)
or only the rim of the pictures, and is examined on pictures it has not seen (five-fold cross-validation). What counts
is its skill: 0 for guessing, 1 for always right, computed from the mean share of right answers per class. A finding
is raised when even the lower end of the skill, 2.33 standard errors below (once in a hundred), is above a limit. The
limits stand well above every honest set that we measured.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from tlcore.images.dataset import Dataset, Picture
from tlcore.images.finding import Finding

FROM_OUTSIDE = 0.35
"""Lower end of the skill from which on the alarm is raised. Cats and dogs of Kaggle, whose sizes do differ, reach 0.21,
seven other honest sets at most 0.05; one class in PNG and the other in JPEG reaches 1."""
FROM_RIM = 0.4
"""The same for the rim, which gives a hint only. Honest sets reach 0.18: sky around ships, tables under shirts."""
LEAST = 10
"""Pictures in the smallest class without which nothing can be said."""

_FOLDS = 5
_AT_MOST = 150  # pictures per class; more make the answer no clearer
_AT_MOST_ALL = 3000
_STANDARD_ERRORS = 2.33


def findings(dataset: Dataset, tiles: np.ndarray) -> tuple[Finding, ...]:
    """Return what was found, the alarm first.

    Args:
        dataset: Looked-over pictures.
        tiles: (N, S, S, 3) uint8, each picture squeezed to a square.
    """
    found = (_from_outside(dataset), _from_rim(dataset, tiles))
    return tuple(finding for finding in found if finding is not None)


def skill(features: np.ndarray, labels: np.ndarray) -> tuple[float, float, float] | None:
    """Return the skill, its lower end, and the share of right answers per class; None with too few pictures.

    Args:
        features: (N, F) numbers.
        labels: (N,) integers.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2 or counts.min() < LEAST:
        return None
    forest = RandomForestClassifier(60, min_samples_leaf=3, class_weight="balanced", random_state=0)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    right = cross_val_predict(forest, features, labels, cv=folds) == labels
    shares = np.array([right[labels == name].mean() for name in classes])
    error = float(np.sqrt((shares * (1 - shares) / counts).sum())) / len(classes)
    chance = 1 / len(classes)
    share = float(shares.mean())
    low = share - _STANDARD_ERRORS * error
    return (share - chance) / (1 - chance), (low - chance) / (1 - chance), share


def outside(pictures: Sequence[Picture]) -> np.ndarray:
    """Return (N, F) numbers of what a file gives away from outside."""
    kinds = sorted({picture.stored for picture in pictures})
    return np.array(
        [
            (
                p.width,
                p.height,
                p.width / p.height,
                p.size_bytes / (p.width * p.height),
                *(p.stored == k for k in kinds),
            )
            for p in pictures
        ],
        float,
    )


def rim(tiles: np.ndarray) -> np.ndarray:
    """Return (N, 48) colours of sixteen places along the rim of (N, S, S, 3) tiles."""
    side = tiles.shape[1]
    wide, deep = side // 4, max(1, side // 16)
    values = tiles.astype(np.float32)
    cuts = [slice(at * wide, (at + 1) * wide) for at in range(4)]
    edges = [values[:, :deep, cut] for cut in cuts] + [values[:, -deep:, cut] for cut in cuts]
    edges += [values[:, cut, :deep] for cut in cuts] + [values[:, cut, -deep:] for cut in cuts]
    return np.concatenate([edge.mean(axis=(1, 2)) for edge in edges], axis=1)


def _from_outside(dataset: Dataset) -> Finding | None:
    rows, labels = _drawn(dataset)
    pictures = [dataset.pictures[row] for row in rows]
    if not all(picture.stored for picture in pictures):
        return None  # looked over by an earlier version, which did not write it down
    found = skill(outside(pictures), labels)
    if found is None or found[1] < FROM_OUTSIDE:
        return None
    message = (
        f"From the files alone (width, height, format, colour mode and compression) the class can be told in "
        f"{found[2]:.0%} of cases, without looking at what is on the pictures; guessing would give "
        f"{1 / len(dataset.class_names):.0%}. {_difference(dataset)}The network may learn that instead, and fail on "
        "pictures from elsewhere: bring pictures of all classes from the same source, in the same format and size."
    )
    return Finding("shortcut", message)


def _from_rim(dataset: Dataset, tiles: np.ndarray) -> Finding | None:
    rows, labels = _drawn(dataset)
    found = skill(rim(tiles[rows]), labels)
    if found is None or found[1] < FROM_RIM:
        return None
    message = (
        f"From the rim of the pictures alone the class can be told in {found[2]:.0%} of cases; guessing would give "
        f"{1 / len(dataset.class_names):.0%}. Where classes honestly lie on other grounds that is fine; if they were "
        "only photographed in other places, the network may learn the place."
    )
    return Finding("border", message)


def _drawn(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and labels: of each class a part, evenly over its files, and of equal-looking pictures one."""
    per_class = min(_AT_MOST, _AT_MOST_ALL // len(dataset.class_names))
    by_label: dict[int, dict[str, int]] = {}
    for row, picture in enumerate(dataset.pictures):
        by_label.setdefault(picture.label, {}).setdefault(picture.kin, row)
    rows = []
    for one_of_each in by_label.values():
        own = sorted(one_of_each.items())  # by content, which is as good as by chance
        rows += [row for _, row in own[:per_class]]
    chosen = np.array(sorted(rows), int)
    return chosen, np.array([dataset.pictures[row].label for row in chosen], int)


def _difference(dataset: Dataset) -> str:
    """Say in which way two classes differ most plainly; empty where no single number tells."""
    kinds: dict[str, set[str]] = {}
    sizes: dict[str, set[tuple[int, int]]] = {}
    for picture in dataset.pictures:
        name = dataset.class_names[picture.label]
        kinds.setdefault(name, set()).add(picture.stored.split(" ")[0])
        sizes.setdefault(name, set()).add((picture.width, picture.height))
    for seen, words in ((kinds, str), (sizes, lambda size: f"{size[0]} x {size[1]} pixels")):
        alone = {name: next(iter(values)) for name, values in seen.items() if len(values) == 1}
        names = list(alone)
        for one, other in itertools.pairwise(names):
            if alone[one] != alone[other]:
                return f"“{one}” is all {words(alone[one])}, “{other}” all {words(alone[other])}. "
    return ""
