"""Folders that someone deletes: laid aside for ten minutes, to be taken back, then removed. No TensorFlow here.

A folder is laid aside by a new name beside its place, so that this is done at once or not at all, and needs no room.
"""

import contextlib
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tlcore.errors import UserError

KEPT_S = 600.0
"""How long deleting can be undone."""
_NAMING = ("project.json", "recipe.json")  # a folder without either is no project and no run
_NAME = re.compile(r"removed-(\d+)-(.+)")


@dataclass(frozen=True)
class Removed:
    """A folder that was laid aside.

    Args:
        folder: Where it lies now.
        name: What it was called.
        time: When it was deleted, in seconds since 1970.
    """

    folder: Path
    name: str
    time: float

    @property
    def place(self) -> Path:
        """Return where it lay."""
        return self.folder.with_name(self.name)


def lay_aside(folder: Path) -> Removed:
    """Take a folder away, so that nothing finds it in its place.

    Raises:
        UserError: A program has a file in it open (on Windows only).
    """
    now = int(time.time())
    aside = folder.with_name(f"removed-{now}-{folder.name}")
    try:
        folder.rename(aside)
    except PermissionError as error:
        raise UserError("It is still in use.", "Try again in a minute.", repr(error)) from error
    return Removed(aside, folder.name, now)


def laid_aside(parent: Path) -> tuple[Removed, ...]:
    """Return what was deleted in a folder and can be taken back, newest first."""
    return tuple(removed for removed in _all(parent) if _left_s(removed) > 0)


def minutes_left(removed: Removed) -> int:
    """Return for how many minutes more deleting can be undone, at least 1."""
    return max(1, round(_left_s(removed) / 60))


def take_back(removed: Removed) -> None:
    """Put a folder where it was; nothing where somebody else has just done so.

    Raises:
        UserError: It has been removed meanwhile, or cannot be moved now.
    """
    try:
        _make_way(removed)
        removed.folder.rename(removed.place)
    except FileNotFoundError as error:
        if not removed.place.is_dir():
            raise too_late() from error
    except OSError as error:
        raise UserError("It cannot be taken back just now.", "Try again in a minute.", repr(error)) from error


def too_late() -> UserError:
    """Return what to say to somebody who takes back what has been removed for good."""
    return UserError("It is too late: this was removed for good.", "Make it anew: it is no longer on this computer.")


def _make_way(removed: Removed) -> None:
    """Lay aside, to go at the next sweep, what somebody wrote into a folder's place who did not know of its end."""
    is_one = any((removed.place / name).is_file() for name in _NAMING)
    if removed.folder.is_dir() and removed.place.is_dir() and not is_one:
        removed.place.rename(removed.place.with_name(f"removed-0-{removed.name}"))


def overdue(parent: Path) -> tuple[Removed, ...]:
    """Return what was deleted in a folder so long ago that it is to be removed for good."""
    return tuple(removed for removed in _all(parent) if _left_s(removed) <= 0)


def remove(removed: Removed) -> None:
    """Remove for good what was laid aside; what a program still has open goes at the next sweep.

    It is renamed first, so that nobody takes half of it back.
    """
    overdue = removed.folder.with_name(f"removed-0-{removed.name}")
    with contextlib.suppress(FileNotFoundError):  # taken back, or removed by somebody else
        removed.folder.rename(overdue)
        shutil.rmtree(overdue, ignore_errors=True)


def is_aside(folder: Path) -> bool:
    """Return whether a folder is one that was laid aside."""
    return _NAME.fullmatch(folder.name) is not None


def is_kept(folder: Path) -> bool:
    """Return whether a folder is in its place, or it or one around it is laid aside and can be taken back."""
    if folder.is_dir():
        return True
    around = (each for each in folder.parents if each.parent.is_dir())
    nearest = next((each for each in (folder, *around) if each.parent.is_dir() and not each.is_dir()), folder)
    return any(removed.name == nearest.name for removed in _all(nearest.parent))


def _all(parent: Path) -> list[Removed]:
    found = []
    with contextlib.suppress(FileNotFoundError):
        for folder in parent.iterdir():
            parts = _NAME.fullmatch(folder.name)
            if parts:
                found.append(Removed(folder, parts[2], float(parts[1])))
    return sorted(found, key=lambda removed: -removed.time)


def _left_s(removed: Removed) -> float:
    return removed.time + KEPT_S - time.time()
