"""From what was brought in to a looked-over dataset. No TensorFlow here.

In the app this is the work of a process of its own (``python -m tlcore.images.intake PROJECT_FOLDER``), because the web
process never decodes a stranger's picture: a picture that brings its decoder down brings down that process only.
What passes between the two are files in the project's folder: ``incoming/`` (one zip, or ``folder.json`` with the
path of a folder of this computer, or ``sample.json`` with the name of a sample set), ``intake.json`` (how far it has
come, or how it ended), ``intake.lock`` (held while the worker lives) and ``intake.log``.
"""

import contextlib
import errno
import hashlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

import filelock

from tlcore import atomic, detached, workspace
from tlcore.errors import UploadError, UserError
from tlcore.images import archive, finding, flattery, health, inspection, intake_record, thumbnails
from tlcore.images import dataset as datasets
from tlcore.images.dataset import Dataset, SetAside
from tlcore.images.folder import Progress
from tlcore.images.inspection import Inspection
from tlcore.images.intake_record import Report
from tlcore.project import Project
from tlcore.samples import sample

_CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class IntakeStatus:
    """How far a project's pictures have come.

    Args:
        state: "empty" nothing was looked over yet, "working", "ready" the dataset is there, "failed".
        task: What the worker does, a short phrase; only when working.
        done: How much of the task is done.
        total: Of how much; 0 while that is not known.
        problem: What went wrong; only when failed.
        advice: What to do about it.
    """

    state: Literal["empty", "working", "ready", "failed"]
    task: str = ""
    done: int = 0
    total: int = 0
    problem: str = ""
    advice: str = ""


def receive_zip(project: Project, stream: BinaryIO, name: str) -> Path:
    """Write a zip that is being sent to disk, piece by piece; ``start`` looks it over.

    Args:
        project: Where it goes; whatever was brought in before and not looked over yet is dropped.
        stream: The zip's bytes, read to their end.
        name: What the sender calls it. Distrusted: only its last part is used, and only for messages.

    Raises:
        UploadError: The pictures of this project are being looked over, or the disk is full.
    """
    incoming = _empty_incoming(project)
    letters = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable())
    file = incoming / f"{Path(letters.lstrip('.')).stem[:60] or 'pictures'}.zip"
    with _disk_explained(), atomic.replacing(file) as beside, beside.open("wb") as target:
        shutil.copyfileobj(stream, target, _CHUNK_BYTES)
    return file


def receive_folder(project: Project, path: Path) -> Path:
    """Note a folder of this computer that is to be looked over where it lies; return it with links resolved.

    Raises:
        UploadError: It is not below one of ``workspace.picture_folders()``, or is no folder.
    """
    allowed = _allowed(path)
    atomic.write_json(_empty_incoming(project) / "folder.json", {"folder": str(allowed)})
    return allowed


def receive_sample(project: Project, name: str) -> None:
    """Note a sample set that is to be drawn.

    Raises:
        UserError: There is none of this name.
    """
    atomic.write_json(_empty_incoming(project) / "sample.json", {"name": sample.get(name).name})


def start(project: Project) -> None:
    """Look over what was brought in, in a process of its own, and return at once; ``status`` tells how it goes.

    Raises:
        UploadError: The pictures of this project are being looked over already.
    """
    _refuse_while_working(project)
    intake_record.begin(project)
    detached.start("tlcore.images.intake", project.folder, project.folder / "intake.log")


def status(project: Project) -> IntakeStatus:
    """Tell how far the pictures of a project have come. A worker that was killed reads as failed."""
    record = intake_record.read(project)
    # Looked at once: a worker that ends well between two looks must not read as one that was killed.
    is_at_work = record is not None and not record.has_ended and intake_record.is_worked_on(project, record)
    if record and not record.has_ended and not is_at_work:
        again = intake_record.read(project)  # it may have ended well between the record and the lock
        if again and again.started != record.started:
            return status(project)  # and another one may have begun
        record = again
    if record is None or (record.has_ended and not record.problem):
        return IntakeStatus("ready" if project.dataset_file.is_file() else "empty")
    if record.has_ended:
        return IntakeStatus("failed", problem=record.problem, advice=record.advice)
    if is_at_work:
        return IntakeStatus("working", record.task or "Starting", record.done, record.total)
    return IntakeStatus(
        "failed",
        problem="Looking over the pictures ended unexpectedly. Nothing of this computer's other work is affected.",
        advice="Bring the pictures in again. If it happens again, one of the pictures may be to blame: try with fewer.",
    )


def open_pictures(path: Path, progress: Progress | None = None, *, at_least: int = 2) -> Dataset:
    """Look over a folder of pictures, or a zip of one, for the command line; see ``inspect``."""
    return inspect(path, progress, at_least=at_least).dataset


def inspect(path: Path, progress: Progress | None = None, *, at_least: int = 2) -> Inspection:
    """Look over a folder of pictures, or a zip of one, and keep what further questions need.

    A zip is unpacked once into ``cache/archives``, under the hash of its bytes.

    Args:
        path: Folder or zip.
        progress: Told (files done, all files); for a zip first about unpacking, then about looking over.
        at_least: Number of classes without which nothing can be done, as in ``folder.scan``.

    Raises:
        UploadError: There is nothing at this path, or the zip is refused.
        DatasetError: The pictures cannot be trained on as they are.
    """
    if path.is_dir():
        return inspection.inspect(path.resolve(), progress, at_least=at_least)
    if not path.is_file():
        raise UploadError(f"There is no folder and no zip at {path}.", "Check the path for a slip of the pen.")
    place = workspace.cache_folder() / "archives" / _hash(path)[:32]
    pictures, notes = place / "pictures", place / "set_aside.json"
    place.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(place.with_suffix(".lock")):
        if not (pictures.is_dir() and notes.is_file()):
            shutil.rmtree(pictures, ignore_errors=True)
            aside = archive.unpack(path, pictures, progress)
            atomic.write_json(notes, [asdict(entry) for entry in aside])
    found = inspection.inspect(pictures, progress, at_least=at_least)
    more = tuple(SetAside(**entry) for entry in atomic.read_json(notes))
    return replace(found, dataset=_with_set_aside(found.dataset, more))


