"""Whether the disk is full, and what to say then. No TensorFlow here."""

import errno
import shutil
from pathlib import Path

FULL = "The disk of the computer that runs Thaw is full."
CROWDED = 4 * 2**20
"""Bytes below which a disk counts as full: less than the smallest checkpoint needs."""
_CODES = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def is_full(error: OSError) -> bool:
    """Return whether the disk, or what one may use of it, was full when something was to be written."""
    return error.errno in _CODES


def is_crowded(place: Path) -> bool:
    """Return whether there is hardly any room left where a folder or file lies."""
    return free_bytes(place) < CROWDED


def free_bytes(place: Path) -> int:
    """Return how much room there is where a folder or file lies, or will lie."""
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    return shutil.disk_usage(there).free
