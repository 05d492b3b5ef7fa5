"""What can be made again at any time: made by one process while others wait, the longest unused removed first.

No TensorFlow here. One folder per kind below ``cache/``: decoded pictures and features at the freeze boundary. An entry
is a file with its ``.lock`` beside it; its time of last change says when it was last used. (``cache/archives`` is not
among them: runs of the command line have their pictures there.)
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import filelock

from tlcore import atomic, disk, lock, pins, workspace
from tlcore.errors import UserError

Progress = Callable[[int, int], None]
Made = TypeVar("Made")

KINDS = ("pixels", "features")
LOOK_EVERY_S = 0.5
RESERVE = 200 * 10**6
"""Bytes of the disk that the cache leaves to runs and uploads as long as it has something to remove."""


@dataclass(frozen=True)
class Entry:
    """One thing that is kept.

    Args:
        path: Its file.
        size_bytes: How large it is.
        used: When it was last used, in seconds since 1970.
    """

    path: Path
    size_bytes: int
    used: float


def folder(kind: str) -> Path:
    """Return the folder of one of the ``KINDS``."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}. Received: {kind}")
    return workspace.cache_folder() / kind


def once(
    file: Path,
    opened: Callable[[Path], Made | None],
    make: Callable[[], None],
    progress: Progress | None = None,
    total: int = 0,
) -> Made:
    """Return what a file holds; if it is not there, make it first, or wait until another process has.

    Args:
        file: A file below ``folder(kind)``.
        opened: Opens it; None where it is missing, damaged or cut short.
        make: Writes it, whole or not at all.
        progress: Told (0, ``total``) while another process makes it; an exception of it ends the waiting.
        total: Number of pictures, for the progress.
    """
    ready = opened(file)
    if ready is None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _alone(file, progress, total):
            atomic.sweep(file)
            ready = opened(file)  # another process may have made it while this one waited
            if ready is None:
                make()
                ready = opened(file)
    assert ready is not None
    with contextlib.suppress(FileNotFoundError):  # removed meanwhile: who has it open keeps it
        os.utime(file)
    return ready


@contextlib.contextmanager
def _alone(file: Path, progress: Progress | None, total: int) -> Iterator[None]:
    """Hold the lock of a file; while another process holds it, tell the progress that nothing is done yet."""
    held = filelock.FileLock(file.with_suffix(".lock"))
    while True:
        try:
            held.acquire(timeout=LOOK_EVERY_S)
            break
        except filelock.Timeout:
            if progress:
                progress(0, total)  # it may raise, because someone pressed Stop
    try:
        yield
    finally:
        held.release()


@contextlib.contextmanager
def explained(what: str, size_bytes: int, advice: str) -> Iterator[None]:
    """Say in plain words that the disk is full or the cache cannot be written.

    Args:
        what: What was to be written: "120 pictures of 224 pixels".
        size_bytes: How much that is.
        advice: What makes it smaller: "choose a smaller picture size".
    """
    try:
        yield
    except OSError as error:
        size = in_words(size_bytes)
        place = workspace.cache_folder()
        if disk.is_full(error):
            problem = f"The disk is full: {what} need {size} in {place}."
            advice = f"Free some space, or {advice}, and start again."
        else:
            problem = f"{what[:1].upper()}{what[1:]} ({size}) cannot be written to {place}: {error.strerror or error}."
            advice = "Check that this folder may be written, or set THAW_HOME to another one, and start again."
        raise UserError(problem, advice, repr(error)) from error


def in_words(size_bytes: int) -> str:
    """Return a size as people read it: 12 MB, 3.4 GB."""
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.0f} MB"


def entries() -> tuple[Entry, ...]:
    """Return everything that is kept, also half written, the longest unused first."""
    found = []
    for path in (path for kind in KINDS for path in folder(kind).glob("*")):
        if path.suffix != ".lock":
            with contextlib.suppress(FileNotFoundError):  # another process has just removed it
                found.append(Entry(path, path.stat().st_size, path.stat().st_mtime))
    return tuple(sorted(found, key=lambda entry: entry.used))


def size_bytes() -> int:
    """Return how much is kept."""
    return sum(entry.size_bytes for entry in entries())


def make_room(needed_bytes: int) -> int:
    """Remove what was unused longest until ``needed_bytes`` more fit under the limit and on the disk; return the bytes
    removed.

    What someone is just making stays, and what an unfinished run needs. Who has a file open keeps it until it closes.
    """
    over_limit = size_bytes() + needed_bytes - workspace.cache_bytes()
    over_disk = needed_bytes + RESERVE - disk.free_bytes(workspace.cache_folder())
    return _remove(max(0, over_limit, over_disk))


def pinned_bytes(but: frozenset[Path] = frozenset()) -> int:
    """Return how much of what is kept runs that are not over need, so that it stays; all files ``but`` these."""
    needed = pins.pinned() - but
    return sum(entry.size_bytes for entry in entries() if entry.path in needed)


def clear() -> int:
    """Remove everything that nobody is just making and no unfinished run needs, and return the bytes removed."""
    return _remove(size_bytes())


def _lock_of(path: Path) -> Path:
    """Return the lock of whoever makes a file; one that is half written lies beside its place, see ``atomic``."""
    stem = path.stem[1:].rpartition(".")[0] if path.name.startswith(".") else path.stem
    return path.with_name(f"{stem}.lock")


def _remove(wanted_bytes: int) -> int:
    """Remove the longest unused entries until that many bytes are free."""
    removed, needed = 0, pins.pinned()
    for entry in entries():
        if removed >= wanted_bytes:
            break
        if entry.path in needed:
            continue
        if lock.is_held(_lock_of(entry.path)):
            continue
        with contextlib.suppress(PermissionError):  # Windows keeps what a program has open
            entry.path.unlink(missing_ok=True)
            removed += entry.size_bytes
    return removed
