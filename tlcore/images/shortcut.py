"""Can the class be told without looking at what is on the picture? No TensorFlow here.

A random forest gets only what a file gives away from outside (width, height, format, colour mode, bytes per pixel)
or only the rim of the pictures, and is examined on pictures it has not seen (five-fold cross-validation).

The alarm looks at each class by itself: the share of its pictures that are recognised, less the share of the others
that are taken for it. 0 is guessing, 1 is always right. It is raised when the lower end of that, 3 standard errors
below, is above a limit for one class. The hint looks at all classes at once: the mean share of right answers, put on
the same scale from 0 to 1, 2.33 standard errors below. The limits stand well above every honest set that we measured.
"""

from collections.abc import Callable, Sequence

import numpy as np

from tlcore.images.dataset import Dataset, Picture
from tlcore.images.finding import Finding

FROM_OUTSIDE = 0.35
"""Lower end from which on the alarm is raised. Cats and dogs of Kaggle, whose sizes do differ, reach 0.17, seven other
honest sets at most 0.07; one class in PNG and the others in JPEG reaches 1."""
FROM_RIM = 0.4
"""The same for the rim, which gives a hint only. Honest sets reach 0.18: sky around ships, tables under shirts."""
LEAST = 10
"""Classes with fewer different pictures are not looked at."""

_FOLDS = 5
_AT_MOST = 150  # pictures per class; more make the answer no clearer
_AT_MOST_ALL = 3000
_ERRORS_OF_A_CLASS, _ERRORS_OF_ALL = 3.0, 2.33  # standard errors below


def findings(dataset: Dataset, tiles: np.ndarray) -> tuple[Finding, ...]:
    """Return what was found, the alarm first.

    Args:
        dataset: Looked-over pictures.
        tiles: (N, S, S, 3) uint8, each picture squeezed to a square.
    """
    found = (_from_outside(dataset), _from_rim(dataset, tiles))
    return tuple(finding for finding in found if finding is not None)


def clearest_class(features: np.ndarray, labels: np.ndarray) -> tuple[int, float, float] | None:
    """Return the class that is told most clearly from all others: label, share recognised, lower end (see above).

    Args:
        features: (N, F) numbers.
        labels: (N,) integers.

    Returns:
        None with fewer than two classes.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        return None
    named = _named(features, labels)
    found = []
    for name in classes:
        own, others = named[labels == name] == name, named[labels != name] == name
        spread = own.var() / len(own) + others.var() / len(others)
        low = own.mean() - others.mean() - _ERRORS_OF_A_CLASS * float(np.sqrt(spread))
        found.append((int(name), float(own.mean()), float(low)))
    return max(found, key=lambda each: each[2])


def told(features: np.ndarray, labels: np.ndarray) -> tuple[float, float] | None:
    """Return how well all classes are told from each other: mean share of right answers, lower end (see above).

    The arguments and None are those of ``clearest_class``.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        return None
    right = _named(features, labels) == labels
    own = [right[labels == name] for name in classes]
    share = float(np.mean([each.mean() for each in own]))
    error = float(np.sqrt(sum(each.var() / len(each) for each in own))) / len(classes)
    return share, (share - _ERRORS_OF_ALL * error - 1 / len(classes)) / (1 - 1 / len(classes))


def _named(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the label that a forest gives to each picture, which it has not seen."""
    # Only here: importing it takes a second and 0.1 GB, and the web process, which asks for findings, does without.
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    forest = RandomForestClassifier(60, min_samples_leaf=3, class_weight="balanced", random_state=0)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    return cross_val_predict(forest, features, labels, cv=folds)


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
    found = clearest_class(outside(pictures), labels)
    if found is None or found[2] < FROM_OUTSIDE:
        return None
    name, message = dataset.class_names[found[0]], "From the files alone (width, height, format, colour mode, "
    message += (
        f"compression) {found[1]:.0%} of the pictures of “{name}” can be told from the others, without looking at what "
        f"is on them. {_difference(dataset, name)}The network may learn that instead, and fail on pictures from "
        "elsewhere: bring pictures of all classes from the same source, in the same format and size."
    )
    return Finding("shortcut", message)


def _from_rim(dataset: Dataset, tiles: np.ndarray) -> Finding | None:
    rows, labels = _drawn(dataset)
    found = told(rim(tiles[rows]), labels)
    if found is None or found[1] < FROM_RIM:
        return None
    message = (
        f"From the rim of the pictures alone the class can be told in {found[0]:.0%} of cases; guessing would give "
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
        rows += [row for _, row in own[:per_class] if len(own) >= LEAST]
    chosen = np.array(sorted(rows), int)
    return chosen, np.array([dataset.pictures[row].label for row in chosen], int)


def _difference(dataset: Dataset, name: str) -> str:
    """Say in which way a class differs plainly from all others; empty where no single fact tells."""
    own = [picture for picture in dataset.pictures if dataset.class_names[picture.label] == name]
    others = [picture for picture in dataset.pictures if dataset.class_names[picture.label] != name]
    facts: tuple[Callable[[Picture], str], ...] = (
        lambda picture: picture.stored.split(" ")[0],
        lambda picture: f"{picture.width} x {picture.height} pixels",
        lambda picture: picture.stored.split(" ")[-1],
    )
    for fact in facts:
        values = {fact(picture) for picture in own}
        if len(values) == 1 and not values & {fact(picture) for picture in others}:
            return f"All of “{name}” are {values.pop()}, and none of the others is. "
    return ""
