"""What an error in the middle of a run means: its end, or an interruption after which something is kept."""

from tlcore.errors import UserError
from tlcore.runs import events, position
from tlcore.runs.run import Run


def results_missing(history: list[events.Event]) -> tuple[str, str] | None:
    """Return in words that training had ended when something broke off, and what to do; None if it had not."""
    broken = events.last(history, events.Interrupted)
    if broken:
        return f"{broken.problem} The results of the best epoch until then could not be finished.", broken.advice
    if events.last(history, events.Trained):
        return "Training is over, but its results could not be finished.", "Go on: nothing is trained again."
    if events.last(history, events.Stopped):
        return "Stopped, but the results of the best epoch could not be finished.", (
            "Go on, and stop it again when you like: they are made then."
        )
    return None


def event_of(run: Run, error: UserError) -> events.Interrupted | events.Failed:
    """Return the event of an error: an interruption if training had kept weights by then, otherwise the end."""
    kept_epoch = position.epoch_of(run.best_checkpoint)
    history = run.events.all()
    is_over = any(events.last(history, kind) for kind in (events.Trained, events.Stopped, events.Interrupted))
    if kept_epoch is None or is_over:
        return events.Failed(error.problem, error.advice, error.detail, type(error).__name__)
    return events.Interrupted(kept_epoch, error.problem, error.advice, error.detail, type(error).__name__)
