"""Where the class and the part of a file come from: the folders it lies in, or a table. No TensorFlow here.

A folder comes in; for each file its class and part come out, before any file is opened. Understood are::

    cats/1.jpg  dogs/2.jpg                    a folder per class
    train/cats/1.jpg  test/cats/2.jpg         parts with class folders inside: train(ing), val(id, idation), test(ing)
    pets/cats/1.jpg  pets/dogs/2.jpg          either of them inside one wrapping folder, or several
    labels.csv  1.jpg  2.jpg                  a table with the columns filename and label, above all the files

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
from tlcore.images import labels
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
OUTSIDE = "lies outside of any class folder"

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """How folders are to be read where they can be read in more than one way.

    Args:
        inner: The folders inside the outer folders are the classes: ``north/cats`` and ``south/cats`` are cats.
        one_case: Class names that differ in nothing but capital letters are one class.
    """

    inner: bool = False
    one_case: bool = False


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
        class_folders: Class name -> one folder of it, below the root; also of classes without any file. With a table
            of labels the folder that holds it.
        table: The table of labels that gave the classes, below the root; empty if the folders did.
    """

    placed: tuple[Placed, ...]
    set_aside: tuple[SetAside, ...]
    class_folders: dict[str, str]
    table: str = ""


def is_litter(name: str) -> bool:
    """Return whether a file or folder was left behind by a system or a program, and is not worth a word."""
    return name.startswith(".") or name.lower() in _LITTER


def natural_order(name: str) -> tuple[list[str | int], str]:
    """Return a key that sorts names as people do: 2 before 10, small and capital letters together."""
    chunks = re.split(r"([0-9]+)", name)
    return [int(chunk) if chunk.isdigit() and chunk.isascii() else chunk.casefold() for chunk in chunks], name


def find(root: Path, within: tuple[Path, ...] = (), reading: Reading | None = None) -> Layout:
    """Find out the class and the part of each file below a folder.

    Args:
        root: The folder.
        within: If given, links that lead outside of these (resolved) folders are not followed.
        reading: How to read folders that can be read in more than one way.

    Raises:
        DatasetError: The folder cannot be opened, or holds a table of labels that cannot be used, and no class folders.
    """
    files, folders, set_aside = _walk(root, within)
    table = _table_above(files)
    if table is None:
        return _by_folders(files, folders, set_aside, reading or Reading())
    described = labels.read(
        root.joinpath(*table), ("/".join(file[len(table) - 1 :]) for file in files if file != table)
    )
    if not described.problem:
        return _by_table(files, table, described, set_aside)
    set_aside.append(SetAside("/".join(table), described.problem, "misplaced"))
    found = _by_folders([file for file in files if file != table], folders, set_aside, reading or Reading())
    if not found.placed:
        raise DatasetError(
            f"We found no class folders, and {'/'.join(table)} {described.problem}.",
            "Give it a header line “filename,label” and a line per picture, for example “1.jpg,daisy”; or make one "
            "folder per class.",
        )
    return found


def _by_folders(files: list[Parts], folders: list[Parts], set_aside: list[SetAside], reading: Reading) -> Layout:
    """Return what the folders say."""
    top = _unwrapped(files)
    has_parts = _has_parts(files, top)
    depth = len(top) + has_parts + reading.inner  # of class folders
    names = _spellings(folders, depth) if reading.one_case else {}

    def lies_in_class(parts: Parts) -> bool:
        return parts[: len(top)] == top and (not has_parts or _plain(parts[len(top)]) in PARTS)

    placed, known = [], {}
    for parts in files:
        if len(parts) > depth + 1 and lies_in_class(parts):
            part: Part = PARTS.get(_plain(parts[len(top)]), "") if has_parts else ""
            name = _class_name(parts[depth])
            placed.append(Placed("/".join(parts), names.get(name.casefold(), name), part))
        else:
            set_aside.append(SetAside("/".join(parts), OUTSIDE, "misplaced"))
    for parts in folders:
        if len(parts) == depth + 1 and lies_in_class(parts):
            name = _class_name(parts[-1])
            known.setdefault(names.get(name.casefold(), name), "/".join(parts))
    return Layout(tuple(sorted(placed, key=lambda entry: entry.file)), tuple(set_aside), known)


def _spellings(folders: list[Parts], depth: int) -> dict[str, str]:
    """Return the one spelling for class names that differ in nothing but capital letters."""
    found: dict[str, str] = {}
    for parts in folders:
        if len(parts) == depth + 1:
            found.setdefault(_class_name(parts[-1]).casefold(), _class_name(parts[-1]))
    return found


def _table_above(files: list[Parts]) -> Parts | None:
    """Return the table of labels that lies above all other files, or None."""
    tables = [parts for parts in files if parts[-1].lower() == labels.NAME]
    above = [table for table in tables if all(parts[: len(table) - 1] == table[:-1] for parts in files)]
    return above[0] if len(above) == 1 and len(tables) == 1 else None


def _by_table(files: list[Parts], table: Parts, described: labels.Labels, set_aside: list[SetAside]) -> Layout:
    """Return what a table of labels says; what it does not name is set aside."""
    above = table[:-1]
    placed = []
    for parts in files:
        below = "/".join(parts[len(above) :])
        if below in described.labelled:
            placed.append(Placed("/".join(parts), described.labelled[below], ""))
        elif parts != table and below not in described.unusable:
            set_aside.append(SetAside("/".join(parts), f"is not named in {labels.NAME}", "misplaced"))
    for name, reason in described.unusable.items():
        set_aside.append(SetAside("/".join((*above, name)), reason, "misplaced"))
    known = dict.fromkeys((entry.class_name for entry in placed), "/".join(above))
    return Layout(tuple(sorted(placed, key=lambda entry: entry.file)), tuple(set_aside), known, "/".join(table))


def _plain(name: str) -> str:
    """Return a folder's name without the differences in which people write the same: ``Test-Set`` is ``test_set``."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


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
