"""Where the class and the part of a file come from: the folders it lies in. No TensorFlow here.

A folder comes in; for each file its class and part come out, before any file is opened. Understood are::

    cats/1.jpg  dogs/2.jpg                    a folder per class
    train/cats/1.jpg  test/cats/2.jpg         parts with class folders inside: train(ing), val(id, idation), test(ing)
    pets/cats/1.jpg  pets/dogs/2.jpg          either of them inside one wrapping folder, or several

Folders inside a class folder belong to that class (``cats/2024/1.jpg`` is a cat). What the system or a photo program
left behind (hidden files, ``Thumbs.db``, ``__MACOSX`` ...) is not mentioned at all.
"""

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tlcore.errors import DatasetError
from tlcore.images.dataset import Part, SetAside

PARTS: dict[str, Part] = {
    name: part
    for part, names in {
        "train": ("train", "training", "train_set", "training_set"),
        "validation": ("val", "valid", "validation", "val_set", "validation_set", "dev"),
        "test": ("test", "testing", "test_set", "testing_set"),
    }.items()
    for name in names
}
"""Names of part folders as ``_plain`` writes them."""

_LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin"}
_OUTSIDE = "lies outside of any class folder"

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Placed:
    """A file and what its folders say about it. ``file`` is its path below the root, with forward slashes."""

    file: str
    class_name: str
    part: Part


@dataclass(frozen=True)
class Layout:
    """What the folders say.

    Args:
        placed: Files inside class folders, sorted by file.
        set_aside: Files that cannot be placed.
        class_folders: Class name -> one folder of it, below the root; also of classes without any file.
    """

    placed: tuple[Placed, ...]
    set_aside: tuple[SetAside, ...]
    class_folders: dict[str, str]


def is_litter(name: str) -> bool:
    """Return whether a file or folder was left behind by a system or a program, and is not worth a word."""
    return name.startswith(".") or name.lower() in _LITTER


def natural_order(name: str) -> tuple[list[str | int], str]:
    """Return a key that sorts names as people do: 2 before 10, small and capital letters together."""
    chunks = re.split(r"([0-9]+)", name)
    return [int(chunk) if chunk.isdigit() and chunk.isascii() else chunk.casefold() for chunk in chunks], name


def find(root: Path, within: tuple[Path, ...] = ()) -> Layout:
    """Find out the class and the part of each file below a folder.

    Args:
        root: The folder.
        within: If given, links that lead outside of these (resolved) folders are not followed.

    Raises:
        DatasetError: The folder cannot be opened.
    """
    files, folders, set_aside = _walk(root, within)
    top = _unwrapped(files)
    has_parts = _has_parts(files, top)
    placed = []
    for parts in files:
        is_inside = len(parts) > len(top) + 1 + has_parts and parts[: len(top)] == top
        if is_inside and (not has_parts or _plain(parts[len(top)]) in PARTS):
            placed.append(_placed(parts, len(top), has_parts))
        else:
            set_aside.append(SetAside("/".join(parts), _OUTSIDE, "misplaced"))
    known: dict[str, str] = {}
    for parts in folders:
        is_class = len(parts) == len(top) + 1 + has_parts and parts[: len(top)] == top
        if is_class and (not has_parts or _plain(parts[len(top)]) in PARTS):
            known.setdefault(_class_name(parts[-1]), "/".join(parts))
    return Layout(tuple(sorted(placed, key=lambda entry: entry.file)), tuple(set_aside), known)


def _plain(name: str) -> str:
    """Return a folder's name without the differences in which people write the same: ``Test-Set`` is ``test_set``."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _placed(parts: Parts, depth: int, has_parts: bool) -> Placed:
    """Return the place of a file that lies inside a class folder ``depth`` (+ 1) folders below the root."""
    part: Part = PARTS.get(_plain(parts[depth]), "") if has_parts else ""
    return Placed("/".join(parts), _class_name(parts[depth + has_parts]), part)


def _class_name(folder: str) -> str:
    """Return the class of a folder. Composed, because macOS stores é as two characters and others as one."""
    return unicodedata.normalize("NFC", folder)


def _unwrapped(files: list[Parts]) -> Parts:
    """Return the folders that merely wrap the class (or part) folders."""
    top: Parts = ()
    while True:
        inside = _children(files, top)
        if len(inside) != 1:
            return top
        ((name, has_folders),) = inside.items()
        if not has_folders or _plain(name) in PARTS:
            return top
        top = (*top, name)


def _children(files: list[Parts], top: Parts) -> dict[str, bool]:
    """Return the folders with files in ``top``, and whether these have folders with files themselves."""
    found: dict[str, bool] = {}
    for parts in files:
        if len(parts) > len(top) + 1 and parts[: len(top)] == top:
            name = parts[len(top)]
            found[name] = found.get(name, False) or len(parts) > len(top) + 2
    return found


def _has_parts(files: list[Parts], top: Parts) -> bool:
    """Return whether the folders in ``top`` are parts. A class may be called “train”, but holds no folders then."""
    inside = _children(files, top)
    names = {_plain(name): has_folders for name, has_folders in inside.items()}
    parts = {PARTS[name] for name, has_folders in names.items() if name in PARTS and has_folders}
    others = [name for name in names if name not in PARTS]
    return bool(parts) and (not others or ("train" in parts and len(parts) > 1))


def _walk(root: Path, within: tuple[Path, ...]) -> tuple[list[Parts], list[Parts], list[SetAside]]:
    """Return files, folders (each as the names below the root) and what is not an ordinary file, without litter."""
    files: list[Parts] = []
    folders: list[Parts] = []
    set_aside: list[SetAside] = []
    seen = {os.path.realpath(root)}
    waiting: list[Parts] = [()]
    while waiting:
        above = waiting.pop()
        for entry in _entries(root, above, set_aside):
            parts = (*above, entry.name)
            problem = _problem(entry, within)
            if problem:
                set_aside.append(SetAside("/".join(parts).encode("utf-8", "replace").decode(), problem, "misplaced"))
            elif entry.is_file():
                files.append(parts)
            elif (real := os.path.realpath(entry.path)) not in seen:  # a link may lead back to a folder above it
                seen.add(real)
                folders.append(parts)
                waiting.append(parts)
    return sorted(files), sorted(folders), set_aside


def _entries(root: Path, above: Parts, set_aside: list[SetAside]) -> Iterator["os.DirEntry[str]"]:
    """Yield what lies in a folder, without litter."""
    try:
        with os.scandir(root.joinpath(*above)) as entries:
            found = [entry for entry in entries if not is_litter(entry.name)]
    except OSError as error:
        if not above:
            raise DatasetError(
                f"The folder {root} cannot be opened ({error.strerror}).",
                "Check that it is there and that you may read it.",
            ) from error
        set_aside.append(SetAside("/".join(above), f"cannot be opened ({error.strerror})"))
        return
    yield from found


def _problem(entry: "os.DirEntry[str]", within: tuple[Path, ...]) -> str:
    """Return why a file or folder is not even opened, or "" if nothing speaks against it."""
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        return "has a name that is not readable text: rename it"
    if entry.is_symlink():
        target = Path(os.path.realpath(entry.path))
        if not target.exists():
            return "is a link that leads nowhere"
        if within and not any(target.is_relative_to(folder) for folder in within):
            return "is a link to a place outside of the allowed folders"
    return "" if entry.is_file() or entry.is_dir() else "is not an ordinary file"
