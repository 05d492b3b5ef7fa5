"""What a tar archive says of the files in it, packed with gzip (``.tgz``, ``.tar.gz``) or plain. No TensorFlow here.

A tar has no list of what is in it: each file has its own header before it. So headers are handed on one by one, and
whoever takes them can refuse the archive before the rest of it is unpacked.
"""

import contextlib
import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Literal, cast

from tlcore.images.archive_entry import Damaged, Entry

_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError, ValueError, UnicodeError)
_MAX_READ_BYTES = 2 * 2**20
"""Most bytes that are held in memory at once. Python reads a long name or other notes on a file in one piece, however
large its header says that piece is; a path has at most a few thousand bytes."""

_MAX_TAIL_BYTES = 8 * _MAX_READ_BYTES  # programs fill up the last 10 kB, or as much as a tape takes at once


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Iterator[Entry]]:
    """Give the entries of a tar archive, in its order; they can be read as long as the block runs.

    Raises:
        Damaged: It is no tar archive or a damaged one, found out at once or while an entry is read.
    """
    try:
        with _unpacked(file) as stream, tarfile.TarFile(fileobj=stream, encoding="utf-8") as archive:
            yield _entries(archive, stream)
    except _DAMAGE as error:
        raise Damaged(repr(error)) from error


def is_tar(file: Path) -> bool:
    """Return whether a file begins as a tar archive does, plain or packed with gzip."""
    with file.open("rb") as stream:
        beginning = stream.read(tarfile.BLOCKSIZE)
    return beginning[:2] == b"\x1f\x8b" or beginning[257:262] == b"ustar"


class _Measured(io.BufferedIOBase):
    """A stream that refuses to hold much in memory at once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MAX_READ_BYTES:
            raise tarfile.ReadError(f"a header asks for {size} bytes")
        return self.stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()


@contextlib.contextmanager
def _unpacked(file: Path) -> Iterator[_Measured]:
    """Give the bytes of the tar itself."""
    with file.open("rb") as packed:
        is_packed = packed.read(2) == b"\x1f\x8b"
        packed.seek(0)
        with gzip.GzipFile(fileobj=packed) if is_packed else contextlib.nullcontext(packed) as stream:
            yield _Measured(cast(IO[bytes], stream))


def _entries(archive: tarfile.TarFile, stream: _Measured) -> Iterator[Entry]:
    """Yield one header after the other; what an entry takes counts from the end of the one before, notes included."""
    ended = 0
    while info := archive.next():
        if info.size < 0:
            raise tarfile.ReadError(f"{info.size} bytes in a file")
        size_bytes, ended = info.offset_data + info.size - ended, info.offset_data + info.size
        yield Entry(info.name.replace("\\", "/"), _kind(info), size_bytes, partial(_open, archive, info))
    # Python takes a damaged header, and an end that is missing, for the end.
    stream.seek(archive.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("no empty block at the end")
    # Only behind the last byte does gzip compare what came out with its sum.
    for _ in range(_MAX_TAIL_BYTES // _MAX_READ_BYTES):
        if not stream.read(_MAX_READ_BYTES):
            return
    raise tarfile.ReadError("more behind the end")


def _kind(info: tarfile.TarInfo) -> Literal["file", "folder", "link", "other"]:
    if info.issym() or info.islnk():
        return "link"
    if info.isdir() or (info.isreg() and info.name.endswith("/")):
        return "folder"
    return "file" if info.isreg() and not info.issparse() else "other"


def _open(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(info)
    if content is None:
        raise ValueError(f"An entry with bytes. Received: {info.name}")
    return content
