"""Delete a run or a project, and take that back for ten minutes. No TensorFlow here."""

import contextlib
import functools
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import filelock

from tlcore import lock, notice, removal, workspace
from tlcore import project as projects
from tlcore.errors import UserError
from tlcore.images import dataset as datasets
from tlcore.images import intake, intake_record, pixels
from tlcore.overview import AT_WORK
from tlcore.project import Project
from tlcore.removal import Removed
from tlcore.runs import events, position, queue
from tlcore.runs import run as runs
from tlcore.runs.run import Run

SWEEP_EVERY_S = 30.0
LET_GO_S = 2.0


def delete_run(run: Run) -> None:
    """Take a run away; one that waits in line leaves it.

    Raises:
        UserError: It is still at work.
    """
    if not run.folder.is_dir():  # another window was quicker
        return
    was_waiting = queue.leave(run.folder)
    try:
        with filelock.FileLock(run.lock_file, timeout=LET_GO_S):  # whoever has just ended lets go in a moment
            if was_waiting:  # who takes it back finds it as one that can go on
                with contextlib.suppress(OSError):  # on a full disk as one that broke off, which can go on as well
                    run.events.write(events.Paused(position.last_epoch(run.checkpoints)))
    except filelock.Timeout:
        raise UserError("This run is still at work, so it cannot be deleted.", "Stop it first.") from None
    with contextlib.suppress(FileNotFoundError):  # another window was quicker
        removal.lay_aside(run.folder)


def deleted_runs(project: Project) -> tuple[Removed, ...]:
    """Return the runs that were deleted from a project and can be taken back, newest first."""
    return removal.laid_aside(project.runs)


def delete_project(project: Project) -> None:
    """Take a project away with everything in it.

    Raises:
        UserError: It belongs to somebody else, one of its runs is still at work, or its pictures are being looked over.
    """
    if project.access != "owner":
        raise UserError("This project belongs to somebody else.", "Only its owner can delete it.")
    if any(runs.state(run) in AT_WORK for run in runs.runs_in(project.runs)):
        raise UserError(
            f"A run of “{project.name}” waits or is still at work, so the project cannot be deleted.",
            "Stop the run first.",
        )
    if _is_looked_over(project):
        raise UserError(
            f"The pictures of “{project.name}” are still being looked over, so the project cannot be deleted.",
            "Wait until that is done.",
        )
    with contextlib.suppress(FileNotFoundError):  # another window was quicker
        removal.lay_aside(project.folder)


def _is_looked_over(project: Project) -> bool:
    """Return whether pictures are being looked over, also where the record of that is damaged."""
    try:
        return intake.status(project).state == "working"
    except (OSError, ValueError, TypeError):
        return lock.is_held(intake_record.lock_file(project))


def deleted_projects(identity: str) -> tuple[tuple[Removed, Project], ...]:
    """Return the projects that a browser deleted and can take back, newest first."""
    found = []
    for removed in removal.laid_aside(workspace.projects_folder()):
        with contextlib.suppress(OSError, ValueError, TypeError):  # taken back just now, or broken
            project = projects.in_folder(removed.folder)
            if project.owner == identity:
                found.append((removed, project))
    return tuple(found)


def remove_for_good(removed: Removed) -> None:
    """Remove what was deleted, and what is cached of its pictures if nobody else has the same."""
    mine = {fingerprint for fingerprint in _fingerprints([removed.folder]) if pixels.are_kept(fingerprint)}
    removal.remove(removed)
    # First those nearby: a run mostly has the pictures of its project, and then nobody else need be asked.
    for folders in ([removed.folder.parent.parent], workspace.projects_folder().iterdir()):
        if mine:
            mine -= _fingerprints(folders)
    for fingerprint in mine:
        pixels.forget(fingerprint)


def sweep() -> None:
    """Remove for good what was deleted more than ten minutes ago."""
    folder = workspace.projects_folder()
    for parent in (folder, *folder.glob("*/runs")):
        for removed in removal.overdue(parent):
            remove_for_good(removed)


@contextlib.contextmanager
def sweeping() -> Iterator[None]:
    """Sweep now and then, in a thread, as long as the block lasts."""
    ending = threading.Event()
    thread = threading.Thread(target=_sweep_until, args=(ending,), name="sweeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()  # who is removing a large project is not waited for: it is a daemon


def _sweep_until(ending: threading.Event) -> None:
    while not ending.wait(SWEEP_EVERY_S):
        try:
            sweep()
        except OSError as error:
            notice.say(f"What was deleted could not be removed yet: {error}")


def _fingerprints(folders: Iterable[Path]) -> set[str]:
    """Return the fingerprints of the pictures of projects and runs in these folders."""
    found = set()
    for folder in folders:
        for file in (folder / "dataset.json", *folder.glob("runs/*/dataset.json")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # gone or broken: it names no pictures
                found.add(_fingerprint(file, file.stat().st_mtime_ns))
    return found


@functools.lru_cache(maxsize=4096)
def _fingerprint(file: Path, changed: int) -> str:
    """Read a dataset once for every state of its file: a large one takes a second, and each removal asks for all."""
    return datasets.load(file).fingerprint
