"""What was brought in and waits to be looked over. No TensorFlow here.

PROJECT/incoming/upload/          what a browser has sent, in pieces; moved here when it is complete
PROJECT/incoming/folder.json      or the path of a folder of this computer
PROJECT/incoming/sample.json      or the name of a sample set
PROJECT/incoming/link.json        or the name of a public set
PROJECT/incoming/pictures/        the files of the upload or of the set under their names
PROJECT/incoming/set_aside.json   what got no place among them
PROJECT/incoming/answer.json      what the owner said where it can be read in more than one way
"""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic, workspace
from tlcore.errors import UploadError
from tlcore.images import arrival, upload
from tlcore.images.dataset import SetAside
from tlcore.images.intake_record import About
from tlcore.images.layout import Reading
from tlcore.images.origin import Origin
from tlcore.project import Project
from tlcore.samples import public, sample


@dataclass(frozen=True)
class Answer:
    """What the owner said.

    Args:
        reading: How to read the folders.
        class_name: The class of pictures that came without any folder; empty if nothing was said about them.
    """

    reading: Reading
    class_name: str = ""


@dataclass(frozen=True)
class Source:
    """Files that can be looked over.

    Args:
        root: Their folder.
        within: Folders that links may not lead out of; empty where there are no links.
        set_aside: What has no place among them.
        origin: Where they come from, if somebody else made them and says what is allowed.
    """

    root: Path
    within: tuple[Path, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    origin: Origin | None = None


def is_there(project: Project) -> bool:
    """Return whether anything waits to be looked over."""
    return project.incoming.is_dir() and any(project.incoming.iterdir())


def can_be_added_to(project: Project) -> bool:
    """Return whether further files can come beside what is there; not so for a folder that is looked over in place."""
    return (project.incoming / "pictures").is_dir()


def clear(project: Project) -> None:
    """Drop what was brought in."""
    shutil.rmtree(project.incoming, ignore_errors=True)


def note_folder(project: Project, path: Path) -> Path:
    """Note a folder of this computer; return it with links resolved.

    Raises:
        UploadError: It is not below one of ``workspace.picture_folders()``, or is no folder.
    """
    found = allowed(path)
    _note(project, "folder.json", {"folder": str(found)})
    return found


def note_sample(project: Project, name: str) -> None:
    """Note a sample set that is to be drawn.

    Raises:
        UserError: There is none of this name.
    """
    _note(project, "sample.json", {"name": sample.get(name).name})


def note_link(project: Project, name: str) -> None:
    """Note a public set that is to be fetched.

    Raises:
        UserError: There is none of this name.
    """
    _note(project, "link.json", {"name": public.get(name).name})


def _note(project: Project, file: str, value: dict[str, str]) -> None:
    """Write down what waits, in the place of whatever waited before."""
    clear(project)
    atomic.write_json(project.incoming / file, value)


def note_upload(project: Project, adds: bool) -> None:
    """Take what a browser has sent, beside what is there (``adds``) or in its place."""
    if not (adds and can_be_added_to(project)):
        clear(project)
    project.incoming.mkdir(parents=True, exist_ok=True)
    (project.incoming / "answer.json").unlink(missing_ok=True)
    upload.folder_of(project).rename(project.incoming / "upload")


def note_answer(project: Project, answer: Answer) -> None:
    """Note what the owner said."""
    atomic.write_json(project.incoming / "answer.json", asdict(answer))


def answer_of(project: Project) -> Answer | None:
    """Return what the owner said, or None."""
    file = project.incoming / "answer.json"
    if not file.is_file():
        return None
    value = atomic.read_json(file)
    return Answer(Reading(**value["reading"]), value["class_name"])


def allowed(path: Path) -> Path:
    """Return a folder with links resolved, if pictures may be taken from it.

    Raises:
        UploadError: They may not, or there is no such folder.
    """
    resolved = path.expanduser().resolve()
    folders = workspace.picture_folders()
    # Whether a folder elsewhere exists is nobody's business, so both read the same.
    if not any(resolved.is_relative_to(each) for each in folders) or not resolved.is_dir():
        raise UploadError(
            f"There is no folder {path} from which pictures may be taken.",
            f"Name a folder below {' or '.join(map(str, folders)) or '… (none is allowed on this server)'}.",
        )
    return resolved


def unpack(project: Project, about: About) -> Source:
    """Make files of what was brought in; what was unpacked before stays, so that more can be added to it.

    Raises:
        UploadError: It is refused, or the disk is full.
        FetchError: A public set cannot be had now.
    """
    request, drawing = project.incoming / "folder.json", project.incoming / "sample.json"
    link = project.incoming / "link.json"
    pictures, sent = project.incoming / "pictures", project.incoming / "upload"
    notes = project.incoming / "set_aside.json"
    if request.is_file():
        return Source(allowed(Path(atomic.read_json(request)["folder"])), workspace.picture_folders())
    if drawing.is_file():
        shutil.rmtree(pictures, ignore_errors=True)
        sample.write(sample.get(atomic.read_json(drawing)["name"]), pictures, about("Drawing the pictures"))
    set_aside = [SetAside(**entry) for entry in atomic.read_json(notes)] if notes.is_file() else []
    linked = public.get(atomic.read_json(link)["name"]) if link.is_file() else None
    if linked:
        shutil.rmtree(pictures, ignore_errors=True)
        set_aside += public.write(linked, pictures, about)
    if sent.is_dir():
        set_aside += arrival.settle(sent, pictures, about)
        atomic.write_json(notes, [asdict(entry) for entry in set_aside])
        shutil.rmtree(sent)
    answer = answer_of(project)
    if answer and answer.class_name and pictures.is_dir():
        arrival.gather(pictures, answer.class_name)
    if not pictures.is_dir():
        raise UploadError("Nothing was brought in.", "Choose a folder, a zip or a tar archive with your pictures.")
    return Source(pictures, (), tuple(dict.fromkeys(set_aside)), linked.origin if linked else None)
