"""A table of labels beside the pictures: ``labels.csv`` with the columns filename and label. No TensorFlow here."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = "labels.csv"
MAX_BYTES = 200 * 10**6
_COLUMNS = ["filename", "label"]


@dataclass(frozen=True)
class Labels:
    """What a table says about the files beside it.

    Args:
        labelled: File, as it was given -> label.
        unusable: Why a file has no label, by file as it was given; also rows of the table for which there is no file.
        problem: Why the table cannot be used at all; goes on after its name. Empty if it can.
    """

    labelled: dict[str, str]
    unusable: dict[str, str]
    problem: str = ""


def read(table: Path, files: Iterable[str]) -> Labels:
    """Read a table and find the files that it names.

    Args:
        table: The CSV file: UTF-8, separated by commas, semicolons or tabs, the header in small or capital letters.
        files: Files below the table's folder, with forward slashes. A row may give such a path, or the file's name
            alone where only one file has it.
    """
    rows, problem = _rows(table)
    if problem:
        return Labels({}, {}, problem)
    found, several = _by_name(files)
    labelled: dict[str, str] = {}
    unusable: dict[str, str] = {}
    for name, label in rows:
        file = found.get(_plain(name))
        if _plain(name) in several:
            unusable[name] = f"is named in {NAME}, but several files have this name: give its folder too"
        elif file is None:
            unusable[name] = f"is named in {NAME}, but there is no such file"
        elif not label:
            unusable[file] = f"has no label in {NAME}"
        elif labelled.get(file, label) != label or "two labels" in unusable.get(file, ""):
            labelled.pop(file, None)
            unusable[file] = f"has two labels in {NAME}"
        else:
            labelled[file] = label
    if not labelled:
        return Labels({}, {}, "names none of the files beside it")
    return Labels(labelled, unusable)


def _rows(table: Path) -> tuple[list[tuple[str, str]], str]:
    """Return filename and label of each row, or why there are none."""
    if table.stat().st_size > MAX_BYTES:
        return [], f"is larger than {MAX_BYTES // 10**6} MB"
    import pandas as pd  # only here: most pictures come without a table, and importing it takes a quarter of a second

    try:
        # Everything as text: a class may be called 007, NA or None.
        read = pd.read_csv(table, sep=_separator(table), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:  # pandas' own errors are ValueErrors, as those of decoding are
        return [], f"cannot be read as a table ({str(error)[:100]})"
    read.columns = [str(name).strip().lower() for name in read.columns]
    if not set(_COLUMNS) <= set(read.columns):
        return [], "has no columns “filename” and “label”"
    columns = (read[name].fillna("").map(str.strip) for name in _COLUMNS)
    return [(name, _label(label)) for name, label in zip(*columns, strict=True) if name], ""


def _separator(table: Path) -> str:
    """Return what separates the columns, told from the header: spreadsheets write what their language is used to."""
    with table.open("rb") as stream:
        header = stream.read(4096).decode("utf-8-sig", "replace").partition("\n")[0]
    return max(",;\t", key=header.count)


def _label(text: str) -> str:
    """Return a label that can be shown in one line."""
    return unicodedata.normalize("NFC", "".join(" " if ord(letter) < 32 else letter for letter in text))


def _by_name(files: Iterable[str]) -> tuple[dict[str, str], set[str]]:
    """Return how rows may name files, and the names that several files share."""
    found: dict[str, str] = {}
    several: set[str] = set()
    listed = sorted(files)
    for file in listed:
        short = _plain(file.rpartition("/")[2])
        if found.setdefault(short, file) != file:
            several.add(short)
    for file in listed:  # a whole path counts more than a name alone
        found[_plain(file)] = file
        several.discard(_plain(file))
    return found, several


def _plain(name: str) -> str:
    """Return a name without the differences in which programs write the same."""
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./")).casefold()
