"""From what was brought in to a looked-over dataset. No TensorFlow here.

In the app this is the work of a process of its own (``python -m tlcore.images.intake PROJECT_FOLDER``), because the web
process never decodes a stranger's picture. Nor does this one: it has decoders for that, with limits of time and memory,
so that a picture that brings its decoder down is set aside and all others go on.
What passes between the two are files in the project's folder: ``incoming/`` (what was brought in), ``intake.json`` (how
far it has come, or how it ended), ``mapping.json`` (what was understood from the folders), ``intake.stop`` (the wish
that it end), ``intake.lock`` (held while the worker lives) and ``intake.log``.
"""

import hashlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import filelock

from tlcore import atomic, cores, detached, workspace
from tlcore.errors import DiskFull, FetchError, UploadError, UserError
from tlcore.images import (
    archive,
    disk,
    finding,
    flattery,
    health,
    incoming,
    inspection,
    intake_place,
    intake_record,
    layout,
    mapping,
    origin,
    upload,
)
from tlcore.images import dataset as datasets
from tlcore.images.dataset import Dataset, SetAside
from tlcore.images.finding import Finding
from tlcore.images.flattery import Flattery
from tlcore.images.folder import Progress
from tlcore.images.incoming import Answer, Source
from tlcore.images.inspection import Inspection
from tlcore.images.intake_record import Report, Stopped
from tlcore.images.intake_status import status
from tlcore.images.layout import Reading
from tlcore.images.mapping import Mapping
from tlcore.project import Project


def receive_upload(project: Project, without_missing: bool = False) -> list[str]:
    """Take what a browser has sent; ``start`` looks it over. While the owner is asked something, it is added.

    Args:
        project: Where it goes.
        without_missing: Set files aside of which something is missing.

    Returns:
        Files of which something is missing. If there are any, nothing is taken.

    Raises:
        UploadError: The pictures of this project are being looked over, or the disk is full.
    """
    refuse_while_working(project)
    with disk.explained():
        missing = upload.close(project, without_missing)
        if not missing:
            incoming.note_upload(project, adds=status(project).state == "asking")
    return missing


def receive_folder(project: Project, path: Path) -> Path:
    """Note a folder of this computer that is to be looked over where it lies; return it with links resolved.

    Raises:
        UploadError: It is not below one of ``workspace.picture_folders()``, or is no folder.
    """
    refuse_while_working(project)
    return incoming.note_folder(project, path)


def receive_sample(project: Project, name: str) -> None:
    """Note a sample set that is to be drawn.

    Raises:
        UserError: There is none of this name.
    """
    refuse_while_working(project)
    incoming.note_sample(project, name)


def receive_link(project: Project, name: str) -> None:
    """Note a public set that is to be fetched.

    Raises:
        UserError: There is none of this name.
    """
    refuse_while_working(project)
    incoming.note_link(project, name)


def answer(project: Project, given: Answer) -> None:
    """Say what the owner was asked, and go on.

    Raises:
        UploadError: Nothing is asked, or not any more.
    """
    if status(project).state != "asking":
        raise UploadError("Nothing is asked about these pictures any more.", "Load the page again.")
    incoming.note_answer(project, given)
    start(project)


def discard(project: Project) -> None:
    """Drop what was brought in and is not a dataset yet, as if it had never come."""
    refuse_while_working(project)
    incoming.clear(project)
    intake_record.file_of(project).unlink(missing_ok=True)


def start(project: Project) -> None:
    """Look over what was brought in, in a process of its own, and return at once; ``status`` tells how it goes.

    Raises:
        UploadError: The pictures of this project are being looked over already.
    """
    refuse_while_working(project)
    _mapping_file(project).unlink(missing_ok=True)
    intake_record.begin(project)
    detached.start("tlcore.images.intake", project.folder, project.folder / "intake.log")


def open_pictures(path: Path, progress: Progress | None = None, *, at_least: int = 2) -> Dataset:
    """Look over a folder of pictures, or an archive of one, for the command line; see ``inspect``."""
    return inspect(path, progress, at_least=at_least).dataset


