"""A project: a set of pictures and the runs on it, and the person whose it is. No TensorFlow here."""

import contextlib
import re
import secrets
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import filelock

from tlcore import atomic, impatience, sharing, workspace
from tlcore.errors import UserError

Access = Literal["owner", "full", "read"]


@dataclass(frozen=True)
class Project:
    """What is written in ``project.json``, and what whoever opened it may do.

    Args:
        id: Unguessable; also the folder's name and what the address of a page carries.
        name: What the owner calls it.
        owner: Identity of the browser that made it (see ``tlcore.http``).
        created: Seconds since 1970.
        access: Of whoever opened it; see ``sharing.Link``. Not written down.
    """

    id: str
    name: str
    owner: str
    created: float
    access: Access = "owner"

    @property
    def may_change(self) -> bool:
        """Return whether whoever opened it may do more than look."""
        return self.access != "read"

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
    """Make a new, empty project; a second press of the same button makes no second one."""
    name = name.strip() or "Untitled"
    workspace.home().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(workspace.home() / "new-project.lock"):
        newest = next(iter(owned_by(owner)), None)
        if newest and newest.name == name and _is_just_made(newest):
            return newest
        project = Project(id=secrets.token_hex(8), name=name, owner=owner, created=time.time())
        written = {name: value for name, value in asdict(project).items() if name != "access"}
        atomic.write_json(project.folder / "project.json", written, durable=True)
    return project


def _is_just_made(project: Project) -> bool:
    is_empty = not (project.dataset_file.exists() or project.incoming.exists() or project.runs.exists())
    return is_empty and impatience.is_second_press(project.created)


def load(project_id: str, identity: str) -> Project:
    """Open a project for a browser identity: its owner's, or that of a guest who came by a link.

    Raises:
        UserError: There is no such project, or this browser may not see it. Both read the same, so that nobody learns
            from the answer whether a project exists.
    """
    project = _read(project_id)
    if project is not None:
        if secrets.compare_digest(project.owner, identity):
            return project
        access = sharing.access_of(project.folder, identity)
        if access is not None:
            return replace(project, access=access)
    raise UserError(
        "There is no such project for this browser.",
        "Check the address, or open it in the browser in which the project was made. If it was shared with you, ask "
        "for a new link: the one that you came by may have been withdrawn.",
    )


def let_in(project_id: str, secret: str, identity: str) -> Project:
    """Open a project by the link to it, and let this browser in from now on.

    Raises:
        UserError: As in ``load``; also where the link has been withdrawn.
    """
    project = _read(project_id)
    if project is not None and not secrets.compare_digest(project.owner, identity):
        sharing.accept(project.folder, secret, identity)
    return load(project_id, identity)


def owned_by(identity: str) -> tuple[Project, ...]:
    """Return the projects of a browser identity, newest first."""
    return tuple(each for each in _all() if each.owner == identity)


def shared_with(identity: str) -> tuple[Project, ...]:
    """Return the projects of others that a browser may see, newest first."""
    others = [(each, sharing.access_of(each.folder, identity)) for each in _all() if each.owner != identity]
    return tuple(replace(each, access=access) for each, access in others if access)


def in_folder(folder: Path) -> Project:
    """Return the project whose ``project.json`` lies in a folder, wherever that is.

    Raises:
        OSError, ValueError, TypeError: There is none, or it is broken.
    """
    return Project(**atomic.read_json(folder / "project.json"))


def _all() -> list[Project]:
    folder = workspace.projects_folder()
    files = folder.glob("*/project.json") if folder.is_dir() else ()
    found = []
    for file in files:
        if _is_id(file.parent.name):
            with contextlib.suppress(OSError, ValueError, TypeError):  # deleted just now, or damaged
                found.append(in_folder(file.parent))
    return sorted(found, key=lambda project: -project.created)


def _read(project_id: str) -> Project | None:
    """Return the project of this id, or None; ids that no project can have are never looked for on disk."""
    with contextlib.suppress(OSError, ValueError, TypeError):  # there is none, or it is damaged
        return in_folder(workspace.projects_folder() / project_id) if _is_id(project_id) else None
    return None


def _is_id(name: str) -> bool:
    """Return whether the name of a folder can be that of a project."""
    return re.fullmatch(r"[0-9a-f]{16}", name) is not None
