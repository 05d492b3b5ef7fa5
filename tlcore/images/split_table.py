"""A split as a table for spreadsheets: one line per picture, both ends. No TensorFlow here."""

import csv
import io
from pathlib import Path

from tlcore.errors import UploadError
from tlcore.images.dataset import Dataset
from tlcore.images.split import Split

HEAD = ("file", "class", "part")
_PARTS = {"train": "training", "validation": "check", "test": "exam", "left_out": "left out"}


def table(dataset: Dataset, split: Split) -> str:
    """Return CSV with a head: file, class, part ("training", "check", "exam" or "left out")."""
    part_of = {row: word for name, word in _PARTS.items() for row in getattr(split, name)}
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(HEAD)
    for row, picture in enumerate(dataset.pictures):
        lines.writerow((picture.file, dataset.class_names[picture.label], part_of[row]))
    return text.getvalue()


def read(file: Path, dataset: Dataset) -> dict[str, str]:
    """Return the part of each content of a dataset whose file is in a table, for ``split.draw(before=...)``.

    Raises:
        UploadError: It is no such table.
    """
    names = {word: name for name, word in _PARTS.items()}
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            part_of = {line["file"]: names[line["part"]] for line in csv.DictReader(stream)}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise UploadError(f"{file} is no table of {', '.join(HEAD)}.", "Name one that this command wrote.") from error
    return {picture.content: part_of[picture.file] for picture in dataset.pictures if picture.file in part_of}
