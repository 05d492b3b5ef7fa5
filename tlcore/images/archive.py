"""A zip that nobody vouches for becomes files in a folder, or is refused. No TensorFlow here.

Refused as a whole: names that lead out of the folder, encryption, damage, and more entries or bytes than the limits
below, which are checked against what the zip says before anything is written and against what comes out while it is.
Set aside, one by one: links, and names that the disk cannot hold or that are there twice.
"""

import errno
import lzma
import os
import re
import secrets
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

from tlcore.errors import DiskFull, UploadError
from tlcore.images import layout
from tlcore.images.dataset import SetAside
from tlcore.images.folder import Progress

MAX_ENTRIES = 200_000
"""Most files and folders in a zip."""
MAX_UNPACKED_BYTES = 50 * 10**9
"""Most bytes that may come out of a zip: half a million photos of 100 KB."""
MAX_RATIO = 100
"""Most bytes that may come out for each byte of the zip. Photos hardly shrink at all; bombs reach 1000 and more."""
RATIO_MATTERS_BYTES = 200 * 10**6
"""Below this size a high ratio harms nobody (a drawing stored as BMP can shrink a hundredfold)."""

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError),
)
_CHUNK_BYTES = 2**20
_MAX_NAME_BYTES = 255  # of one folder or file name on the usual disks
_MAX_PATH_BYTES = 1000
_WINDOWS_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def unpack(file: Path, folder: Path, progress: Progress | None = None, name: str = "") -> tuple[SetAside, ...]:
    """Unpack a zip into a new folder. The folder appears when everything is in it, or not at all.

    Args:
        file: The zip.
        folder: Where its files go; must not exist yet.
        progress: Told (entries done, all entries).
        name: What the user calls the zip, for messages; default is the file's name.

    Returns:
        Entries that could not be unpacked, with the reason.

    Raises:
        UploadError: The zip was refused, or the disk is full. Nothing stays behind.
    """
    name = name or file.name
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        with zipfile.ZipFile(file) as archive:
            entries = _checked(archive, file.stat().st_size, name, folder.parent)
            beside.mkdir(parents=True)
            set_aside = _unpack_entries(archive, entries, beside, progress)
        beside.rename(folder)
    except _DAMAGE as error:
        raise _damaged(file, name, error) from error
    except OSError as error:
        raise _disk_trouble(name, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return tuple(set_aside)


def _checked(archive: zipfile.ZipFile, packed_bytes: int, name: str, disk: Path) -> list[tuple[zipfile.ZipInfo, str]]:
    """Return the entries with their true names, or refuse the zip by what it says of itself."""
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise _refused(name, f"holds {len(infos):,} files, more than the {MAX_ENTRIES:,} that are taken at once")
    total = sum(info.file_size for info in infos)
    if total > MAX_UNPACKED_BYTES:
        raise _refused(
            name, f"would take {_size(total)} when unpacked, more than the {_size(MAX_UNPACKED_BYTES)} that are taken"
        )
    if total > RATIO_MATTERS_BYTES and total > MAX_RATIO * packed_bytes:
        raise _refused(
            name, f"would grow {total // max(1, packed_bytes)}-fold when unpacked. Photos never do, zip bombs do"
        )
    if any(info.flag_bits & 0x1 for info in infos):
        raise UploadError(f"“{name}” is protected by a password.", "Pack the pictures again without one.")
    free = shutil.disk_usage(_existing(disk)).free
    if total > free:
        raise DiskFull(
            f"“{name}” takes {_size(total)} when unpacked, but only {_size(free)} are free on the disk.",
            "Free some space and bring it in again.",
        )
    entries = [(info, _true_name(info)) for info in infos]
    for _, true_name in entries:
        if _leads_out(true_name):
            raise _refused(name, f"holds a file that wants to lie outside of its folder: “{true_name[:100]}”")
    return entries


def _existing(folder: Path) -> Path:
    """Return the folder or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())


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


def _leads_out(name: str) -> bool:
    """Return whether a name is absolute, names a drive, or climbs up: nobody packs such names by accident."""
    return name.startswith("/") or bool(re.match(r"[A-Za-z]:", name)) or ".." in name.split("/")


def _unpack_entries(
    archive: zipfile.ZipFile, entries: list[tuple[zipfile.ZipInfo, str]], folder: Path, progress: Progress | None
) -> list[SetAside]:
    """Write the entries below a folder; return those set aside."""
    set_aside = []
    room = MAX_UNPACKED_BYTES
    for done, (info, name) in enumerate(entries, start=1):
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if parts and not any(layout.is_litter(part) for part in parts):
            is_folder = info.is_dir() or name.endswith("/")
            reason = _odd(info, parts) or _taken(folder, parts, is_folder)
            if reason:
                set_aside.append(SetAside(_printable(name), reason, "unpacked"))
            elif is_folder:
                folder.joinpath(*parts).mkdir(parents=True, exist_ok=True)
            else:
                room -= _write(archive, info, folder.joinpath(*parts), room)
        if progress:
            progress(done, len(entries))
    return set_aside


def _taken(folder: Path, parts: list[str], is_folder: bool) -> str:
    """Return why an entry has no place, or "". Asked of the disk itself, because some do not tell A from a."""
    target = folder.joinpath(*parts)
    above = target.parents[: len(parts) - 1]
    if any(each.is_file() for each in above) or (target.is_file() if is_folder else target.exists()):
        return "has the same name as another file of the zip"
    return ""


def _odd(info: zipfile.ZipInfo, parts: list[str]) -> str:
    """Return why an entry cannot or should not be written, or ""."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link, not a file: pack the file itself"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is not an ordinary file"
    lengths = [len(part.encode("utf-8", "replace")) for part in parts]
    if max(lengths) > _MAX_NAME_BYTES or sum(lengths) + len(lengths) > _MAX_PATH_BYTES:
        return f"has a name of more than {_MAX_NAME_BYTES} bytes or lies too deep: make it shorter"
    if any(unicodedata.category(letter) in ("Cc", "Cs") for part in parts for letter in part):
        return "has a line break or another control character in its name: rename it"
    if os.name == "nt" and any(
        _WINDOWS_RESERVED.fullmatch(p) or p[-1] in ". " or set(p) & set('<>:"|?*') for p in parts
    ):
        return "has a name that Windows does not allow: rename it"
    return ""


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, room: int) -> int:
    """Write one entry in chunks; return its size. What it holds beyond its stated size is never read."""
    written = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, target.open("xb") as stream:
        while chunk := source.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > room:
                raise zipfile.BadZipFile("more comes out than the zip says")
            stream.write(chunk)
    return written


