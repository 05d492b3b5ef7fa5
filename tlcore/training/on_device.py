"""Kept features that stay in the memory of a graphics card, so that a step sends it row numbers only. Imports Keras."""

from typing import Any

import keras
import numpy as np

from tlcore.training import device
from tlcore.training.batches import Batches, ShuffledFeatures, TrainingBatches
from tlcore.training.supply import Supply

SHARE = 0.25
"""Of the free memory that features may take: they lie there twice for a moment, and training needs the rest."""


class Held(keras.layers.Layer):
    """Rows of an array by their number: (B,) int32 -> (B, *shape) float32.

    Args:
        rows: How many.
        shape: Of one row.
        kind: How they are stored: "float16" or "float32".
    """

    def __init__(self, rows: int, shape: tuple[int, ...], kind: str) -> None:
        super().__init__(name="held", trainable=False, dtype="float32")
        self.values = self.add_weight(
            (rows, *shape), dtype=kind, initializer="zeros", trainable=False, autocast=False, name="values"
        )

    def call(self, numbers: Any) -> Any:
        """Return the rows with these numbers."""
        return keras.ops.cast(keras.ops.take(self.values, numbers, axis=0), "float32")


class HeldFeatures(TrainingBatches):
    """The batches of kept features, each row as a number; what an epoch draws is sent to the device as it begins.

    Args:
        features: Whose order and views are followed.
        held: Where they are sent; its first rows are theirs, the rest holds the check pictures.
        check: (m, *shape) of the check pictures.
    """

    def __init__(self, features: ShuffledFeatures, held: Held, check: np.ndarray) -> None:
        rows = np.arange(len(features.rows))
        super().__init__(rows, rows, features.targets, features.batch_size, seed=features.seed, epoch=features.epoch)
        self.features = features
        self.held = held
        self.check = check
        self._sent = False
        self.begin(features.epoch)

    def begin(self, epoch: int) -> None:
        """Go on to an epoch and send its views, if others than before are drawn."""
        super().begin(epoch)
        self.features.begin(epoch)
        if not self._sent or self.features.views_in(epoch) > 1:
            self.held.values.assign(np.concatenate([self.features.of_epoch(), self.check]))
            self._sent = True

    def has_to_prepare(self, epoch: int) -> bool:
        """Return whether an epoch draws from a view that is not there yet."""
        return self.features.has_to_prepare(epoch)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return one batch of the current epoch: (B,) int32 and targets; see ``weighed``."""
        rows = self.drawn(index)
        return self.weighed(index, rows.astype("int32"), rows)


def fits(supply: Supply) -> bool:
    """Return whether a phase learns from kept features that a graphics card has room for."""
    free = device.free_bytes()
    if free is None or not isinstance(supply.training, ShuffledFeatures):
        return False
    return supply.training.pixels.nbytes + supply.validation.pixels.nbytes <= SHARE * free


def hold(supply: Supply) -> Supply:
    """Return the same phase with its features on the device; the model takes row numbers instead."""
    training, check = supply.training, supply.validation
    if not isinstance(training, ShuffledFeatures):
        raise TypeError(f"Only kept features can be held. Received: {type(training).__name__}")
    count, kept = len(training.rows), np.asarray(check.pixels)
    held = Held(count + len(kept), training.pixels.shape[1:], str(np.result_type(training.pixels, kept)))
    numbers = keras.Input((), dtype="int32", name="numbers")
    model = keras.Model(numbers, supply.model(held(numbers)), name="held_learning")
    validation = Batches(np.arange(count, count + len(kept)), range(len(kept)), check.targets, check.batch_size)
    return Supply(model, HeldFeatures(training, held, kept), validation, supply.reason)
