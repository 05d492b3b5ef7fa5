"""Batches of pictures for Keras, the same ones for the same seed, epoch and place."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from tlcore.training import augmentation
from tlcore.training.augmentation import Augmentation

# Pillow and NumPy let go of the interpreter while they work, so views are made beside the training steps.
WORKERS = 2
_OF_VIEWS = 1  # apart from the draws of batches, which are numbered in this place


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

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return one batch in the order of the rows."""
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        return np.stack([self.pixels[row] for row in rows]), self.targets[rows]


class TrainingBatches(Batches):
    """Batches that change from epoch to epoch.

    Order and views depend on seed, epoch and place alone, so that any batch can be made again.

    Args:
        pixels: As in ``Batches``.
        rows: As in ``Batches``.
        targets: As in ``Batches``.
        batch_size: As in ``Batches``.
        seed: Start of the draws.
        epoch: The epoch whose batches are asked for, from 1; ``FollowEpoch`` keeps it right in training.

    Attributes:
        parts: In how many parts each batch is given, one after the other; see ``step.py``.
        first: How many of the parts of the present epoch were done before; more than 0 only where it goes on.
        of_classes: How much a picture of each label counts, where batches come in parts; equally if not given.
    """

    parts = 1
    first = 0
    of_classes: dict[int, float] | None = None

    def __init__(self, pixels: np.ndarray, rows: Sequence[int], targets: np.ndarray, batch_size: int, *,
                 seed: int, epoch: int) -> None:  # fmt: skip
        super().__init__(pixels, rows, targets, batch_size)
        self.seed = seed
        TrainingBatches.begin(self, epoch)

    def __len__(self) -> int:
        """Return the number of parts of batches of an epoch."""
        return super().__len__() * self.parts

    def begin(self, epoch: int) -> None:
        """Go on to an epoch, from 1."""
        self.epoch = epoch
        self.order = np.random.default_rng((self.seed, epoch)).permutation(self.rows)

    def has_to_prepare(self, epoch: int) -> bool:
        """Return whether to go on to an epoch takes some work."""
        return False

    def drawn(self, index: int) -> np.ndarray:
        """Return the rows of one batch of the current epoch, or of one part of it.

        A last batch with fewer pictures than parts gives some of them twice, so that no part is empty.
        """
        batch, positions, size = self._part(index)
        return self.order[batch * self.batch_size + positions % size]

    def seen(self, count: int) -> int:
        """Return how many pictures the first batches of an epoch hold; ``count`` as in ``len``."""
        if self.parts == 1:
            return min(count * self.batch_size, len(self.rows))
        return sum(len(self._part(index)[1]) for index in range(count))

    def weighed(self, index: int, inputs: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return inputs and targets, and for a part of a batch how much each picture counts.

        Keras takes the mean over each part and then over the parts; with these weights the result is the mean over the
        whole batch also where it cannot be divided evenly.
        """
        targets = self.targets[rows]
        if self.parts == 1:
            return inputs, targets
        _, positions, size = self._part(index)
        weights = np.where(positions < size, len(positions) * self.parts / size, 0.0)
        if self.of_classes:
            weights = weights * [self.of_classes[int(label)] for label in targets.ravel()]
        return inputs, targets, weights.astype("float32")

    def _part(self, index: int) -> tuple[int, np.ndarray, int]:
        """Return the number of a batch, the places in it that a part has, and how many pictures the batch holds."""
        batch, part = divmod(index, self.parts)
        size = min(self.batch_size, len(self.rows) - batch * self.batch_size)
        return batch, np.array_split(np.arange(max(size, self.parts)), self.parts)[part], size


class Rest(keras.utils.PyDataset):
    """What is left of an epoch of training batches, from ``batches.first`` on."""

    def __init__(self, batches: TrainingBatches) -> None:
        super().__init__(workers=batches.workers)
        self.batches = batches

    def __len__(self) -> int:
        """Return how many are left."""
        return len(self.batches) - self.batches.first

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return one of those that are left, the first one with 0."""
        return self.batches[self.batches.first + index]


class ShuffledViews(TrainingBatches):
    """Training batches of pictures: a new order and new views of every picture in each epoch.

    Args:
        pixels: As in ``Batches``.
        rows: As in ``Batches``.
        targets: As in ``Batches``.
        batch_size: As in ``Batches``.
        strengths: What the random views may do.
        seed: As in ``TrainingBatches``.
        epoch: As in ``TrainingBatches``.
    """

    def __init__(self, pixels: np.ndarray, rows: Sequence[int], targets: np.ndarray, batch_size: int, *,
                 strengths: Augmentation, seed: int, epoch: int) -> None:  # fmt: skip
        super().__init__(pixels, rows, targets, batch_size, seed=seed, epoch=epoch)
        self.workers = WORKERS
        self.strengths = strengths

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return one batch of the current epoch; see ``weighed``."""
        rows = self.drawn(index)
        draws = (np.random.default_rng((self.seed, self.epoch, row)) for row in rows)
        views = [augmentation.view(self.pixels[row], self.strengths, rng) for row, rng in zip(rows, draws, strict=True)]
        return self.weighed(index, np.stack(views), rows)


class ShuffledFeatures(TrainingBatches):
    """Training batches of kept features: a new order, and of every picture one of its views, drawn anew each epoch.

    The first epoch sees the clean pictures; each one after it adds a view to draw from, until all are there. So the
    first epoch begins as early as it can, and views that a short training never needs are never made.

    Args:
        view: Returns the features of one view (from 0, the clean one) of all training pictures, (n, *shape).
        targets: (n,) or (n, 1), in the same order.
        batch_size: As in ``Batches``.
        views: How many there are to be, 1 or more.
        seed: As in ``TrainingBatches``.
        epoch: As in ``TrainingBatches``.
        first_epoch: The epoch that sees the clean pictures.
    """

    def __init__(self, view: Callable[[int], np.ndarray], targets: np.ndarray, batch_size: int, *,
                 views: int, seed: int, epoch: int, first_epoch: int) -> None:  # fmt: skip
        self.view = view
        self.views = views
        self.first_epoch = first_epoch
        self._there = [view(0)]
        super().__init__(self._there[0], range(len(targets)), targets, batch_size, seed=seed, epoch=epoch)
        self.begin(epoch)

    def begin(self, epoch: int) -> None:
        """Go on to an epoch, and see that its views are there."""
        super().begin(epoch)
        while len(self._there) < self.views_in(epoch):
            self._there.append(self.view(len(self._there)))
        draws = np.random.default_rng((self.seed, epoch, _OF_VIEWS))
        self._drawn_views = draws.integers(0, self.views_in(epoch), len(self.rows))

    def has_to_prepare(self, epoch: int) -> bool:
        """Return whether an epoch draws from a view that is not there yet."""
        return len(self._there) < self.views_in(epoch)

    def views_in(self, epoch: int) -> int:
        """Return how many views an epoch draws from."""
        return max(1, min(self.views, epoch - self.first_epoch + 1))

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return one batch of the current epoch: (B, *shape) float32 and targets; see ``weighed``."""
        rows = self.drawn(index)
        return self.weighed(index, self._of(rows, "float32"), rows)

    def of_epoch(self) -> np.ndarray:
        """Return all pictures of the current epoch in their own order, each in the view that it draws: (n, *shape)."""
        return self._of(np.arange(len(self.rows)), np.result_type(*self._there))

    def _of(self, rows: np.ndarray, dtype: Any) -> np.ndarray:
        """Return pictures, each in the view that it draws."""
        views = self._drawn_views[rows]
        found = np.empty((len(rows), *self.pixels.shape[1:]), dtype)
        for number in np.unique(views):
            mine = views == number
            found[mine] = self._there[number][rows[mine]]
        return found


class FollowEpoch(keras.callbacks.Callback):
    """Tell the batches which epoch it is.

    They cannot count by themselves: Keras calls a dataset's ``on_epoch_end`` once before the first epoch.
    """

    def __init__(self, batches: TrainingBatches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Go on to an epoch; Keras counts from 0 and calls this before it asks for the first batch."""
        self.batches.begin(epoch + 1)
