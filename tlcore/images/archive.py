"""A zip or tar archive that nobody vouches for becomes files in a folder, or is refused. No TensorFlow here.

Refused as a whole: names that lead out of the folder, encryption, damage, and more entries or bytes than the limits
below, which are checked against what the archive says before anything is written and against what comes out while it
is. Set aside, one by one: links, and names that the disk cannot hold or that are there twice. What an archive says is
read by ``archive_zip`` and ``archive_tar``; the rules here are the same for both.
"""

import errno
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from tlcore.errors import DiskFull, UploadError
from tlcore.images import archive_tar, archive_zip, layout
from tlcore.images.archive_entry import Damaged, Entry, Protected
from tlcore.images.dataset import SetAside
from tlcore.images.folder import Progress

ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz")
"""How the names of archives end, in small letters."""
MAX_ENTRIES = 200_000
"""Most files and folders in an archive."""
MAX_UNPACKED_BYTES = 50 * 10**9
"""Most bytes that may come out of an archive: half a million photos of 100 KB."""
MAX_RATIO = 100
"""Most bytes that may come out for each byte of the archive. Photos hardly shrink at all; bombs reach 1000 and more."""
RATIO_MATTERS_BYTES = 200 * 10**6
"""Below this size a high ratio harms nobody (a drawing stored as BMP can shrink a hundredfold)."""

_CHUNK_BYTES = 2**20
_MAX_NAME_BYTES = 255  # of one folder or file name on the usual disks
_MAX_PATH_BYTES = 1000
_WINDOWS_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def is_archive(name: str) -> bool:
    """Return whether a file's name is that of an archive."""
    return name.lower().endswith(ENDINGS)


def stem(name: str) -> str:
    """Return the name of an archive without its ending: ``pets`` for ``pets.tar.gz``."""
    endings = [ending for ending in ENDINGS if name.lower().endswith(ending)]
    return name[: -len(max(endings, key=len))] if endings else name


def unpack(file: Path, folder: Path, progress: Progress | None = None, name: str = "") -> tuple[SetAside, ...]:
    """Unpack an archive into a new folder. The folder appears when everything is in it, or not at all.

    Args:
        file: The archive. What it is says its content, not its name.
        folder: Where its files go; must not exist yet.
        progress: Told (entries done, all entries).
        name: What the user calls the archive, for messages; default is the file's name.

    Returns:
        Entries that could not be unpacked, with the reason.

    Raises:
        UploadError: The archive was refused, or the disk is full. Nothing stays behind.
    """
    name = name or file.name
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        reader = archive_tar if archive_tar.is_tar(file) else archive_zip
        with reader.opened(file) as found:
            entries = _checked(found, file.stat().st_size, name, folder.parent)
            beside.mkdir(parents=True)
            set_aside = _unpack_entries(entries, beside, progress)
        beside.rename(folder)
    except Damaged as error:
        raise _damaged(file, name, error) from error
    except Protected as error:
        raise UploadError(f"“{name}” is protected by a password.", "Pack the pictures again without one.") from error
    except OSError as error:
        raise _disk_trouble(name, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return tuple(set_aside)


def _checked(found: Iterable[Entry], packed_bytes: int, name: str, disk: Path) -> list[Entry]:
    """Return the entries, or refuse the archive by what it says of itself, as soon as it has said it."""
    entries: list[Entry] = []
    total = 0
    for entry in found:
        entries.append(entry)
        total += entry.size_bytes
        if len(entries) > MAX_ENTRIES:
            raise _refused(name, f"holds more than the {MAX_ENTRIES:,} files that are taken at once")
        if total > MAX_UNPACKED_BYTES:
            raise _refused(name, f"would take more than the {_size(MAX_UNPACKED_BYTES)} that are taken when unpacked")
        if total > RATIO_MATTERS_BYTES and total > MAX_RATIO * packed_bytes:
            raise _refused(name, f"would grow more than {MAX_RATIO}-fold when unpacked. Photos never do, bombs do")
        if _leads_out(entry.name):
            raise _refused(name, f"holds a file that wants to lie outside of its folder: “{_printable(entry.name)}”")
    free = shutil.disk_usage(_existing(disk)).free
    if total > free:
        raise DiskFull(
            f"“{name}” takes {_size(total)} when unpacked, but only {_size(free)} are free on the disk.",
            "Free some space and bring it in again.",
        )
    return entries


def _existing(folder: Path) -> Path:
    """Return the folder or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _leads_out(name: str) -> bool:
    """Return whether a name is absolute, names a drive, or climbs up: nobody packs such names by accident."""
    return name.startswith("/") or bool(re.match(r"[A-Za-z]:", name)) or ".." in name.split("/")


def _unpack_entries(entries: list[Entry], folder: Path, progress: Progress | None) -> list[SetAside]:
    """Write the entries below a folder; return those set aside."""
    set_aside = []
    room = MAX_UNPACKED_BYTES
    for done, entry in enumerate(entries, start=1):
        parts = [part for part in entry.name.split("/") if part not in ("", ".")]
        if parts and not any(layout.is_litter(part) for part in parts):
            reason = _odd(entry, parts) or _taken(folder, parts, entry.kind == "folder")
            if reason:
                set_aside.append(SetAside(_printable(entry.name), reason, "unpacked"))
            elif entry.kind == "folder":
                folder.joinpath(*parts).mkdir(parents=True, exist_ok=True)
            else:
                room -= _write(entry, folder.joinpath(*parts), room)
        if progress:
            progress(done, len(entries))
    return set_aside


def _taken(folder: Path, parts: list[str], is_folder: bool) -> str:
    """Return why an entry has no place, or "". Asked of the disk itself, because some do not tell A from a."""
    target = folder.joinpath(*parts)
    above = target.parents[: len(parts) - 1]
    if any(each.is_file() for each in above) or (target.is_file() if is_folder else target.exists()):
        return "has the same name as another file of the archive"
    return ""


def _odd(entry: Entry, parts: list[str]) -> str:
    """Return why an entry cannot or should not be written, or ""."""
    if entry.kind == "link":
        return "is a link, not a file: pack the file itself"
    if entry.kind == "other":
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


def _write(entry: Entry, target: Path, room: int) -> int:
    """Write one entry in chunks; return its size. What it holds beyond its stated size is never read."""
    written = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with entry.open() as source, target.open("xb") as stream:
        while chunk := source.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > room:
                raise Damaged("more comes out than the archive says")
            stream.write(chunk)
    return written


def _printable(name: str) -> str:
    """Return a name that fits into a message and into JSON."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)[:200]


def _size(size_bytes: int) -> str:
    """Return a size for a message."""
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.1f} MB"


def _refused(name: str, what: str) -> UploadError:
    """Return the error for an archive that is refused as a whole."""
    return UploadError(
        f"“{name}” {what}. Nothing of it was unpacked.",
        "Pack the folder with your pictures again as a zip with the program of your computer, and bring in that zip.",
    )


def _damaged(file: Path, name: str, error: Exception) -> UploadError:
    """Return the error for something that cannot be read as an archive."""
    with file.open("rb") as stream:
        begins_like_zip = stream.read(4) == b"PK\x03\x04"
    if begins_like_zip or archive_tar.is_tar(file):
        problem = f"“{name}” is damaged or cut short, so nothing of it was taken: the transfer may have broken off."
        return UploadError(problem, "Bring it in again, or pack the pictures again.", str(error))
    return UploadError(
        f"“{name}” is not a zip and not a tar archive, whatever its name says.",
        "Pack your folder of pictures as a zip and bring that in.",
        str(error),
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
