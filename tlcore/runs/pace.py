"""How far a training has come, how fast it goes and how long it will still take. No TensorFlow here."""

from collections.abc import Iterable
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
    went_on = events.last(history, events.WentOn)
    began, before = phase.time, float(phase.first_epoch - 1)
    if went_on and went_on.time > began:
        began, before = went_on.time, went_on.epoch - 1 + went_on.step / max(1, phase.steps_per_epoch)
    if batch is None or batch.epoch < phase.first_epoch or batch.time <= began or done <= before:
        return None
    return (batch.time - began) / (done - before)


@dataclass(frozen=True)
class Worked:
    """For how long a run has been worked on, over all its tries; waiting and pauses are left out.

    Args:
        ended_s: Seconds in tries that have ended.
        began: When a try began that has not ended yet, or was killed, in seconds since 1970; None for none.
    """

    ended_s: float
    began: float | None

    def until_s(self, heard_of: float) -> float:
        """Return the seconds in all tries, where the one that has not ended was heard of last at this time."""
        return self.ended_s + (max(0.0, heard_of - self.began) if self.began is not None else 0.0)


def worked(told: Iterable[Event]) -> Worked:
    """Tell for how long a run has been worked on, from all its events, oldest first, also what counts no longer."""
    ends = (events.Stopped, events.Paused, events.Interrupted, events.Failed, events.Finished, events.Resumed)
    total, began, last = 0.0, None, 0.0
    for event in told:
        if began is not None and isinstance(event, ends):
            # Results that are made after a stop belong to it; who goes on after a kill was not at work until then.
            total += (last if isinstance(event, events.Resumed) else event.time) - began
            began = event.time if _is_followed_by_results(event) else None
        elif isinstance(event, events.Started):
            began = began or event.time
        last = event.time
    return Worked(total, began)


def _is_followed_by_results(event: Event) -> bool:
    """Return whether something was kept when a run broke off, of which results are made."""
    return isinstance(event, events.Stopped | events.Interrupted) and event.kept_epoch is not None


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
