"""What happens beside the training steps: events are written, the best weights kept, wishes obeyed."""

import math
import time
from typing import Any

import keras

from tlcore.errors import Unstable
from tlcore.runs import events
from tlcore.runs.position import Place
from tlcore.runs.run import Run
from tlcore.training import checkpoint
from tlcore.training.batches import TrainingBatches
from tlcore.training.snapshot import Metrics

BATCH_EVENT_EVERY_S = 0.25
"""How often the page can learn of new batches; more would only make the file long."""
RARER_AFTER_S = 250.0
"""From then on it learns of them ever more rarely, so that a day of training makes 7,000 events and not 300,000: each
page reads them every second."""
PROGRESS_EVENT_EVERY_S = 0.2


class KeepBest(keras.callbacks.Callback):
    """Keep the weights of the epoch with the lowest check loss, over both phases; end a phase that no longer gains.

    Loss is finer than accuracy on few pictures. One object serves all phases of a run.

    Args:
        run: Where the weights go.
        patience: Epochs without a better check loss after which a phase ends, or None to never end it.
        whole: The classifier whose weights are kept; what is trained may be only the part of it behind the cut.
    """

    def __init__(self, run: Run, patience: int | None, whole: keras.Model) -> None:
        super().__init__()
        self.run = run
        self.patience = patience
        self.whole = whole
        self.best_loss = math.inf
        self.best_epoch: int | None = None
        self.last_epoch = 0
        self._own_best = math.inf
        self._gained = 0

    def begin(self) -> None:
        """Give a phase its own patience."""
        self._gained = self.last_epoch

    def place(self, phase: str, first_epoch: int, is_kept: bool, begun_after: int, step: int) -> Place:
        """Return where training stands, with ``step`` whole steps of the next epoch done."""
        return Place(phase, first_epoch, is_kept, begun_after, self.last_epoch + 1, step, self.last_epoch,
                     self.best_epoch, self.best_loss, self._own_best, self._gained)  # fmt: skip

    def go_on_from(self, place: Place) -> None:
        """Remember what was remembered at a place."""
        self.last_epoch, self.best_epoch, self.best_loss = place.last_epoch, place.best_epoch, place.best_loss
        self._own_best, self._gained = place.own_best, place.gained

    def start_with(self, loss: float) -> None:
        """Keep what the classifier is before the first epoch, as epoch 0, with its check loss.

        Patience does not count from it: a head that starts at random needs some epochs to come as far.
        """
        self.best_loss, self.best_epoch = loss, 0
        checkpoint.save(self.whole, 0, self.run.best_checkpoint, loss)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare the check loss; ``epoch`` counts from 0."""
        loss = float((logs or {})["val_loss"])
        self.last_epoch = epoch + 1
        if not math.isfinite(loss) or not math.isfinite(float((logs or {})["loss"])):
            raise unstable(epoch + 1)
        if loss < self._own_best:
            self._own_best, self._gained = loss, epoch + 1
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, epoch + 1
            checkpoint.save(self.whole, epoch + 1, self.run.best_checkpoint, loss)
        elif self.patience is not None and self.last_epoch - self._gained >= self.patience:
            self.model.stop_training = True


class WriteEvents(keras.callbacks.Callback):
    """Write what happens to the run's events.

    Keras reports running means since the start of the epoch; the mean since the last event follows from two of them.

    Args:
        run: Whose events.
        best: Tells which epoch is the best; must come before this one in the list of callbacks.
        phase: "head" or "fine-tuning".
        batches: What is trained on.
        metrics: Loss and accuracy of the epoch so far; where an epoch goes on, they have its beginning in them.
    """

    def __init__(self, run: Run, best: KeepBest, phase: str, batches: TrainingBatches, metrics: Metrics) -> None:
        super().__init__()
        self.log = run.events
        self.best = best
        self.phase = phase
        self.batches = batches
        self.means = metrics
        self.made = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start to count; ``epoch`` counts from 0."""
        self.epoch = epoch + 1
        self.began = time.monotonic()
        self.written = self.began
        self.seen = self.batches.seen(self.batches.first)
        loss, accuracy = (float(metric.result()) * self.seen if self.seen else 0.0 for metric in self.means)
        self.sums = (loss, accuracy)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the mean since the last event, if it is time; ``batch`` counts from 0."""
        now, done = time.monotonic(), self.batches.first + batch + 1
        pause_s = BATCH_EVENT_EVERY_S * max(1.0, (now - self.made) / RARER_AFTER_S)
        if now - self.written < pause_s and done < len(self.batches):
            return
        seen = self.batches.seen(done)
        logs = logs or {}
        sums = (float(logs["loss"]) * seen, float(logs["accuracy"]) * seen)
        new = seen - self.seen
        loss, accuracy = ((sums[i] - self.sums[i]) / new for i in (0, 1))
        speed = new / max(now - self.written, 1e-6)
        self.log.write(events.BatchEnd(self.epoch, done, loss, min(1.0, max(0.0, accuracy)), speed))
        self.written, self.seen, self.sums = now, seen, sums

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the end of the epoch."""
        logs = logs or {}
        metrics = {name: float(logs[name]) for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
        self.log.write(
            events.EpochEnd(
                epoch=self.epoch,
                phase=self.phase,
                **metrics,
                learning_rate=_current_rate(self.model.optimizer),
                duration_s=time.monotonic() - self.began,
                is_best=self.best.best_epoch == self.epoch,
            )
        )


class ObeyStop(keras.callbacks.Callback):
    """End training after the current step when someone asked for it."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look for the wish after each step."""
        if self.run.stop_file.exists():
            raise StopAsked

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look for the wish while check pictures are looked at."""
        self.on_train_batch_end(batch, logs)


class ReportProgress:
    """Write the progress of a task that is not training to the events, and obey a wish to stop.

    Call it with (done, total); it writes at most five times a second, and always the end.

    Args:
        run: Whose events.
        task: A short phrase such as "Reading pictures".
        obeys_stop: Off for what comes after training, when a wish to stop comes too late.
    """

    def __init__(self, run: Run, task: str, *, obeys_stop: bool = True) -> None:
        self.run = run
        self.task = task
        self.obeys_stop = obeys_stop
        self._written = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Report ``done`` of ``total``.

        Raises:
            StopAsked: Someone asked the run to stop.
            PauseAsked: Someone asked it to pause.
        """
        if self.obeys_stop and self.run.stop_file.exists():
            raise StopAsked
        if self.obeys_stop and self.run.pause_file.exists():
            raise PauseAsked
        now = time.monotonic()
        if now - self._written >= PROGRESS_EVENT_EVERY_S or done >= total:
            self.run.events.write(events.Progress(self.task, done, total))
            self._written = now


def unstable(epoch: int) -> Unstable:
    """Return the error of an epoch, from 1, in which numbers grew out of all bounds."""
    return Unstable(
        f"Training became unstable in epoch {epoch}: the loss is not a number any more.",
        "Go on: it goes back to before that and learns with a tenth of the learning rate. Or start again with a lower "
        "one.",
    )


class PauseAsked(Exception):
    """Someone asked the run to pause; where it stands is on disk."""


class StopAsked(Exception):
    """Someone asked the run to stop; what was learned up to the best epoch is on disk."""


def _current_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """Return the rate of the fastest group at this step."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # float16 is scaled by one around it
    groups = getattr(optimizer, "optimizers", [optimizer])
    return max(float(group.learning_rate) for group in groups)
