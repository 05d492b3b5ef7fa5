"""How a run ended, or what it is busy with, in words. No TensorFlow here."""

from tlcore import disk
from tlcore.errors import TrainingError
from tlcore.runs import events, interruption, pace
from tlcore.runs.events import Event
from tlcore.runs.run import Run, State
from tlcore.runs.turn import Turn

LOG_BYTES = 6000


def problem(run: Run, state: State, history: list[Event]) -> TrainingError | None:
    """Return why a run has no result and what to do, or None if nothing went wrong."""
    failed = events.last(history, events.Failed)
    if state == "failed" and failed:
        return TrainingError(failed.problem, failed.advice, failed.detail)
    if state == "crashed":
        ended = events.last(history, events.EpochEnd)
        reached = f" It had come to epoch {ended.epoch}." if ended else ""
        if disk.is_crowded(run.folder):
            return TrainingError(
                disk.FULL + reached, "Free some space, then go on: what was kept is here.", log_end(run)
            )
        missing = interruption.results_missing(history)
        if missing:
            return TrainingError(*missing, log_end(run))
        return TrainingError(
            f"The training ended without saying why.{reached}",
            "The computer may have been switched off, or its memory may have run out. Nothing that was kept is lost: "
            "go on from there. If it happens again, choose a smaller backbone or fewer pictures per step.",
            log_end(run),
        )
    return None


def sentence(state: State, history: list[Event], is_stop_asked: bool, turn: Turn | None = None) -> str:
    """Return one sentence on where a run stands; ``turn`` says where in line."""
    stopped, finished = events.last(history, events.Stopped), events.last(history, events.Finished)
    if state == "stopped":
        return "Stopped, nothing to keep: it was stopped before the first epoch was over."
    broken = events.last(history, events.Interrupted)
    if broken and state in ("finishing", "finished"):
        made = "is kept; the results are being made" if state == "finishing" else "is what the model has"
        return f"{broken.problem} {kept(broken.kept_epoch, 'until then')} {made}. {broken.advice}"
    if state == "finished" and finished:
        how = "Stopped. The model has" if stopped else "Finished. The model has"
        if finished.kept_epoch == 0:
            return f"{how} the first answer, fitted without any epoch: no epoch did better on the check pictures."
        return f"{how} the weights of its best epoch, number {finished.kept_epoch}."
    if state == "finishing":
        said = f" {kept(stopped.kept_epoch)} is kept." if stopped else ""
        return ("Stopped." if stopped else "Training is over.") + said + " The results are being made."
    paused = events.last(history, events.Paused)
    if state == "paused" and paused:
        if paused.epoch is None:
            return "Paused before its first step. The device is free for others; what was being prepared is done again."
        after = f" after epoch {paused.epoch}" if paused.epoch else " in its first epoch"
        where = "from exactly where it was"
        if not paused.is_exact:
            where = "from a place that was kept shortly before; what came after that is done again"
        return f"Paused{after}. The device is free for others, and the run goes on {where}."
    if state == "pausing" and not is_stop_asked:
        return "Pausing: what is just being computed ends first, then the device is free."
    if state in ("waiting", "running", "pausing", "stopping") and is_stop_asked:
        return "Stopping: the run lets go of the device within two seconds; the best epoch so far is kept."
    if state == "waiting" and turn is not None and turn.starts_in_s != 0:
        expected = f", expected to begin in about {pace.in_words(turn.starts_in_s)}" if turn.starts_in_s else ""
        place = "next in line" if turn.place == 1 else f"number {turn.place} of {turn.waiting} in line"
        return f"Waiting: {place}{expected}. It starts by itself; you may close this page."
    if state == "waiting" and not events.last(events.since_handed_over(history), events.Note):
        return "Starting. Loading what is needed for training takes a moment; you may close this page."
    return {
        "waiting": "Waiting for the device. The run starts by itself; you may close this page.",
        "running": "Learning. You may close this page: the run goes on, and the address shows it again.",
    }.get(state, "")


def kept(epoch: int | None, when: str = "") -> str:
    """Name what was kept, as the beginning of a sentence; epoch 0 stands for the first answer."""
    if epoch == 0:
        return "The first answer"
    return f"The best epoch{' ' * bool(when)}{when}, number {epoch},"


def has_gone_on(run: Run) -> bool:
    """Return whether the results that are there were made before the run was handed over last."""
    resumed = events.last(run.events.all(), events.Resumed)
    return resumed is not None and run.report_file.is_file() and run.report_file.stat().st_mtime < resumed.time


def log_end(run: Run) -> str:
    """Return the last lines that the worker printed."""
    if not run.worker_log.is_file():
        return ""
    with run.worker_log.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - LOG_BYTES))
        return stream.read().decode("utf-8", "replace")