def _printable(name: str) -> str:
    """Return a name that fits into a message and into JSON."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)[:200]


def _size(size_bytes: int) -> str:
    """Return a size for a message."""
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.1f} MB"


def _refused(name: str, what: str) -> UploadError:
    """Return the error for a zip that is refused as a whole."""
    return UploadError(
        f"“{name}” {what}. Nothing of it was unpacked.",
        "Pack the folder with your pictures again with the zip program of your computer, and bring in that zip.",
    )


def _damaged(file: Path, name: str, error: Exception) -> UploadError:
    """Return the error for something that cannot be read as a zip."""
    with file.open("rb") as stream:
        begins_like_zip = stream.read(4) == b"PK\x03\x04"
    if begins_like_zip:
        problem = f"“{name}” is damaged or cut short, so nothing of it was taken: the transfer may have broken off."
        return UploadError(problem, "Bring it in again, or pack the pictures again.", repr(error))
    return UploadError(
        f"“{name}” is not a zip, whatever its name says.",
        "Pack your folder of pictures as a zip and bring that in.",
        repr(error),
    )


def _disk_trouble(name: str, error: OSError) -> UploadError:
    """Return the error for a disk that does not take the files."""
    if error.errno == errno.ENOSPC:
        return DiskFull(
            f"The disk became full while “{name}” was unpacked. Nothing of it stays behind.",
            "Free some space and bring it in again.",
            repr(error),
        )
    return UploadError(
        f"“{name}” could not be unpacked: {error.strerror or error}.",
        "Check the disk and bring it in again.",
        repr(error),
    )