def findings_file(project: Project) -> Path:
    """Return the file of what was found, read by ``finding.load``; it exists when the status is "ready"."""
    return project.folder / "findings.json"


def flattery_file(project: Project) -> Path:
    """Return the file of what near-copies would have done to the score, read by ``flattery.load``."""
    return project.folder / "flattery.json"


def main(arguments: list[str] | None = None) -> int:
    """Look over what was brought into a project; the worker's whole life. Return the exit code."""
    project = Project(**atomic.read_json(Path((arguments or sys.argv[1:])[0]) / "project.json"))
    with filelock.FileLock(intake_record.lock_file(project), timeout=intake_record.HANDOVER_S):
        report = Report(project)
        try:
            _look_over(project, report)
        except UserError as error:
            report.write(has_ended=True, problem=error.problem, advice=error.advice)
            return 1
        report.write(has_ended=True)
    return 0


def _look_over(project: Project, report: Report) -> None:
    """Turn ``incoming`` into pictures, thumbnails, findings and a dataset. The old ones stay until the new ones are."""
    keep = thumbnails.writer(project.thumbnails)
    request = project.incoming / "folder.json"
    looking = "Looking at the pictures"
    unpacked = project.folder / "unpacked"
    try:
        with _disk_explained():
            if request.is_file():
                allowed = _allowed(Path(atomic.read_json(request)["folder"]))
                seen = inspection.inspect(allowed, report.about(looking), keep, within=workspace.picture_folders())
                found = seen.dataset
            else:
                shutil.rmtree(unpacked, ignore_errors=True)
                aside = _fill(unpacked, project.incoming, report)
                seen = inspection.inspect(unpacked, report.about(looking), keep)
                found = replace(_with_set_aside(seen.dataset, aside), root=project.pictures)
            report.about("Thinking about what was seen")
            noticed = health.findings(found, seen.tiles)
            twice = flattery.measure(found, seen.tiles)
            project.dataset_file.unlink(missing_ok=True)
            if found.root == project.pictures:
                shutil.rmtree(project.pictures, ignore_errors=True)
                unpacked.rename(project.pictures)
            finding.save(noticed, findings_file(project))
            flattery.save(twice, flattery_file(project))
            datasets.save(found, project.dataset_file)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
        shutil.rmtree(project.incoming, ignore_errors=True)


def _fill(folder: Path, incoming: Path, report: Report) -> tuple[SetAside, ...]:
    """Put the pictures of a zip or a sample set into a folder; return what of the zip was set aside."""
    request = incoming / "sample.json"
    if not request.is_file():
        return archive.unpack(_zip_in(incoming), folder, report.about("Unpacking"))
    sample.write(sample.get(atomic.read_json(request)["name"]), folder, report.about("Drawing the pictures"))
    return ()


def _zip_in(incoming: Path) -> Path:
    """Return the zip that was brought in."""
    found = sorted(incoming.glob("[!.]*.zip"))
    if not found:
        raise UploadError("Nothing was brought in.", "Choose a zip or a folder with your pictures.")
    return found[-1]


def _with_set_aside(dataset: Dataset, more: tuple[SetAside, ...]) -> Dataset:
    """Return a dataset with further files that were set aside before it was scanned."""
    return replace(dataset, set_aside=tuple(sorted(dataset.set_aside + more, key=lambda entry: entry.file)))


def _allowed(path: Path) -> Path:
    """Return a folder with links resolved, if pictures may be taken from it."""
    resolved = path.expanduser().resolve()
    allowed = workspace.picture_folders()
    # Whether a folder elsewhere exists is nobody's business, so both read the same.
    if not any(resolved.is_relative_to(each) for each in allowed) or not resolved.is_dir():
        raise UploadError(
            f"There is no folder {path} from which pictures may be taken.",
            f"Name a folder below {' or '.join(map(str, allowed)) or '… (none is allowed on this server)'}.",
        )
    return resolved


def _empty_incoming(project: Project) -> Path:
    """Return the folder for what is brought in, emptied."""
    _refuse_while_working(project)
    shutil.rmtree(project.incoming, ignore_errors=True)
    project.incoming.mkdir(parents=True)
    return project.incoming


def _refuse_while_working(project: Project) -> None:
    if status(project).state == "working":
        raise UploadError("The pictures brought in before are still being looked over.", "Wait until that is done.")


def _hash(file: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def _disk_explained() -> Iterator[None]:
    """Say in plain words that the disk does not take what was brought in."""
    try:
        yield
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
        raise UploadError(
            "The disk of the server is full." if is_full else f"The disk refused: {error.strerror or error}.",
            "Free some space and bring the pictures in again." if is_full else "Bring the pictures in again.",
            repr(error),
        ) from error


if __name__ == "__main__":
    raise SystemExit(main())
