"""Where the pictures of a project come from, and what their makers allow; writer and reader. No TensorFlow here."""

from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic
from tlcore.project import Project


@dataclass(frozen=True)
class Origin:
    """Whom pictures come from that somebody else has made.

    Args:
        title: What the set is called, for people.
        made_by: Who made the pictures, and who made a set of them; goes on after "by".
        licence: Name of the licence; empty where no licence is known.
        licence_url: Where it can be read; without a licence where the set is described.
        allows: What it allows and asks for, in one or two plain sentences.
    """

    title: str
    made_by: str
    licence: str
    licence_url: str
    allows: str


def file_of(project: Project) -> Path:
    """Return the file of the origin; it exists only where the pictures are a public set."""
    return project.folder / "origin.json"


def save(origin: Origin | None, file: Path) -> None:
    """Write where pictures come from; for None, that nothing is known of it."""
    if origin is None:
        file.unlink(missing_ok=True)
    else:
        atomic.write_json(file, asdict(origin))


def load(file: Path) -> Origin | None:
    """Return what ``save`` wrote."""
    return Origin(**atomic.read_json(file)) if file.is_file() else None
