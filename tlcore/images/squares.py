"""Pictures squeezed to squares, kept in a file for as long as they are compared. No TensorFlow here.

Ten thousand of them are 276 MB: too much to hold beside everything else, and little for a disk. Whoever compares maps
the file into memory.
"""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import filelock
import numpy as np

from tlcore import lock, workspace
from tlcore.images.impression import LARGER_SIDE as SIDE

FILE = "squares.bin"


class Squares:
    """A growing file of squares."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, int] = {}
        """The row of each picture, by the hash of its bytes."""
        self.problem = ""
        """Why nothing more is kept, a half sentence; "" while all is well."""

    def add(self, content: str, square: np.ndarray) -> None:
        """Keep a square, (96, 96, 3) uint8, under the hash of its file's bytes; one of the same bytes is not kept."""
        if content in self.rows or self.problem:
            return
        try:
            with (self.folder / FILE).open("ab") as file:
                file.write(square.tobytes())
        except OSError as error:
            self.problem = f"the disk refused to keep small copies ({error.strerror or error})"
        else:
            self.rows[content] = len(self.rows)

    def array(self) -> np.ndarray:
        """Return what was kept, (N, 96, 96, 3) uint8, mapped into memory."""
        return opened(self.folder, len(self.rows))


def opened(folder: Path, count: int) -> np.ndarray:
    """Return the first squares in a folder, (count, 96, 96, 3) uint8, mapped into memory; count is 1 or more."""
    return np.memmap(folder / FILE, np.uint8, "r", shape=(count, SIDE, SIDE, 3))


@contextlib.contextmanager
def kept() -> Iterator[Squares]:
    """Give a place for squares that is gone when the block ends; what a killed process has left goes as well."""
    place = workspace.cache_folder() / "compared"
    place.mkdir(parents=True, exist_ok=True)
    for file in place.glob("*.lock"):
        if not lock.is_held(file):
            _remove(place / file.stem)
    folder = place / secrets.token_hex(8)
    with filelock.FileLock(folder.with_suffix(".lock")):
        folder.mkdir()
        try:
            yield Squares(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder and its lock. On Windows what is still mapped stays, until the next one comes by."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        folder.with_suffix(".lock").unlink(missing_ok=True)
