"""Only so many sets of pictures are looked over at once: thirty people may bring theirs in. No TensorFlow here."""

import contextlib
import time
from collections.abc import Callable, Iterator

import filelock

from tlcore import cores, workspace

PER_CORE = 2
"""Places for each core. Each takes some hundred megabytes; with fewer, one large set would keep others waiting."""
_LOOK_EVERY_S = 0.2


@contextlib.contextmanager
def taken(waiting: Callable[[], object]) -> Iterator[None]:
    """Look over pictures inside the block, once a place is free.

    Args:
        waiting: Called about five times a second until then; an exception of it ends the waiting.
    """
    folder = workspace.home() / "intake"
    folder.mkdir(parents=True, exist_ok=True)
    places = [filelock.FileLock(folder / f"{number}.lock") for number in range(PER_CORE * cores.count())]
    while (place := next(filter(_is_free, places), None)) is None:
        waiting()
        time.sleep(_LOOK_EVERY_S)
    try:
        yield
    finally:
        place.release()


def _is_free(place: filelock.BaseFileLock) -> bool:
    """Take a place, if nobody has it."""
    try:
        place.acquire(timeout=0)
    except filelock.Timeout:
        return False
    return True
