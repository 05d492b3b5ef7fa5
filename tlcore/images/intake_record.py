"""How far the look over a project's pictures has come: both ends of ``intake.json``. No TensorFlow here."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from tlcore import atomic, lock
from tlcore.errors import UserError
from tlcore.images.folder import Progress
from tlcore.project import Project

HANDOVER_S = 20.0
"""How long a worker may take from its start until it holds the lock (a Python start, a busy disk)."""

_WRITE_EVERY_S = 0.2


@dataclass(frozen=True)
class Record:
    """What ``intake.json`` says.

    Args:
        started: When the worker was started, in seconds since 1970.
        has_worker: Whether the worker has come to hold the lock.
        has_ended: Whether it has ended by itself, well or with a problem.
        task: What it does, a short phrase.
        done: How much of the task is done.
        total: Of how much; 0 while that is not known.
        problem: What went wrong, as in ``UserError``.
        advice: What to do about it.
        is_asking: Whether it has ended because the owner has to say something first.
        unit: In what ``done`` and ``total`` are counted, for example "MB"; empty for files.
    """

    started: float
    has_worker: bool = False
    has_ended: bool = False
    task: str = ""
    done: int = 0
    total: int = 0
    problem: str = ""
    advice: str = ""
    is_asking: bool = False
    unit: str = ""


class Stopped(UserError):
    """The owner has asked for the end of the work; what was brought in stays."""

    def __init__(self) -> None:
        super().__init__("Looking over the pictures was stopped.", "Try again to go on, or bring in other pictures.")


class About(Protocol):
    """Gives a progress function for a task, a short phrase, and its unit as in ``Record``."""

    def __call__(self, task: str, unit: str = "") -> Progress:
        """Begin a task."""
        ...


def file_of(project: Project) -> Path:
    """Return the file of the record."""
    return project.folder / "intake.json"


def lock_file(project: Project) -> Path:
    """Return the lock that the worker holds as long as it lives."""
    return project.folder / "intake.lock"


def wish_file(project: Project) -> Path:
    """Return the wish "stop": a file that the worker looks for whenever it tells how far it has come."""
    return project.folder / "intake.stop"


def begin(project: Project) -> None:
    """Write that a worker is being started."""
    wish_file(project).unlink(missing_ok=True)
    atomic.write_json(file_of(project), asdict(Record(time.time())), durable=True)


def read(project: Project) -> Record | None:
    """Return what ``intake.json`` says, or None if nothing was ever started."""
    file = file_of(project)
    return Record(**atomic.read_json(file)) if file.is_file() else None


def is_worked_on(project: Project, record: Record | None) -> bool:
    """Return whether a worker lives (it holds the lock), or was started just now and has not come that far."""
    if record and not record.has_worker and time.time() - record.started < HANDOVER_S:
        return True
    return lock.is_held(lock_file(project))


class Report:
    """The worker's side: tells how far it has come. Only one process at a time, the one that holds the lock."""

    def __init__(self, project: Project) -> None:
        self.file, self.wish = file_of(project), wish_file(project)
        self.record = read(project) or Record(time.time())
        self.written = 0.0
        self.write(has_worker=True)

    def write(self, **changes: str | int | bool) -> None:
        """Write what has changed."""
        self.record = replace(self.record, **changes)
        self.written = time.monotonic()
        atomic.write_json(self.file, asdict(self.record), durable=self.record.has_ended)

    def about(self, task: str, unit: str = "") -> Progress:
        """Return a progress function for a task that writes at most five times a second; as ``About``.

        It raises ``Stopped`` where the owner has asked for that.
        """
        self.write(task=task, done=0, total=0, unit=unit)

        def progress(done: int, total: int) -> None:
            if time.monotonic() - self.written >= _WRITE_EVERY_S:
                self.write(done=done, total=total)
                if self.wish.exists():
                    raise Stopped

        return progress
