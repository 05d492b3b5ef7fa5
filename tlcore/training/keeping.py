"""Callbacks that keep where training stands, and go on from there. Imports Keras."""

import contextlib
import math
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from tlcore import atomic, workspace
from tlcore.runs import events, position
from tlcore.runs.position import Place
from tlcore.runs.run import Run
from tlcore.training import snapshot
from tlcore.training.batches import TrainingBatches
from tlcore.training.callbacks import KeepBest, PauseAsked, unstable
from tlcore.training.snapshot import Metrics
from tlcore.training.step import WatchSteps

SHARE = 0.02
"""Of the time that writing snapshots may take: a large network takes a second to write."""
QUICK_S = 0.3
"""A snapshot that takes no longer is written more often: whoever stops can wait for it."""


@dataclass(frozen=True)
class Span:
    """Which phase, where it began, whether it learns from kept features, and after which epoch its optimizer began."""

    phase: str
    first_epoch: int
    begun_after: int
    is_kept: bool


@dataclass(frozen=True)
class Earlier:
    """A snapshot that training goes on from."""

    file: Path
    place: Place


def earlier(run: Run) -> Earlier | None:
    """Return what a run can go on from, or None where it has to begin.

    A place in the first phase is of no use once the second has kept weights: it starts from the best ones of the first,
    and those are gone then.
    """
    position.sweep(run.checkpoints)
    found = position.newest(run.checkpoints)
    if found is None or (found[1].phase == "head" and _is_of_second_phase(run)):
        return None
    for later in position.numbered(run.checkpoints):
        if later > found[0]:  # damaged: it would count as one of the last two
            later.unlink()
    going_on = _with_best(run, Earlier(*found))
    if going_on is not None:
        _lay_aside_better(run, going_on.place)
    return going_on


def _is_of_second_phase(run: Run) -> bool:
    """Return whether the best weights are those of an epoch of the second phase."""
    begun = [phase for phase in events.of_type(run.events.all(), events.PhaseStarted) if phase.phase == "fine-tuning"]
    return bool(begun) and (position.epoch_of(run.best_checkpoint) or 0) >= begun[0].first_epoch


def _lay_aside_better(run: Run, place: Place) -> None:
    """Keep a copy of best weights of an epoch behind the place: who goes on from there may be stopped before it."""
    loss = position.loss_of(run.best_checkpoint)
    if loss < place.best_loss and loss < position.loss_of(run.earlier_checkpoint):
        with atomic.replacing(run.earlier_checkpoint) as beside:
            shutil.copyfile(run.best_checkpoint, beside)


def _with_best(run: Run, found: Earlier) -> Earlier | None:
    """Return what a run can go on from if its best weights are there; a loss of power may have damaged them.

    Then the best epoch is looked for anew from there on, and where no epoch is left, the run begins anew.
    """
    if found.place.best_epoch is None or position.epoch_of(run.best_checkpoint) is not None:
        return found
    run.events.write(events.Note(
        "The best weights so far were damaged when the computer went dark. Training goes on, and the best epoch is "
        "looked for from here on."
    ))  # fmt: skip
    is_left = found.place.last_epoch < int(run.recipe().epochs or 1)
    lost = replace(found.place, best_epoch=None, best_loss=math.inf, own_best=math.inf)
    return Earlier(found.file, lost) if is_left else None


def begin_anew(run: Run) -> None:
    """Lay aside what an earlier try has kept, if there was one: its best weights count if this one comes less far."""
    snapshot.remove(run.checkpoints)
    if events.of_type(run.events.all(), events.PhaseStarted):
        run.events.write(events.WentOn(0, 0))
    if position.loss_of(run.best_checkpoint) < position.loss_of(run.earlier_checkpoint):
        run.best_checkpoint.replace(run.earlier_checkpoint)
    run.best_checkpoint.unlink(missing_ok=True)


def end(run: Run, kept_epoch: int) -> None:
    """Say that training has come to its end, and remove what was kept to go on only when the disk has that word."""
    atomic.sync(run.best_checkpoint)
    run.events.write(events.Trained(kept_epoch))
    atomic.sync(run.events.file)
    snapshot.remove(run.checkpoints)


