"""A project: a set of pictures and the runs on it, and the person whose it is. No TensorFlow here."""

import re
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic, workspace
from tlcore.errors import UserError

_GONE = "deleted-"  # no project's id begins so


@dataclass(frozen=True)
class Project:
    """What is written in ``project.json``.

    Args:
        id: Unguessable; also the folder's name and what the address of a page carries.
        name: What the owner calls it.
        owner: Identity of the browser that made it (see ``tlcore.http``).
        created: Seconds since 1970.
    """

    id: str
    name: str
    owner: str
    created: float

    @property
    def folder(self) -> Path:
        """Return the folder of everything in this project."""
        return workspace.projects_folder() / self.id

    @property
    def pictures(self) -> Path:
        """Return the folder of the pictures, one sub-folder per class."""
        return self.folder / "pictures"

    @property
    def incoming(self) -> Path:
        """Return the folder in which an upload lies until it has been looked over."""
        return self.folder / "incoming"

    @property
    def dataset_file(self) -> Path:
        """Return the file of the dataset; it exists once the pictures have been looked over."""
        return self.folder / "dataset.json"

    @property
    def thumbnails(self) -> Path:
        """Return the folder of small JPEG copies, named by the content of the picture."""
        return self.folder / "thumbnails"

    @property
    def runs(self) -> Path:
        """Return the folder that holds one folder per run."""
        return self.folder / "runs"


def create(owner: str, name: str) -> Project:
    """Make a new, empty project."""
    project = Project(id=secrets.token_hex(8), name=name.strip() or "Untitled", owner=owner, created=time.time())
    atomic.write_json(project.folder / "project.json", asdict(project))
    return project


def load(project_id: str, identity: str) -> Project:
    """Open a project for a browser identity.

    Raises:
        UserError: There is no such project, or it belongs to someone else. Both read the same, so that nobody learns
            from the answer whether a project exists.
    """
    file = workspace.projects_folder() / project_id / "project.json"
    if _is_id(project_id) and file.is_file():
        project = Project(**atomic.read_json(file))
        if secrets.compare_digest(project.owner, identity):
            return project
    raise UserError(
        "There is no such project for this browser.",
        "Check the address, or open it in the browser in which the project was made.",
    )


def owned_by(identity: str) -> tuple[Project, ...]:
    """Return the projects of a browser identity, newest first."""
    folder = workspace.projects_folder()
    files = folder.glob("*/project.json") if folder.is_dir() else ()
    projects = (Project(**atomic.read_json(file)) for file in files if _is_id(file.parent.name))
    return tuple(sorted((p for p in projects if p.owner == identity), key=lambda p: -p.created))


def delete(project: Project) -> None:
    """Remove a project with its pictures and runs.

    It is renamed first, so that half a project is never listed, and leftovers of an earlier removal go along.
    """
    gone = project.folder.with_name(f"{_GONE}{project.id}")
    project.folder.rename(gone)
    shutil.rmtree(gone)
    for left in gone.parent.glob(f"{_GONE}*"):
        shutil.rmtree(left, ignore_errors=True)


def _is_id(name: str) -> bool:
    """Return whether the name of a folder can be that of a project."""
    return re.fullmatch(r"[0-9a-f]{16}", name) is not None
