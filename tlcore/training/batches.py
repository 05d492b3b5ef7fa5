"""Batches of pictures for Keras, the same ones for the same seed, epoch and place."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tlcore.training import augmentation
from tlcore.training.augmentation import Augmentation

# Pillow and NumPy let go of the interpreter while they work, so views are made beside the training steps.
WORKERS = 2


class Batches(keras.utils.PyDataset):
    """Rows of a pixel array as (pictures (B, S, S, 3) uint8, targets).

    Args:
        pixels: (N, S, S, 3) uint8, usually memory-mapped.
        rows: The rows to use.
        targets: (N,) of the whole array, or (N, 1) for sigmoid.
        batch_size: Pictures per batch; the last one of an epoch may be smaller.
    """

    def __init__(self, pixels: np.ndarray, rows: Sequence[int], targets: np.ndarray, batch_size: int) -> None:
        super().__init__(workers=1)
        self.pixels = pixels
        self.rows = np.asarray(rows)
        self.targets = targets
        self.batch_size = batch_size

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return one batch in the order of the rows."""
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        return np.stack([self.pixels[row] for row in rows]), self.targets[rows]


class ShuffledViews(Batches):
    """Training batches: a new order and new views of every picture in each epoch.

    Order and views depend on seed, epoch and place alone, so that any batch can be made again.

    Args:
        pixels: As in ``Batches``.
        rows: As in ``Batches``.
        targets: As in ``Batches``.
        batch_size: As in ``Batches``.
        strengths: What the random views may do.
        seed: Start of the draws.
        epoch: The epoch whose batches are asked for, from 1; ``FollowEpoch`` keeps it right in training.
    """

    def __init__(self, pixels: np.ndarray, rows: Sequence[int], targets: np.ndarray, batch_size: int, *,
                 strengths: Augmentation, seed: int, epoch: int) -> None:  # fmt: skip
        super().__init__(pixels, rows, targets, batch_size)
        self.workers = WORKERS
        self.strengths = strengths
        self.seed = seed
        self.epoch = epoch

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return one batch of the current epoch."""
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.rows)
        rows = order[index * self.batch_size : (index + 1) * self.batch_size]
        draws = np.random.default_rng((self.seed, self.epoch, index))
        views = [augmentation.view(self.pixels[row], self.strengths, draws) for row in rows]
        return np.stack(views), self.targets[rows]


class FollowEpoch(keras.callbacks.Callback):
    """Tell the batches which epoch it is.

    They cannot count by themselves: Keras calls a dataset's ``on_epoch_end`` once before the first epoch.
    """

    def __init__(self, batches: ShuffledViews) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Go on to an epoch; Keras counts from 0 and calls this before it asks for the first batch."""
        self.batches.epoch = epoch + 1
