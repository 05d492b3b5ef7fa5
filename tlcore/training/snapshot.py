"""Everything that training needs to go on exactly where it was: saved every so often, and assigned back. Imports Keras.

Variables that learn, seeds of random drops, the optimizer, the running means of the epoch, and the place. What does
not learn is not in it: it is rebuilt from the recipe, which gives the very same numbers. The last two files are kept,
so that there is one before one that a loss of power has damaged.
"""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from tlcore import atomic
from tlcore.runs import position
from tlcore.runs.position import Place
from tlcore.training import checkpoint, step

KEPT = 2
_MODEL, _OPTIMIZER, _METRICS = "model ", "optimizer ", "metric "

Metrics = Sequence[keras.metrics.Metric]


def save(
    folder: Path, place: Place, whole: keras.Model, optimizer: keras.optimizers.Optimizer, metrics: Metrics
) -> bool:
    """Write a snapshot beside the earlier ones, then remove all but the last two; one that is not sound is not written.

    Args:
        folder: Of the run's checkpoints.
        place: How far training has come.
        whole: The classifier, of which only what changes is written.
        optimizer: Of the phase, built.
        metrics: Loss and accuracy of the epoch so far.

    Returns:
        False where something is not a number any more: whoever went on from there would never learn again.
    """
    there = position.numbered(folder)
    number = 1 + (int(there[-1].stem.rpartition("-")[2]) if there else 0)
    values = checkpoint.arrays(step.changing(whole), _MODEL)
    values |= checkpoint.arrays(optimizer.variables, _OPTIMIZER) | checkpoint.arrays(_variables(metrics), _METRICS)
    if not all(np.isfinite(value).all() for value in values.values()):
        return False
    with atomic.replacing(folder / f"place-{number:06d}.npz", durable=True) as beside:
        np.savez(beside, **{position.PLACE_KEY: position.as_array(place)}, **values)
    for old in there[: 1 - KEPT]:
        old.unlink(missing_ok=True)
    return True


def remove(folder: Path) -> None:
    """Remove all snapshots: training is over."""
    for file in position.numbered(folder):
        file.unlink(missing_ok=True)


def assign(file: Path, whole: keras.Model, optimizer: keras.optimizers.Optimizer, metrics: Metrics) -> bool:
    """Give a rebuilt classifier, its optimizer and its metrics what a snapshot holds.

    Returns:
        False where the optimizer is another one than then (its steps are computed in other parts now): it starts anew.

    Raises:
        TrainingError: The file belongs to another network.
    """
    with np.load(file) as saved:
        values = {name: saved[name] for name in saved.files}
    checkpoint.put_or_refuse(values, step.changing(whole), file, _MODEL)
    checkpoint.put(values, _variables(metrics), _METRICS)
    return checkpoint.put(values, optimizer.variables, _OPTIMIZER)


def _variables(metrics: Metrics) -> list[keras.Variable]:
    return [variable for metric in metrics for variable in metric.variables]
