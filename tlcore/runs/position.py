"""Where a checkpoint stands, read without TensorFlow."""

from pathlib import Path

import numpy as np

EPOCH_KEY = "epoch"


def epoch_of(file: Path) -> int | None:
    """Return the epoch of a checkpoint, or None when there is no checkpoint."""
    if not file.exists():
        return None
    with np.load(file) as saved:
        return int(saved[EPOCH_KEY])