def inspect(path: Path, progress: Progress | None = None, *, at_least: int = 2) -> Inspection:
    """Look over a folder of pictures, or an archive of one, and keep what further questions need.

    An archive (zip, tar, tgz) is unpacked once into ``cache/archives``, under the hash of its bytes.

    Args:
        path: Folder or archive.
        progress: Told (files done, all files); for an archive first about unpacking, then about looking over.
        at_least: Number of classes without which nothing can be done, as in ``folder.scan``.

    Raises:
        UploadError: There is nothing at this path, or the archive is refused.
        DatasetError: The pictures cannot be trained on as they are.
    """
    if path.is_dir():
        return inspection.inspect(path.resolve(), progress, at_least=at_least)
    if not path.is_file():
        raise UploadError(f"There is no folder, zip or tar archive at {path}.", "Check the path for a slip of the pen.")
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


def stop(project: Project) -> None:
    """Ask the worker to end where it is. What was brought in stays, so that ``start`` can go on."""
    if status(project).state == "working":
        intake_record.wish_file(project).touch()


def mapping_of(project: Project) -> Mapping | None:
    """Return what was understood from the folders that were brought in last, or None as long as nothing was."""
    return mapping.load(_mapping_file(project))


def refuse_while_working(project: Project) -> None:
    """Raise while pictures of this project are being looked over.

    Raises:
        UploadError: They are.
    """
    if status(project).state == "working":
        raise UploadError("The pictures brought in before are still being looked over.", "Wait until that is done.")


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
            is_asking = not _look_over(project, report)
        except UserError as error:
            report.write(has_ended=True, problem=error.problem, advice=error.advice)
            return 1
        report.write(has_ended=True, is_asking=is_asking)
    return 0


def _look_over(project: Project, report: Report) -> bool:
    """Turn ``incoming`` into pictures, thumbnails, findings and a dataset. The old ones stay until the new ones are.

    Returns:
        Whether it is done; if not, the owner has to say something first.
    """
    try:
        with disk.explained():
            source = incoming.unpack(project, report.about)
            given = incoming.answer_of(project)
            reading = given.reading if given else None
            understood = mapping.of(layout.find(source.root, source.within, reading))
            mapping.save(understood, _mapping_file(project))
            if understood.questions and not (given and understood.can_go_on):
                return False
            with intake_place.taken(_waiting(report)):
                found, noticed, twice = _look_at(project, report, source, reading)
            project.dataset_file.unlink(missing_ok=True)
            if source.root.is_relative_to(project.incoming):
                shutil.rmtree(project.pictures, ignore_errors=True)
                source.root.rename(project.pictures)
                found = replace(found, root=project.pictures)
            finding.save(noticed, findings_file(project))
            flattery.save(twice, flattery_file(project))
            origin.save(source.origin, origin.file_of(project))
            datasets.save(found, project.dataset_file)
    except (DiskFull, FetchError, Stopped):  # it stays, so that it can go on: with room, a connection, another wish
        raise
    except BaseException:
        incoming.clear(project)
        raise
    incoming.clear(project)
    return True


def _waiting(report: Report) -> Callable[[], None]:
    """Return what to do while others' pictures are being looked over: say so, and obey a wish to stop."""
    said: list[Progress] = []

    def wait() -> None:
        if not said:
            said.append(report.about("Waiting: other pictures are being looked over"))
        said[0](0, 0)

    return wait


def _look_at(
    project: Project, report: Report, source: Source, reading: Reading | None
) -> tuple[Dataset, tuple[Finding, ...], Flattery]:
    """Look at every picture; return the dataset, what was found in it, and what near-copies would do to the score."""
    looking, within = report.about("Looking at the pictures"), source.within
    seen = inspection.inspect(
        source.root, looking, project.thumbnails, within=within, reading=reading, about=report.about
    )
    found = _with_set_aside(seen.dataset, source.set_aside)
    report.about("Thinking about what was seen")
    return found, health.findings(found, seen.tiles, seen.hash_only), flattery.measure(found, seen.tiles)


def _mapping_file(project: Project) -> Path:
    return project.folder / "mapping.json"


def _with_set_aside(dataset: Dataset, more: tuple[SetAside, ...]) -> Dataset:
    """Return a dataset with further files that were set aside before it was scanned."""
    return replace(dataset, set_aside=tuple(sorted(dataset.set_aside + more, key=lambda entry: entry.file)))


def _hash(file: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    cores.let_others_first()
    raise SystemExit(main())
