"""How far a project's pictures have come, for whoever looks from outside. No TensorFlow here."""

from dataclasses import dataclass
from typing import Literal

from tlcore.images import incoming, intake_record
from tlcore.project import Project


@dataclass(frozen=True)
class IntakeStatus:
    """How far a project's pictures have come.

    Args:
        state: "empty" nothing was looked over yet, "working", "asking" the owner has to say something first (see
            ``mapping_of``), "ready" the dataset is there, "failed".
        task: What the worker does, a short phrase; only when working.
        done: How much of the task is done.
        total: Of how much; 0 while that is not known.
        unit: In what both are counted, for example "MB"; empty for files.
        problem: What went wrong; only when failed.
        advice: What to do about it.
        can_try_again: Whether what was brought in is still here, so that ``start`` may be called once more.
        is_stopped: Whether the owner has asked for the end: when working not obeyed yet, when failed that is why.
    """

    state: Literal["empty", "working", "asking", "ready", "failed"]
    task: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    problem: str = ""
    advice: str = ""
    can_try_again: bool = False
    is_stopped: bool = False


def status(project: Project) -> IntakeStatus:
    """Tell how far the pictures of a project have come. A worker that was killed reads as failed."""
    record, is_stopped = intake_record.read(project), intake_record.wish_file(project).exists()
    # Looked at once: a worker that ends well between two looks must not read as one that was killed.
    is_at_work = record is not None and not record.has_ended and intake_record.is_worked_on(project, record)
    if record and not record.has_ended and not is_at_work:
        again = intake_record.read(project)  # it may have ended well between the record and the lock
        if again and again.started != record.started:
            return status(project)  # and another one may have begun
        record = again
    if record and record.has_ended and record.is_asking:
        return IntakeStatus("asking")
    if record is None or (record.has_ended and not record.problem):
        return IntakeStatus("ready" if project.dataset_file.is_file() else "empty")
    if record.has_ended:
        return IntakeStatus(
            "failed",
            problem=record.problem,
            advice=record.advice,
            can_try_again=incoming.is_there(project),
            is_stopped=is_stopped,
        )
    if is_at_work:
        if is_stopped:
            return IntakeStatus("working", "Stopping", is_stopped=True)
        return IntakeStatus("working", record.task or "Starting", record.done, record.total, record.unit)
    return IntakeStatus(
        "failed",
        problem="Looking over the pictures ended unexpectedly. Nothing of this computer's other work is affected.",
        advice="Bring the pictures in again. If it happens again, one of the pictures may be to blame: try with fewer.",
        can_try_again=incoming.is_there(project),
    )
