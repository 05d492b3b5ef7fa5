"""What an error in the middle of a run means: its end, or an interruption after which something is kept."""

from tlcore.errors import UserError
from tlcore.runs import events, position
from tlcore.runs.run import Run


def event_of(run: Run, error: UserError) -> events.Interrupted | events.Failed:
    """Return the event of an error: an interruption if training had kept weights by then, otherwise the end."""
    kept_epoch = position.epoch_of(run.best_checkpoint)
    history = run.events.all()
    is_over = any(events.last(history, kind) for kind in (events.Trained, events.Stopped, events.Interrupted))
    if kept_epoch is None or is_over:
        return events.Failed(error.problem, error.advice, error.detail, type(error).__name__)
    return events.Interrupted(kept_epoch, error.problem, error.advice, error.detail, type(error).__name__)
