"""A folder of labelled pictures becomes a ``Dataset``. No TensorFlow here.

Every file is opened once, in a decoder process: hashed, decoded, judged and shrunk as it is wanted. A file that cannot
be used is set aside with its reason and never stops the rest, not even one that takes for ever, eats the memory or
brings its decoder down.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tlcore.errors import DatasetError
from tlcore.images import decoding, layout
from tlcore.images.dataset import Dataset, Picture, SetAside
from tlcore.images.decoded import Decoded, Wish
from tlcore.images.impression import Impression
from tlcore.images.layout import Layout, Placed, Reading
from tlcore.images.limits import Limits

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
        impression: Called in the caller's thread with the hash of the file's bytes and what was noticed, in the order
            of ``Dataset.pictures``.
        thumbnails: The folder that gets a thumbnail of each.
    """

    square: Callable[[int, np.ndarray], None] | None = None
    side: int = 0
    resize: str = "crop"
    impression: Callable[[str, Impression], None] | None = None
    thumbnails: Path | None = None

    @property
    def wish(self) -> Wish:
        """What a decoder has to do for this."""
        side = self.side if self.square else 0
        thumbnails = str(self.thumbnails.absolute()) if self.thumbnails else ""  # a decoder works in another folder
        return Wish(side, self.resize, self.impression is not None, thumbnails)


def scan(
    root: Path,
    progress: Progress | None = None,
    keep: Keep | None = None,
    *,
    within: tuple[Path, ...] = (),
    at_least: int = 2,
    reading: Reading | None = None,
    limits: Limits | None = None,
) -> Dataset:
    """Look over a folder of labelled pictures; ``tlcore.images.layout`` says which folders are understood.

    Args:
        root: The folder.
        progress: Told after every file.
        keep: Copies to hand on.
        within: If given, links that lead outside of these folders are set aside.
        at_least: The number of classes without which nothing can be done: 2 for training, 1 for an exam.
        reading: How to read folders that can be read in more than one way.
        limits: What one picture may cost before it is set aside, in time and memory.

    Returns:
        The usable pictures sorted by file, class names in natural order, and the files set aside sorted by name.

    Raises:
        DatasetError: The folder cannot be opened, or fewer than ``at_least`` classes have a usable picture.
        UserError: No decoder can be started.
        OSError: The disk refuses a thumbnail.
    """
    found = layout.find(root, within, reading)
    usable, set_aside = _opened(root, found, progress or _silent, keep or Keep(), limits)
    set_aside += found.set_aside
    labelled = {placed.class_name for placed, _ in usable}
    set_aside += [
        SetAside(folder, "is a class folder without any picture that can be used", "empty")
        for name, folder in found.class_folders.items()
        if name not in labelled
    ]
    class_names = tuple(sorted(labelled, key=layout.natural_order))
    if len(class_names) < at_least:
        raise _too_few(found, class_names, set_aside)
    labels = {name: label for label, name in enumerate(class_names)}
    pictures = tuple(_picture(placed, entry, labels[placed.class_name]) for placed, entry in usable)
    return Dataset(root, class_names, pictures, tuple(sorted(set_aside, key=lambda entry: entry.file)))


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


def _opened(
    root: Path, found: Layout, progress: Progress, keep: Keep, limits: Limits | None
) -> tuple[list[tuple[Placed, Decoded]], list[SetAside]]:
    """Open every placed file; return the usable ones in their order, and the others with their reason."""
    usable: list[tuple[Placed, Decoded]] = []
    set_aside: list[SetAside] = []
    if keep.thumbnails:
        keep.thumbnails.mkdir(parents=True, exist_ok=True)
    opened = decoding.in_order(root, [placed.file for placed in found.placed], keep.wish, limits)
    for done, (placed, entry) in enumerate(zip(found.placed, opened, strict=True), start=1):
        if entry.seen is None:
            set_aside.append(SetAside(placed.file, entry.reason))
        else:
            if keep.square and entry.seen.square is not None:
                keep.square(len(usable), entry.seen.square)
            if keep.impression and entry.impression is not None:
                keep.impression(entry.content, entry.impression)
            seen = entry.seen if entry.seen.square is None else replace(entry.seen, square=None)
            usable.append((placed, replace(entry, seen=seen, impression=None)))  # pixels would fill the memory
        progress(done, len(found.placed))
    return usable, set_aside


def _picture(placed: Placed, entry: Decoded, label: int) -> Picture:
    """Return the value of a usable picture."""
    assert entry.seen is not None
    seen = entry.seen
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
