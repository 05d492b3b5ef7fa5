"""A folder of labelled pictures becomes a ``Dataset``. No TensorFlow here.

Every file is opened once, in threads: hashed, decoded, and on the way handed to whoever wants a square or a small copy
of it. A file that cannot be used is set aside with its reason and never stops the rest.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tlcore.errors import DatasetError
from tlcore.images import camera, layout, picture, threads
from tlcore.images.dataset import Dataset, Picture, SetAside
from tlcore.images.layout import Layout, Placed, Reading

Progress = Callable[[int, int], None]
"""Called with the number of files that are done and the number of all files."""


@dataclass(frozen=True)
class Keep:
    """What to keep of each usable picture, while its file is open anyway.

    Args:
        square: Called in the caller's thread as ``square(row, pixels)``, rows ascending from 0 without gaps;
            ``pixels`` is (side, side, 3) uint8 and ``row`` the picture's place in ``Dataset.pictures``.
        side: Width and height of the square in pixels.
        resize: "crop", "stretch" or "pad", as in ``picture.read``.
        small: Called in any thread as ``small(content, pixels)``: the hash of the file's bytes, and (h, w, 3) uint8,
            uncropped.
        small_side: Longest side of the small copy in pixels.
    """

    square: Callable[[int, np.ndarray], None] | None = None
    side: int = 0
    resize: str = "crop"
    small: Callable[[str, np.ndarray], None] | None = None
    small_side: int = 0


@dataclass(frozen=True, eq=False)
class _Opened:
    """What came of one file: a picture without its label, or the reason against it."""

    placed: Placed
    content: str = ""
    seen: picture.Seen | None = None
    reason: str = ""
    size_bytes: int = 0
    shot: camera.Shot = camera.NOTHING


def scan(
    root: Path,
    progress: Progress | None = None,
    keep: Keep | None = None,
    *,
    within: tuple[Path, ...] = (),
    at_least: int = 2,
    reading: Reading | None = None,
) -> Dataset:
    """Look over a folder of labelled pictures; ``tlcore.images.layout`` says which folders are understood.

    Args:
        root: The folder.
        progress: Told after every file.
        keep: Copies to hand on.
        within: If given, links that lead outside of these folders are set aside.
        at_least: The number of classes without which nothing can be done: 2 for training, 1 for an exam.
        reading: How to read folders that can be read in more than one way.

    Returns:
        The usable pictures sorted by file, class names in natural order, and the files set aside sorted by name.

    Raises:
        DatasetError: The folder cannot be opened, or fewer than ``at_least`` classes have a usable picture.
    """
    found = layout.find(root, within, reading)
    usable, set_aside = _opened(root, found, progress or _silent, keep or Keep())
    set_aside += found.set_aside
    labelled = {entry.placed.class_name for entry in usable}
    set_aside += [
        SetAside(folder, "is a class folder without any picture that can be used", "empty")
        for name, folder in found.class_folders.items()
        if name not in labelled
    ]
    class_names = tuple(sorted(labelled, key=layout.natural_order))
    if len(class_names) < at_least:
        raise _too_few(found, class_names, set_aside)
    labels = {name: label for label, name in enumerate(class_names)}
    pictures = tuple(_picture(entry, labels[entry.placed.class_name]) for entry in usable)
    return Dataset(root, class_names, pictures, tuple(sorted(set_aside, key=lambda entry: entry.file)))


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


def _opened(root: Path, found: Layout, progress: Progress, keep: Keep) -> tuple[list[_Opened], list[SetAside]]:
    """Open every placed file; return the usable ones in their order, and the others with their reason."""
    usable: list[_Opened] = []
    set_aside: list[SetAside] = []
    opened = threads.in_order(lambda placed: _open(root, placed, keep), found.placed)
    for done, entry in enumerate(opened, start=1):
        if entry.seen is None:
            set_aside.append(SetAside(entry.placed.file, entry.reason))
        else:
            if keep.square and entry.seen.square is not None:
                keep.square(len(usable), entry.seen.square)
            usable.append(_without_pixels(entry, entry.seen))
        progress(done, len(found.placed))
    return usable, set_aside


def _open(root: Path, placed: Placed, keep: Keep) -> _Opened:
    """Read, hash and decode one file; runs in a thread."""
    try:
        content = picture.content_of(root / placed.file)
        digest = hashlib.sha256(content).hexdigest()
        side = keep.side if keep.square else 0
        seen = picture.look(content, side, keep.resize, keep.small_side if keep.small else 0)
    except picture.Unreadable as error:
        return _Opened(placed, reason=str(error))
    if keep.small and seen.small is not None:
        keep.small(digest, seen.small)
    return _Opened(placed, digest, seen, size_bytes=len(content), shot=camera.shot(content))


def _without_pixels(entry: _Opened, seen: picture.Seen) -> _Opened:
    """Drop the copies, or the memory would fill with them."""
    return replace(entry, seen=replace(seen, square=None, small=None))


def _picture(entry: _Opened, label: int) -> Picture:
    """Return the value of a usable picture."""
    assert entry.seen is not None
    seen, placed = entry.seen, entry.placed
    size = (seen.width, seen.height)
    facts = (placed.part, seen.frames, seen.stored, entry.size_bytes)
    return Picture(placed.file, label, entry.content, *size, *facts, taken=entry.shot.taken, camera=entry.shot.camera)


def _too_few(found: Layout, class_names: tuple[str, ...], set_aside: Iterable[SetAside]) -> DatasetError:
    """Return the error for a folder with too few classes, in words that fit what was found."""
    unreadable = [entry for entry in set_aside if entry.kind == "unreadable"]
    detail = "\n".join(f"{entry.file} {entry.reason}" for entry in unreadable[:50])
    example = f" The first one: {unreadable[0].file} {unreadable[0].reason}." if unreadable else ""
    others = [name for name in found.class_folders if name not in class_names]
    if class_names and not others:
        second = "dogs" if class_names[0].lower() != "dogs" else "cats"
        return DatasetError(
            f"We found one class, “{class_names[0]}”. A classifier needs at least two.",
            f"Add a second folder beside it, for example “{second}”, and bring the pictures in again.",
        )
    if class_names or others:
        kept = f"only “{class_names[0]}” holds" if class_names else "none of them holds"
        return DatasetError(
            f"We found {len(found.class_folders)} class folders, but {kept} pictures that can be read.{example}",
            "Put pictures (JPEG, PNG, WebP, GIF, BMP or TIFF) into every class folder and bring them in again.",
            detail,
        )
    lying = sum(entry.kind == "misplaced" for entry in set_aside)
    what = f"{lying} files, but no class folders" if lying else "no pictures"
    return DatasetError(
        f"We found {what}.",
        "Make one folder per class with its pictures inside, for example “cats” and “dogs”, and bring in the folder "
        "that holds them.",
    )
