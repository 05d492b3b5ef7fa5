"""Looking for pictures that are a part of another one, while a folder is looked over. No TensorFlow here.

In a small set every picture is compared with every other. In a larger one each is compared with its neighbours, which
a process of its own finds; if that fails, nothing is found here, and it is said why.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tlcore.images import excerpt, neighbours, squares
from tlcore.images.folder import Progress
from tlcore.images.neighbours import About, Search, Unanswered
from tlcore.images.squares import Squares

EVERY_PAIR = 300
"""Up to so many pictures every pair is compared: that takes a second, starting TensorFlow takes more."""


@dataclass(frozen=True)
class Parts:
    """What was found.

    Args:
        pairs: Contents of pictures of which one is a part of the other.
        hash_only: Why nothing could be found, a half sentence; "" if it could.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    hash_only: str = ""


class Comparison:
    """A comparison that is on its way; see ``begun``."""

    def __init__(self, progress: Progress | None, kept: Squares, at_the_end: contextlib.ExitStack) -> None:
        self._told = progress
        self._squares = kept
        self._search: Search | None = None
        self._at_the_end = at_the_end
        self.add = kept.add

    def progress(self, done: int, total: int) -> None:
        """Be told how many files there are, and hand it on; a large set has its process started with the first file."""
        if total > EVERY_PAIR and self._search is None and not self._squares.problem:
            try:
                self._search = self._at_the_end.enter_context(Search(self._squares.folder))
            except OSError as error:
                self._squares.problem = f"the process that finds neighbours did not start ({error.strerror or error})"
        if self._told is not None:
            self._told(done, total)

    def larger(self, contents: Sequence[str]) -> np.ndarray:
        """Return some pictures larger than tiles, (M, 96, 96, 3) uint8; only if ``has_all``."""
        return self._squares.array()[[self._squares.rows[content] for content in contents]]

    @property
    def has_all(self) -> bool:
        """Return whether every picture that was added could be kept."""
        return not self._squares.problem

    def parts(self, about: About | None) -> Parts:
        """Return what was found among all pictures that were added."""
        about = about or _nobody
        count = len(self._squares.rows)
        if self._squares.problem:
            return Parts(hash_only=self._squares.problem)
        if count < 2:
            return Parts()
        try:
            partners = self._partners(count, about)
        except Unanswered as error:
            return Parts(hash_only=str(error))
        contents = list(self._squares.rows)
        rows = excerpt.find(self._squares.array(), partners, about(neighbours.COMPARING))
        return Parts(tuple((contents[whole], contents[part]) for whole, part in rows.tolist()))

    def _partners(self, count: int, about: About) -> list[np.ndarray]:
        """Return for each row the rows that may be a part of it.

        Raises:
            Unanswered: The process that knows has failed.
        """
        if count <= EVERY_PAIR or self._search is None:
            return excerpt.every_pair(count)
        pairs = self._search.ask(count, about)
        return np.split(pairs[:, 1], np.searchsorted(pairs[:, 0], np.arange(1, count)))


@contextlib.contextmanager
def begun(progress: Progress | None) -> Iterator[Comparison]:
    """Give a comparison to which pictures are added; at the end of the block its files and its process are gone."""
    with squares.kept() as kept, contextlib.ExitStack() as at_the_end:
        yield Comparison(progress, kept, at_the_end)


def _nobody(task: str) -> Progress:
    """Tell nobody."""
    return lambda done, total: None
