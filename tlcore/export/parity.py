"""Proof that a written file answers as the run's own model does: the file itself is opened again and asked."""

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tlcore.errors import ExportError
from tlcore.export.formats import Format
from tlcore.results.prediction import Answer

# On one machine the same graph gives the same numbers; this leaves room for another order of additions only.
TOLERANCE = 1e-5
_UNZIPPED = ".unzipped-"


@dataclass(frozen=True)
class Parity:
    """How closely the answers of a written file were checked.

    Args:
        n_pictures: Number of pictures that both were asked about.
        largest_difference: Largest absolute difference of any probability, 0 to 1.
        tolerance: What was allowed.
    """

    n_pictures: int
    largest_difference: float
    tolerance: float = TOLERANCE


def check(archive: Path, file_format: Format, resize: str, own: Sequence[Answer], scratch: Path) -> Parity:
    """Unzip a written package, ask its model about pictures and compare.

    Args:
        archive: The written zip.
        file_format: The format it was written in.
        resize: How a picture becomes square: crop, stretch or pad.
        own: What the run's own model says about at least one picture; all of them could be read.
        scratch: A folder in which to unzip; nothing stays there.

    Raises:
        ExportError: A probability differs by more than ``TOLERANCE``, or the file cannot be opened.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_UNZIPPED, dir=scratch) as folder:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)  # our own file of a moment ago
        found = file_format.answers(Path(folder), [answer.file for answer in own], resize)
    differences = np.abs(_table(found) - _table(own))
    largest = float(differences.max())
    if not largest <= TOLERANCE:  # "not <=" because a comparison with not-a-number is never true
        worst = own[int(differences.max(axis=1).argmax())].file
        raise ExportError(
            f"The written file answers differently from the model: probabilities differ by up to {largest:.2g}.",
            "Nothing was handed over. Please report this with the technical details.",
            detail=f"{file_format.title}, {len(own)} pictures, worst: {worst}",
        )
    return Parity(n_pictures=len(own), largest_difference=largest)


def sweep(scratch: Path) -> None:
    """Remove what killed checks have left unzipped in a folder; nobody must be checking there now."""
    for left in scratch.glob(f"{_UNZIPPED}*"):
        shutil.rmtree(left, ignore_errors=True)


def _table(answers: Sequence[Answer]) -> np.ndarray:
    """Return the probabilities of N answers as (N, C) float64."""
    return np.array([answer.probabilities for answer in answers], dtype=np.float64)
