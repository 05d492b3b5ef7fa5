"""How a run ended, or what it is busy with, in words. No TensorFlow here."""

from tlcore.errors import TrainingError
from tlcore.runs import curves, events
from tlcore.runs.events import Event
from tlcore.runs.run import Run, State

LOG_BYTES = 6000


def problem(run: Run, state: State, history: list[Event]) -> TrainingError | None:
    """Return why a run has no result and what to do, or None if nothing went wrong."""
    failed = events.last(history, events.Failed)
    if state == "failed" and failed:
        return TrainingError(failed.problem, failed.advice, failed.detail)
    if state == "crashed":
        best = curves.best_epoch(history)
        reached = f" It had come to epoch {best.epoch}." if best else ""
        return TrainingError(
            f"The training ended without saying why.{reached}",
            "The computer may have been switched off, or its memory may have run out. Start again; if it happens "
            "again, choose a smaller backbone or fewer pictures per step.",
            log_end(run),
        )
    return None


def sentence(state: State, history: list[Event], is_stop_asked: bool) -> str:
    """Return one sentence on where a run stands."""
    stopped, finished = events.last(history, events.Stopped), events.last(history, events.Finished)
    if state == "stopped":
        return "Stopped, nothing to keep: it was stopped before the first epoch was over."
    broken = events.last(history, events.Interrupted)
    if broken and state in ("finishing", "finished"):
        made = "is kept; the results are being made" if state == "finishing" else "is what the model has"
        return f"{broken.problem} {kept(broken.kept_epoch, 'until then')} {made}. {broken.advice}"
    if state == "finished" and finished:
        how = "Stopped by you. The model has" if stopped else "Finished. The model has"
        if finished.kept_epoch == 0:
            return f"{how} the first answer, fitted without any epoch: no epoch did better on the check pictures."
        return f"{how} the weights of its best epoch, number {finished.kept_epoch}."
    if state == "finishing":
        said = f" {kept(stopped.kept_epoch)} is kept." if stopped else ""
        return ("Stopped." if stopped else "Training is over.") + said + " The results are being made."
    if state in ("waiting", "running", "stopping") and is_stop_asked:
        return "Stopping: the run lets go of the device within two seconds; the best epoch so far is kept."
    if state == "waiting" and not events.last(history, events.Note):
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


def log_end(run: Run) -> str:
    """Return the last lines that the worker printed."""
    if not run.worker_log.is_file():
        return ""
    with run.worker_log.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - LOG_BYTES))
        return stream.read().decode("utf-8", "replace")
