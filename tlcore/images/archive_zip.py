"""What a zip says of the files in it. No TensorFlow here."""

import contextlib
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from tlcore.images.archive_entry import Damaged, Entry, Protected

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError),
)


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Iterator[Entry]]:
    """Give the entries of a zip, in its order; they can be read as long as the block runs.

    Raises:
        Damaged: It is no zip or a damaged one, found out at once or while an entry is read.
        Protected: It needs a password.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            yield _entries(archive)
    except _DAMAGE as error:
        raise Damaged(repr(error)) from error


def _entries(archive: zipfile.ZipFile) -> Iterator[Entry]:
    """Yield what the zip's own list says."""
    for info in archive.infolist():
        if info.flag_bits & 0x1:
            raise Protected
        name = _true_name(info)
        yield Entry(name, _kind(info, name), info.file_size, partial(archive.open, info))


def _kind(info: zipfile.ZipInfo, name: str) -> Literal["file", "folder", "link", "other"]:
    """Return what an entry is; 0 stands for zips of systems that write no such thing."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "other"
    return "folder" if name.endswith("/") else "file"  # not info.is_dir(): an empty name makes it fail


def _true_name(info: zipfile.ZipInfo) -> str:
    """Return the name of an entry, with forward slashes.

    A zip says by a flag or an extra field that a name is UTF-8. macOS writes UTF-8 without saying so; what is not
    UTF-8 then is taken as cp437, as the zip standard has it (and as Python has decoded it).
    """
    found = info.filename
    if not info.flag_bits & 0x800:
        raw = found.encode("cp437", "replace")
        stored = _unicode_field(info.extra, raw)
        try:
            found = stored or raw.decode("utf-8")
        except UnicodeDecodeError:
            found = info.filename
    return found.replace("\\", "/")


def _unicode_field(extra: bytes, raw_name: bytes) -> str:
    """Return the name in the extra field 0x7075 (version 1 byte, CRC of the raw name 4 bytes, UTF-8), or ""."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        body, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == 0x7075 and len(body) > 5 and struct.unpack_from("<L", body, 1)[0] == zlib.crc32(raw_name):
            return body[5:].decode("utf-8", "replace")
    return ""
