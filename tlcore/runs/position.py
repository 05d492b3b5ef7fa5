"""Where a training stands, read and written without TensorFlow."""

import json
import math
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

EPOCH_KEY, LOSS_KEY, PLACE_KEY = "epoch", "loss", "place"
DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)
"""What reading a checkpoint raises if a computer lost its power in the middle of writing it."""


@dataclass(frozen=True)
class Place:
    """How far a phase has come, and what its callbacks remember. Epochs count from 1.

    Args:
        phase: "head" or "fine-tuning".
        first_epoch: Of the phase.
        is_kept: Whether it learns from kept features.
        begun_after: Epoch after which the phase's optimizer began; 0 for the first one.
        epoch: The one that the next step belongs to.
        step: Whole steps of it that are done.
        last_epoch: The last one that is over.
        best_epoch: The one whose weights are kept; 0 for the first answer, None for none yet.
        best_loss: Its check loss; infinite where there is none.
        own_best: Lowest check loss of an epoch.
        gained: The epoch from which patience counts.
        parts: In how many parts each step is computed; the optimizer counts them.
    """

    phase: str
    first_epoch: int
    is_kept: bool
    begun_after: int
    epoch: int
    step: int
    last_epoch: int
    best_epoch: int | None
    best_loss: float
    own_best: float
    gained: int
    parts: int = 1

    @property
    def is_beginning(self) -> bool:
        """Return whether nothing of the phase is done."""
        return (self.epoch, self.step) == (self.first_epoch, 0)


def epoch_of(file: Path) -> int | None:
    """Return the epoch of a checkpoint, or None when there is none, or one that a loss of power has damaged."""
    try:
        with zipfile.ZipFile(file) as packed, np.load(file) as saved:
            return int(saved[EPOCH_KEY]) if packed.testzip() is None else None
    except DAMAGED:
        return None


def loss_of(file: Path) -> float:
    """Return the check loss of a checkpoint; infinite where there is none, none is known, or it is damaged."""
    try:
        with np.load(file) as saved:
            return float(saved[LOSS_KEY])
    except DAMAGED:
        return math.inf


def as_array(place: Place) -> np.ndarray:
    """Return a place as an array of text, to lie beside the weights in their file."""
    return np.array(json.dumps({name: _finite(value) for name, value in asdict(place).items()}))


def of_arrays(saved: np.lib.npyio.NpzFile) -> Place:
    """Return the place that lies in an open checkpoint.

    Raises:
        KeyError, ValueError: It holds none.
    """
    values = json.loads(str(saved[PLACE_KEY]))
    return Place(**values | {name: _number(values[name]) for name in ("best_loss", "own_best")})


def newest(folder: Path) -> tuple[Path, Place] | None:
    """Return the newest checkpoint of a place in a folder that is whole, or None; see ``numbered``."""
    for file in reversed(numbered(folder)):
        try:
            with zipfile.ZipFile(file) as packed:
                if packed.testzip() is None:
                    with np.load(file) as saved:
                        return file, of_arrays(saved)
        except DAMAGED:
            continue
    return None


def last_epoch(folder: Path) -> int | None:
    """Return the last epoch that is over at the newest checkpoint of a place, or None where there is none."""
    found = newest(folder)
    return found[1].last_epoch if found else None


def numbered(folder: Path) -> list[Path]:
    """Return the checkpoints of places in a folder, oldest first: ``place-000007.npz``."""
    return sorted(folder.glob("place-*.npz"))


def is_being_written(folder: Path) -> bool:
    """Return whether somebody is just writing the checkpoint of a place, or was killed over it; see ``sweep``."""
    return any(folder.glob(".place-*"))


def sweep(folder: Path) -> None:
    """Remove checkpoints that killed writers have left half written; nobody must be writing one now."""
    for left in folder.glob(".*"):
        left.unlink(missing_ok=True)


def _finite(value: object) -> object:
    """Return a value as JSON can hold it: infinity is no number there."""
    return None if isinstance(value, float) and math.isinf(value) else value


def _number(value: float | None) -> float:
    return math.inf if value is None else value
