"""How far a training has come, how fast it goes and how long it will still take. No TensorFlow here."""

from dataclasses import dataclass

from tlcore.runs import events
from tlcore.runs.events import Event


@dataclass(frozen=True)
class Pace:
    """Where a training stands.

    Args:
        epoch: The epoch that is being worked on, from 1; 0 before the first.
        last_epoch: The last epoch over both phases, unless training stops earlier.
        share: Done share of all epochs, 0 to 1.
        pictures_per_s: Of the newest batches; None before the first.
        left_s: Seconds until this phase is over; None as long as nothing can be said. A phase that has not begun
            may be much slower, so nothing is said about it.
        is_last_phase: Whether no other phase follows.
    """

    epoch: int
    last_epoch: int
    share: float
    pictures_per_s: float | None
    left_s: float | None
    is_last_phase: bool = True


def measure(history: list[Event], planned_epochs: int | None = None) -> Pace:
    """Compute the pace from the events so far.

    Args:
        history: Events of the run, oldest first.
        planned_epochs: Epochs over both phases, from the recipe.

    An epoch of the present phase takes what its last ones took (check pictures included); before the first is over,
    what its steps so far say.
    """
    phase = events.last(history, events.PhaseStarted)
    if phase is None:
        return Pace(0, 0, 0.0, None, None)
    batch = events.last(history, events.BatchEnd)
    ended = events.last(history, events.EpochEnd)
    done = float(ended.epoch if ended else phase.first_epoch - 1)
    in_epoch = batch is not None and batch.epoch > done
    if batch is not None and in_epoch:
        done = min(batch.epoch - 1 + batch.step / max(1, phase.steps_per_epoch), batch.epoch)
    epoch_s = _seconds_per_epoch(history, phase, done)
    last_epoch = max(phase.last_epoch, planned_epochs or 0)
    return Pace(
        epoch=min(last_epoch, int(done) + 1 if not in_epoch or batch is None else batch.epoch),
        last_epoch=last_epoch,
        share=min(1.0, done / max(1, last_epoch)),
        pictures_per_s=batch.pictures_per_s if batch else None,
        left_s=None if epoch_s is None else max(0.0, phase.last_epoch - done) * epoch_s,
        is_last_phase=last_epoch == phase.last_epoch,
    )


def _seconds_per_epoch(history: list[Event], phase: events.PhaseStarted, done: float) -> float | None:
    """Return the mean of the last three epochs of this phase, or an estimate from the first one's steps."""
    ended = [event for event in events.of_type(history, events.EpochEnd) if event.epoch >= phase.first_epoch]
    if ended:
        recent = [event.duration_s for event in ended[-3:]]
        return sum(recent) / len(recent)
    batch = events.last(history, events.BatchEnd)
    done_here = done - (phase.first_epoch - 1)
    if batch is None or batch.epoch < phase.first_epoch or done_here <= 0:
        return None
    return (batch.time - phase.time) / done_here


def in_words(seconds: float) -> str:
    """Return a time as people say it: 40 seconds, 3 minutes, 2 hours 5 minutes."""
    if seconds < 90:
        count = max(5, round(seconds / 5) * 5) if seconds >= 1 else 1
        return _counted(count, "second")
    minutes = round(seconds / 60)
    if minutes < 90:
        return _counted(minutes, "minute")
    hours, minutes = divmod(minutes, 60)
    return _counted(hours, "hour") + (f" {_counted(minutes, 'minute')}" if minutes else "")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" + ("" if number == 1 else "s")
