"""The pixels of a dataset: one memory-mapped array per picture size, decoded once. No TensorFlow here.

Arrays lie in ``cache/pixels`` and are named by what they hold, so that every later run on the same pictures finds
them, also of another project or from another folder. They can be deleted at any time.
"""

import contextlib
import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import filelock
import numpy as np

from tlcore import atomic, workspace
from tlcore.errors import DatasetError, UserError
from tlcore.images import picture, threads
from tlcore.images.dataset import Dataset, Picture
from tlcore.images.folder import Progress

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
    ready = _opened(file, shape)
    if ready is not None:
        return ready
    with _explained(shape), _alone(file, progress, len(dataset.pictures)):
        ready = _opened(file, shape)  # another process may have made it while this one waited
        if ready is None:
            _decode(dataset, file, image_size, resize, progress)
            ready = _opened(file, shape)
    assert ready is not None
    return ready


def cache_file(dataset: Dataset, image_size: int, resize: str) -> Path:
    """Return where an array lies: named by contents and order of the pictures, and by how they are read."""
    name = f"{dataset.fingerprint[:_NAME_LETTERS]}-{image_size}-{resize}-{picture.METHOD}.npy"
    return workspace.cache_folder() / "pixels" / name


def forget(fingerprint: str) -> None:
    """Remove every array of the pictures with this fingerprint; who has one open keeps it until it is closed."""
    for file in (workspace.cache_folder() / "pixels").glob(f"{fingerprint[:_NAME_LETTERS]}-*.npy"):
        file.unlink(missing_ok=True)


class PixelFile:
    """A .npy file of squares that grows row by row, because their number is known only in the end.

    ``folder.scan`` with ``Keep(square=file.append)`` fills it while it looks over the pictures.
    """

    HEAD_BYTES = 128  # of the .npy format with a shape of four numbers; NumPy pads it to a multiple of 64

    def __init__(self, file: Path, side: int) -> None:
        self.side = side
        self.rows = 0
        self._stream = file.open("wb")
        self._stream.write(bytes(self.HEAD_BYTES))

    def __enter__(self) -> "PixelFile":
        return self

    def append(self, row: int, square: np.ndarray) -> None:
        """Write the next row: ``square`` is (side, side, 3) uint8."""
        if row != self.rows or square.shape != (self.side, self.side, 3):
            raise ValueError(f"Rows come in order and have side {self.side}. Received: row {row}, {square.shape}")
        self._stream.write(np.ascontiguousarray(square).data)
        self.rows += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the head, now that the number of rows is known, and close."""
        with self._stream:
            if kind is None:
                self._stream.seek(0)
                shape = (self.rows, self.side, self.side, 3)
                head = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(self._stream, head)
                assert self._stream.tell() == self.HEAD_BYTES


def _opened(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the array of a cache file, or None if there is none, or one that is damaged or cut short."""
    try:
        array = np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype == np.uint8 else None


@contextlib.contextmanager
def _alone(file: Path, progress: Progress | None, total: int) -> Iterator[None]:
    """Hold the lock of a cache file; while another process holds it, tell the progress that nothing is done yet."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(file.with_suffix(".lock"))
    while True:
        try:
            lock.acquire(timeout=0.5)
            break
        except filelock.Timeout:
            if progress:
                progress(0, total)  # it may raise, because someone pressed Stop
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _explained(shape: tuple[int, ...]) -> Iterator[None]:
    """Say in plain words that the disk is full or cannot be written."""
    try:
        yield
    except OSError as error:
        size = f"{np.prod(shape, dtype=np.int64) / 1e6:,.0f} MB"
        folder = workspace.cache_folder()
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            problem = f"The disk is full: {shape[0]} pictures of {shape[1]} pixels need {size} in {folder}."
            advice = "Free some space, or choose a smaller picture size, and start again."
        else:
            problem = f"The prepared pictures ({size}) cannot be written to {folder}: {error.strerror or error}."
            advice = "Check that this folder may be written, or set THAW_HOME to another one, and start again."
        raise UserError(problem, advice, repr(error)) from error


def _decode(dataset: Dataset, file: Path, side: int, resize: str, progress: Progress | None) -> None:
    """Decode all pictures of a dataset into a cache file."""
    with atomic.replacing(file) as beside, PixelFile(beside, side) as squares:
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