class KeepPlace(keras.callbacks.Callback):
    """Write a snapshot every so often, one more when someone asks to pause, and if it is quick, to stop.

    Comes behind everything in the list of callbacks that remembers something.

    Args:
        run: Where snapshots go.
        span: What is trained.
        best: Remembers the best epoch and patience.
        batches: What is trained on.
        metrics: Loss and accuracy of the epoch so far.
        watching: Tells whether it is settled how steps are computed; if not, they may all be done again, and where
            training stands is the beginning of the phase.

    Attributes:
        has_beginning: Whether the beginning of the phase was kept.
    """

    def __init__(self, run: Run, span: Span, best: KeepBest, batches: TrainingBatches, metrics: Metrics,
                 watching: WatchSteps | None = None) -> None:  # fmt: skip
        super().__init__()
        self.has_beginning = False
        self.watching = watching
        self.run = run
        self.span = span
        self.best = best
        self.batches = batches
        self.means = metrics
        self._every_s = workspace.snapshot_s()
        self._took_s = math.inf
        self._next = time.monotonic() + self._every_s

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the place after a whole step, if it is time; that of the last step is kept with the end of the epoch."""
        done = self.batches.first + batch + 1
        if self.watching and not self.watching.is_done and self.has_beginning:
            if self.run.pause_file.exists():
                raise PauseAsked
        elif done % self.batches.parts == 0 and done < len(self.batches):
            self._keep(self.model, done // self.batches.parts)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the place between two epochs, if it is time, unless the phase is over: the next one has its own.

        If it is quick, it is also kept where the next epoch begins with work beside training: that can be paused too.
        """
        if self.model.stop_training:
            return
        if self._took_s < QUICK_S and self.batches.has_to_prepare(epoch + 2):  # Keras counts from 0
            self._next = 0.0
        self._keep(self.model, 0)

    def now(self, model: keras.Model) -> None:
        """Keep the place at the beginning of a phase."""
        self._next = 0.0
        self._keep(model, 0)

    def _keep(self, model: keras.Model, step: int) -> None:
        is_pause = self.run.pause_file.exists()
        is_stop = self.run.stop_file.exists() and self._took_s < QUICK_S
        if not (is_pause or is_stop or time.monotonic() >= self._next):
            return
        began = time.monotonic()
        if keras.backend.backend() == "jax":
            model.jax_state_sync()
        missing = self._write(model, step)
        self.has_beginning = self.has_beginning or not missing
        now = time.monotonic()
        self._took_s = now - began
        self._next = now + max(self._every_s, self._took_s / SHARE)
        if is_pause and missing:  # who paused now would lose what was learned since the last one
            self.run.pause_file.unlink(missing_ok=True)
            self._tell(f"It was not paused: where training stands could not be kept. ({missing})")
        elif is_pause and not self.run.stop_file.exists():
            raise PauseAsked

    def _write(self, model: keras.Model, step: int) -> str:
        """Write a snapshot; where there is no room for it, say so once and return why: training goes on."""
        span = self.span
        atomic.sync(self.run.best_checkpoint)  # the place that is written next names its epoch
        atomic.sync(self.run.events.file)  # and nobody reports the epochs before it again
        place = self.best.place(span.phase, span.first_epoch, span.is_kept, span.begun_after, step)
        place = replace(place, parts=self.batches.parts)
        try:
            is_sound = snapshot.save(self.run.checkpoints, place, self.best.whole, model.optimizer, self.means)
        except (OSError, MemoryError) as error:  # whether it is sound will be told by the end of the epoch
            reason = str(error) or "No memory"
            beginning = "Where training stands could not be kept just now."
            notes = events.of_type(self.run.events.all(), events.Note)
            if not any(note.message.startswith(beginning) for note in notes):
                self._tell(f"{beginning} If it is interrupted, it goes on from an earlier place. ({reason})")
            return reason
        if not is_sound:
            raise unstable(place.epoch)
        return ""

    def _tell(self, sentence: str) -> None:
        with contextlib.suppress(OSError):  # no room for that either
            self.run.events.write(events.Note(sentence))


class GoOn(keras.callbacks.Callback):
    """Give the epoch that goes on after a pause its running means again: Keras sets them to zero before each epoch.

    Comes before whatever reads them in the list of callbacks.

    Args:
        metrics: Loss and accuracy, with the values that they shall have.
    """

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        variables = [variable for metric in metrics for variable in metric.variables]
        self.values = [(variable, keras.ops.convert_to_numpy(variable)) for variable in variables]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put the values back, once."""
        while self.values:
            variable, value = self.values.pop()
            variable.assign(value)
