"""Features at the freeze boundary: what the frozen stages answer to a picture, computed once, kept on disk.

One file for the clean pictures and one for each random view, in ``cache/features``, named by everything they depend on:
the frozen weights themselves, the place of the cut, the pictures, and how these are read and changed. So another
freeze depth, another head or another learning rate finds what is there, and nothing stale is ever found.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from tlcore import atomic, cache
from tlcore.images import picture, threads
from tlcore.images.dataset import Dataset
from tlcore.row_file import RowFile
from tlcore.training import augmentation
from tlcore.training.augmentation import Augmentation
from tlcore.training.boundary import Boundary

Progress = Callable[[int, int], None]
Pass = Callable[[np.ndarray], np.ndarray]
"""(B, S, S, 3) float32, 0 to 255 -> the B pictures' features, float32. B is ``BATCH_SIZE``."""

BATCH_SIZE = 64
METHOD = 1
"""Version of the way features are made. Raise it with any change that gives other numbers."""
_AHEAD = 2
"""Batches that may wait per thread; as many as of pictures elsewhere would be 24 on two cores, 0.2 GB at 224 pixels."""
_LARGEST = float(np.finfo(np.float16).max)


class Switched(Exception):
    """Another engine has just taken over: a file that was begun is begun again, so that none is made by two."""


@dataclass(frozen=True, eq=False)
class Source:
    """What features are made of.

    Args:
        dataset: Looked-over pictures.
        array: (N, S, S, 3) uint8 of all of them; row i is ``dataset.pictures[i]``.
        resize: How they became square.
        strengths: What random views may do.
        seed: Start of the draws of the views.
    """

    dataset: Dataset
    array: np.ndarray
    resize: str
    strengths: Augmentation
    seed: int


class Features:
    """The features of some pictures at one cut, made when they are first asked for.

    Args:
        source: The pictures.
        boundary: The cut.
        run_pass: Runs the frozen side.
        precision: "float32" or "bfloat16": of the numbers it computes with.
        progress: Told (pictures done, all pictures) while they are made; an exception of it stops the work and leaves
            nothing behind.
        pin: Told each file before it is used.
    """

    def __init__(self, source: Source, boundary: Boundary, run_pass: Pass, precision: str = "float32",
                 progress: Progress | None = None, pin: Callable[[Path], None] | None = None) -> None:  # fmt: skip
        self.source = source
        self.boundary = boundary
        self.run_pass = run_pass
        self.precision = precision
        self.progress = progress
        self.pin = pin
        self._frozen = _digest(boundary.frozen)

    def of(self, rows: Sequence[int], view: int = 0) -> np.ndarray:
        """Return the features of some pictures in one view.

        Args:
            rows: Which pictures, rows of ``source.array``.
            view: 0 is the clean picture; 1 and on are random views, the same ones each time for the same seed.

        Returns:
            (n, *shape) float16, or float32 where float16 cannot hold the numbers; read-only and memory-mapped.

        Raises:
            UserError: The disk is full or the cache folder cannot be written.
        """
        shape = (len(rows), *self.boundary.shape)
        file = cache.folder("features") / f"{self._name(rows, view)}.npy"
        needed = size_bytes(len(rows), self.boundary.shape)
        if self.pin:
            self.pin(file)

        def make() -> None:
            cache.make_room(needed)
            self._make(file, rows, view)

        with cache.explained(f"the features of {len(rows)} pictures", needed, "freeze more stages"):
            return cache.once(file, lambda there: _opened(there, shape), make, self.progress, len(rows))

    def _name(self, rows: Sequence[int], view: int) -> str:
        """Return a name that changes with everything the numbers depend on."""
        pictures = self.source.dataset.pictures
        contents = hashlib.sha256("\n".join(pictures[row].content for row in rows).encode()).hexdigest()
        drawn = [view, self.source.seed, asdict(self.source.strengths)] if view else []
        read = [self.source.array.shape[1], self.source.resize, picture.METHOD]
        parts = [METHOD, self._frozen, self.boundary.place, self.precision, read, drawn, contents]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]

    def _make(self, file: Path, rows: Sequence[int], view: int) -> None:
        """Write a file: in float16, and once more in float32 if a number is too large for it."""
        kinds = ["float32", "float16"]
        while kinds:
            with (
                contextlib.suppress(Switched),
                atomic.replacing(file) as beside,
                RowFile(beside, self.boundary.shape, kinds[-1]) as written,
            ):
                if self._write(written, rows, view):
                    return
                kinds.pop()

    def _write(self, written: RowFile, rows: Sequence[int], view: int) -> bool:
        """Run all pictures through the frozen stages; return False where a number does not fit the file."""
        batches = [rows[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE)]
        for pictures in threads.in_order(lambda batch: self._pictures(batch, view), batches, ahead=_AHEAD):
            answers = self.run_pass(_filled(pictures).astype("float32"))[: len(pictures)]
            if written.dtype == np.float16 and not np.abs(answers).max() <= _LARGEST:
                return False
            written.extend(answers)
            if self.progress:
                self.progress(written.rows, len(rows))
        return True

    def _pictures(self, rows: Sequence[int], view: int) -> np.ndarray:
        """Return (B, S, S, 3) uint8 of pictures or of one random view of each."""
        array, pictures = self.source.array, self.source.dataset.pictures
        if view == 0:
            return np.stack([array[row] for row in rows])
        draws = (np.random.default_rng((self.source.seed, view, int(pictures[row].content[:15], 16))) for row in rows)
        views = [
            augmentation.view(array[row], self.source.strengths, rng) for row, rng in zip(rows, draws, strict=True)
        ]
        return np.stack(views)


def size_bytes(n_pictures: int, shape: tuple[int, ...]) -> int:
    """Return how much disk the features of that many pictures take in float16."""
    return n_pictures * int(np.prod(shape)) * 2


def _filled(pictures: np.ndarray) -> np.ndarray:
    """Fill a batch up with black pictures: engines are built for one size of batch."""
    missing = BATCH_SIZE - len(pictures)
    return np.pad(pictures, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else pictures


def _digest(model: keras.Model) -> str:
    """Return a hash of a model's weights and of the kinds, names and shapes of its layers."""
    digest = hashlib.sha256()
    for layer in model._flatten_layers(include_self=False):
        digest.update(f"{type(layer).__name__} {getattr(layer, 'output', None) is not None}\n".encode())
    for variable in model.variables:
        values = keras.ops.convert_to_numpy(variable)
        digest.update(f"{variable.name} {values.shape} {values.dtype}\n".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _opened(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the array of a file, or None if there is none, or one that is damaged or cut short."""
    try:
        array = np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype in (np.float16, np.float32) else None
