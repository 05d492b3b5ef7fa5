"""What a browser has sent gets its names: pieces of files -> files in a folder. No TensorFlow here.

Names are distrusted. A path that leads out of the folder is set aside with its reason. Whatever a disk would not take
(control characters, more than 255 bytes, ``CON`` on Windows) is put in other words, in such a way that the names of
class folders stay recognizable, and two files never share a name: the second one gets a few letters more. A zip or
tar archive that was sent by itself is unpacked (``archive``); one inside a folder stays a file.
"""

import filecmp
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

from tlcore.images import archive, disk, upload
from tlcore.images.dataset import SetAside
from tlcore.images.folder import Progress
from tlcore.images.upload import Announced

_MAX_NAME_BYTES = 255  # of one folder or file name on the usual disks
_MAX_PATH_BYTES = 1000
_CHUNK_BYTES = 2**20
_LEADS_OUT = "has a path that leads out of its folder"
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_NOT_ON_WINDOWS = set('<>:"|?*')


def settle(arrived: Path, folder: Path, about: Callable[[str], Progress]) -> tuple[SetAside, ...]:
    """Give everything that has arrived its place below a folder, beside what is there already.

    Broken off (a full disk, a crash) it can be called again and goes on.

    Args:
        arrived: The folder of an upload, as ``upload`` fills it.
        folder: Where the files go.
        about: Gives a progress function for a task.

    Returns:
        Files that got no place, with the reason.

    Raises:
        DiskFull: There is no room for what an archive holds.
        UploadError: An archive is refused.
    """
    files = upload.files_in(arrived)
    archives = [file for file in files if not file.reason and _is_archive(file.path)]
    set_aside = [SetAside(_printable(file.path), file.reason, "unpacked") for file in files if file.reason]
    others = [file for file in files if not file.reason and not _is_archive(file.path)]
    progress = about("Putting the files in their places")
    for done, file in enumerate(others, start=1):
        with disk.explained():
            reason = _settle_one(arrived, file, folder)
        if reason:
            set_aside.append(SetAside(_printable(file.path), reason, "unpacked"))
        progress(done, len(others))
    for file in archives:
        with disk.explained():
            whole = _joined(arrived, file)
        if whole is None:  # it was unpacked before
            continue
        name = parts_of(file.path)[-1] if parts_of(file.path) else "pictures"
        alone = len(archives) == 1 and not folder.exists()
        target = folder if alone else _free(folder / (archive.stem(name) or "pictures"), file.path)
        set_aside += archive.unpack(whole, target, about("Unpacking"), name)
        whole.unlink()
    return tuple(set_aside)


def gather(folder: Path, class_name: str) -> None:
    """Move the files that lie in a folder itself into a class folder of this name inside it."""
    parts = parts_of(class_name.replace("/", "_").replace("\\", "_").replace(":", "_").lstrip(". ")) or ("pictures",)
    for file in [each for each in folder.iterdir() if each.is_file()]:
        (folder / parts[0]).mkdir(exist_ok=True)
        file.rename(_free(folder / parts[0] / file.name, file.name))


def parts_of(path: str) -> tuple[str, ...]:
    """Return a browser's path as names that this disk takes; empty if it leads out of its folder."""
    parts = path.replace("\\", "/").split("/")
    if parts[0] == "" or re.match(r"[A-Za-z]:", parts[0]) or ".." in parts:
        return ()
    named = [part for part in parts if part not in ("", ".")]
    return tuple(_safe(part, is_folder=number < len(named)) for number, part in enumerate(named, start=1))


def _is_archive(path: str) -> bool:
    """Return whether a file is an archive that was sent by itself, not inside a folder."""
    return archive.is_archive(path) and "/" not in path.replace("\\", "/")


def _settle_one(arrived: Path, file: Announced, folder: Path) -> str:
    """Put one file in its place; return why it has none, or ""."""
    whole = _joined(arrived, file)
    if whole is None:
        return ""
    parts = parts_of(file.path)
    if not parts:
        return _LEADS_OUT
    if sum(len(os.fsencode(part)) + 1 for part in parts) > _MAX_PATH_BYTES:
        return "lies too deep: use fewer folders inside each other"
    target = folder.joinpath(*parts)
    if any(each.is_file() for each in list(target.parents)[: len(parts) - 1]):
        return "lies in a folder that has the same name as a file"
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_file() and filecmp.cmp(target, whole, shallow=False):
        whole.unlink()  # the same file of the same name, sent once more
        return ""
    whole.rename(_free(target, file.path))
    return ""


def _joined(arrived: Path, file: Announced) -> Path | None:
    """Return the whole file, its pieces joined in the first of them; None if it was taken away before."""
    first = upload.piece_file(arrived, file.number, 0)
    if not first.is_file():
        return None
    rest = [upload.piece_file(arrived, file.number, piece) for piece in range(1, file.n_pieces)]
    left = [(piece, each) for piece, each in enumerate(rest, start=1) if each.is_file()]
    if left:
        with first.open("r+b") as target:
            target.truncate(left[0][0] * upload.PIECE_BYTES)  # what an attempt before left half done
            target.seek(0, os.SEEK_END)
            for _, each in left:
                with each.open("rb") as source:
                    shutil.copyfileobj(source, target, _CHUNK_BYTES)
                target.flush()
                each.unlink()
    return first


def _free(target: Path, path: str) -> Path:
    """Return a path that is not taken. Asked of the disk itself, because some do not tell A from a."""
    free, number = target, 0
    while free.exists():
        letters = hashlib.sha256(f"{path}{number or ''}".encode()).hexdigest()[:6]
        free, number = target.with_name(_shortened(target.name, f"~{letters}", is_folder=False)), number + 1
    return free


def _safe(name: str, is_folder: bool) -> str:
    """Return a name in words that this disk takes."""
    found = "".join("_" if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") else letter for letter in name)
    if os.name == "nt":
        found = "".join("_" if letter in _NOT_ON_WINDOWS else letter for letter in found)
        found = found.rstrip(". ") + "_" if found[-1] in ". " or _RESERVED.fullmatch(found) else found
    if len(found.encode()) <= _MAX_NAME_BYTES:
        return found
    return _shortened(found, "~" + hashlib.sha256(name.encode()).hexdigest()[:6], is_folder)


def _shortened(name: str, addition: str, is_folder: bool) -> str:
    """Return a name with an addition before its ending, cut so that a disk takes it."""
    stem, suffix = (name, "") if is_folder else (Path(name).stem, Path(name).suffix[:16])
    room = _MAX_NAME_BYTES - len((addition + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore") + addition + suffix


def _printable(name: str) -> str:
    """Return a name that fits into a message and into JSON."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)[:200]
