"""The pixels of a dataset: one memory-mapped array per picture size, decoded once. No TensorFlow here.

Arrays lie in ``cache/pixels`` and are named by what they hold, so that every later run on the same pictures finds
them, also of another project or from another folder. They can be deleted at any time.
"""

import hashlib
from pathlib import Path

import numpy as np

from tlcore import atomic, cache
from tlcore.errors import DatasetError
from tlcore.images import picture, threads
from tlcore.images.dataset import Dataset, Picture
from tlcore.images.folder import Progress
from tlcore.row_file import RowFile

_NAME_LETTERS = 32  # of the fingerprint, in the name of a file


def pixels(dataset: Dataset, image_size: int, resize: str = "crop", progress: Progress | None = None) -> np.ndarray:
    """Return the pictures of a dataset as squares, from the cache or decoded now.

    If another process is making the same array, wait for it.

    Args:
        dataset: Looked-over pictures.
        image_size: Width and height of a square in pixels.
        resize: "crop", "stretch" or "pad", as in ``picture.read``.
        progress: Told (pictures done, all pictures); an exception of it stops the work and leaves nothing behind.

    Returns:
        (N, S, S, 3) uint8, 0 to 255, RGB, read-only and memory-mapped; row i is ``dataset.pictures[i]``.

    Raises:
        DatasetError: A picture has gone or is another one than when the pictures were looked over.
        UserError: The disk is full or the cache folder cannot be written.
    """
    file = cache_file(dataset, image_size, resize)
    shape = (len(dataset.pictures), image_size, image_size, 3)
    what = f"{shape[0]} pictures of {image_size} pixels"
    needed = int(np.prod(shape, dtype=np.int64))

    def make() -> None:
        cache.make_room(needed)
        _decode(dataset, file, image_size, resize, progress)

    with cache.explained(what, needed, "choose a smaller picture size"):
        return cache.once(file, lambda there: _opened(there, shape), make, progress, len(dataset.pictures))


def cache_file(dataset: Dataset, image_size: int, resize: str) -> Path:
    """Return where an array lies: named by contents and order of the pictures, and by how they are read."""
    name = f"{dataset.fingerprint[:_NAME_LETTERS]}-{image_size}-{resize}-{picture.METHOD}.npy"
    return cache.folder("pixels") / name


def are_kept(fingerprint: str) -> bool:
    """Return whether an array of the pictures with this fingerprint is kept."""
    return any(_arrays(fingerprint))


def forget(fingerprint: str) -> None:
    """Remove every array of the pictures with this fingerprint; who has one open keeps it until it is closed."""
    for file in _arrays(fingerprint):
        file.unlink(missing_ok=True)


def _arrays(fingerprint: str) -> list[Path]:
    return list(cache.folder("pixels").glob(f"{fingerprint[:_NAME_LETTERS]}-*.npy"))


def _opened(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the array of a cache file, or None if there is none, or one that is damaged or cut short."""
    try:
        array = np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype == np.uint8 else None


def _decode(dataset: Dataset, file: Path, side: int, resize: str, progress: Progress | None) -> None:
    """Decode all pictures of a dataset into a cache file."""
    with atomic.replacing(file) as beside, RowFile(beside, (side, side, 3), "uint8") as squares:
        read = threads.in_order(lambda entry: _square(dataset.root, entry, side, resize), dataset.pictures)
        for row, square in enumerate(read):
            squares.append(row, square)
            if progress:
                progress(row + 1, len(dataset.pictures))


def _square(root: Path, entry: Picture, side: int, resize: str) -> np.ndarray:
    """Return (side, side, 3) uint8 of a picture that was looked over before."""
    try:
        content = picture.content_of(root / entry.file)
        if hashlib.sha256(content).hexdigest() == entry.content:
            return picture.read(content, side, resize)
        problem = "is another picture than before"
    except picture.Unreadable as error:
        problem = str(error)
    raise DatasetError(
        f"The pictures have changed since they were looked over: {entry.file} {problem}.",
        "Bring the pictures in again, or put this file back as it was.",
    )
