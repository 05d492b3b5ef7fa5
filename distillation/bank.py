"""The bank: views and the teacher's answers to them, on disk, one folder per shard. NumPy only.

A shard is whole or not there. One of 12,288 views takes about 0.8 GB; only those of the current round are kept.
"""

import contextlib
import itertools
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distillation.answers import Answers

_PARTS = ("views", "middle", "final", "scores")


@dataclass(frozen=True, eq=False)
class Batch:
    """Views and the teacher's answers to exactly these, still as they are kept.

    Args:
        views: (N, 128, 128, 3) uint8.
        answers: See ``answers.Answers``; float16.
    """

    views: np.ndarray
    answers: Answers


@dataclass(frozen=True)
class Targets:
    """Mean and deviation of the teacher's answers per channel, so that every channel counts alike; float32."""

    middle_mean: np.ndarray
    middle_deviation: np.ndarray
    final_mean: np.ndarray
    final_deviation: np.ndarray
    pooled_deviation: np.ndarray


class Bank:
    """The shards below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, number: int) -> bool:
        """Tell whether a shard is there, whole."""
        return self._shard(number).is_dir()

    def add(self, number: int, views: np.ndarray, answers: Answers) -> None:
        """Keep a shard."""
        beside = self.folder / f"unfinished-{number:04d}"
        shutil.rmtree(beside, ignore_errors=True)  # left by a session that was ended
        beside.mkdir(parents=True)
        for name, values in zip(_PARTS, (views, answers.middle, answers.final, answers.scores), strict=True):
            np.save(beside / f"{name}.npy", values)
        beside.rename(self._shard(number))

    def keep_only(self, numbers: Sequence[int]) -> None:
        """Remove all other shards."""
        kept = {self._shard(number) for number in numbers}
        for folder in self.folder.glob("shard-*"):
            if folder not in kept:
                shutil.rmtree(folder)

    @contextlib.contextmanager
    def open(self, numbers: Sequence[int]) -> Iterator["OpenBank"]:
        """Open some shards for reading, and close them: a removed shard that is still open keeps its room on disk."""
        shards = [[np.load(self._shard(n) / f"{name}.npy", mmap_mode="r") for name in _PARTS] for n in numbers]
        opened = OpenBank(shards)
        try:
            yield opened
        finally:
            opened.shards = []
            for values in itertools.chain(*shards):
                values._mmap.close()

    def targets(self, number: int) -> Targets:
        """Measure the answers of one shard."""
        with self.open([number]) as opened:
            middle, final = (np.array(values, "float32") for values in opened.shards[0][1:3])
        everywhere = (0, 1, 2)
        return Targets(
            middle.mean(everywhere),
            middle.std(everywhere) + 1e-3,
            final.mean(everywhere),
            final.std(everywhere) + 1e-3,
            final.mean((1, 2)).std(0) + 1e-3,
        )

    def _shard(self, number: int) -> Path:
        return self.folder / f"shard-{number:04d}"


class OpenBank:
    """Shards of equal length, one after the other."""

    def __init__(self, shards: list[list[np.ndarray]]) -> None:
        self.shards = shards
        self._length = len(shards[0][0])
        self._views = len(shards) * self._length

    def __len__(self) -> int:
        return self._views

    def batch(self, places: np.ndarray) -> Batch:
        """Return the views at some places, 0 to the length of the bank."""
        where = [(self.shards[place // self._length], place % self._length) for place in places]
        views, *answers = (np.stack([shard[part][row] for shard, row in where]) for part in range(len(_PARTS)))
        return Batch(views, Answers(*answers))
