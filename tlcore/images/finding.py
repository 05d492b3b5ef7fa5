"""One thing that was found in a dataset, and the words that findings have in common. No TensorFlow here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic
from tlcore.images.dataset import Picture

NAMED = 5
"""Classes or files named in a message; all files are in ``Finding.files``."""


@dataclass(frozen=True)
class Finding:
    """One thing found in the whole dataset.

    Args:
        kind: One word, see the head of ``health.py``.
        message: What we found, what it means, what to do.
        files: The files concerned, below the dataset's root; pictures that look the same stand next to each other.
        spare: Those of the files that can be left out without losing anything, because another one stays.
    """

    kind: str
    message: str
    files: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()


def save(found: Sequence[Finding], file: Path) -> None:
    """Write findings as JSON."""
    atomic.write_json(file, [asdict(finding) for finding in found])


def load(file: Path) -> tuple[Finding, ...]:
    """Read findings that ``save`` wrote."""
    return tuple(
        Finding(entry["kind"], entry["message"], tuple(entry["files"]), tuple(entry.get("spare", ())))
        for entry in atomic.read_json(file)
    )


def files(groups: Sequence[Sequence[Picture]]) -> tuple[str, ...]:
    """Return the files of groups of pictures, one group after the other."""
    return tuple(picture.file for group in groups for picture in group)


def counted(count: int) -> str:
    """Return 1 picture, 2 pictures."""
    return "1 picture" if count == 1 else f"{count} pictures"


def listed(names: Sequence[str], last: str = ", ") -> str:
    """Return names for a sentence, the first few of many."""
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return last.join(names)
