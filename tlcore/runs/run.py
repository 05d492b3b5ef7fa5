"""A run is a folder; every file name is a property. No TensorFlow here.

State is computed from the events, the wishes and the lock, never stored: a stored status can lie, a lock cannot.
"""

import contextlib
import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tlcore import atomic, lock, removal
from tlcore.errors import Unstable
from tlcore.images import dataset as datasets
from tlcore.images import split as splits
from tlcore.images.dataset import Dataset
from tlcore.images.split import Split
from tlcore.runs import events, position, queue
from tlcore.runs.events import Event, EventLog
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

State = Literal[
    "waiting", "running", "pausing", "paused", "stopping", "finishing", "finished", "stopped", "failed", "crashed"
]

# How long a run that was just handed over may take until it is in line or its supervisor holds the lock (a busy disk).
HANDOVER_S = 20.0
STEPS = (events.BatchEnd, events.Progress)  # thousands in a run, and none of them says how it stands
LOWER, LOWEST = 0.1, 1e-8
"""What is left of the learning rates of a run that became unstable and goes on."""
_LOWERED = "Learning became unstable, so it goes on with a tenth of the learning rates."


@dataclass(frozen=True)
class Run:
    """One training and its folder."""

    folder: Path

    @property
    def id(self) -> str:
        """Return the folder's name, which the address of a page carries."""
        return self.folder.name

    @property
    def recipe_file(self) -> Path:
        """What was asked."""
        return self.folder / "recipe.json"

    @property
    def resolved_file(self) -> Path:
        """What was settled: the recipe without any "auto"."""
        return self.folder / "resolved.json"

    @property
    def dataset_file(self) -> Path:
        """Which pictures."""
        return self.folder / "dataset.json"

    @property
    def split_file(self) -> Path:
        """Which of them are for training, check and exam."""
        return self.folder / "split.json"

    @property
    def events(self) -> EventLog:
        """What happened."""
        return EventLog(self.folder / "events.jsonl")

    @property
    def lock_file(self) -> Path:
        """Held as long as anything works on this run."""
        return self.folder / "lock"

    @property
    def stop_file(self) -> Path:
        """Exists once someone asked the run to stop."""
        return self.folder / "stop"

    @property
    def pause_file(self) -> Path:
        """Exists once someone asked the run to pause."""
        return self.folder / "pause"

    @property
    def checkpoints(self) -> Path:
        """Variables of the best epoch, and everything that is needed to go on where training stood."""
        return self.folder / "checkpoints"

    @property
    def best_checkpoint(self) -> Path:
        """Variables of the best epoch so far."""
        return self.checkpoints / "best.npz"

    @property
    def earlier_checkpoint(self) -> Path:
        """Variables of the best epoch of an earlier try, where training had to begin anew."""
        return self.checkpoints / "earlier.npz"

    @property
    def worker_log(self) -> Path:
        """Everything the worker printed."""
        return self.folder / "worker.log"

    @property
    def model_file(self) -> Path:
        """The finished model."""
        return self.folder / "model.keras"

    @property
    def report_file(self) -> Path:
        """What the model is worth."""
        return self.folder / "report.json"

    @property
    def exports(self) -> Path:
        """Written exports, made on demand."""
        return self.folder / "exports"

    def recipe(self) -> Recipe:
        """Return what was settled, or what was asked if nothing is settled yet."""
        return recipes.load(self.resolved_file if self.resolved_file.exists() else self.recipe_file)

    def dataset(self) -> Dataset:
        """Return the pictures of this run."""
        return datasets.load(self.dataset_file)

    def split(self) -> Split:
        """Return the parts of the pictures."""
        return splits.load(self.split_file)

    def keep_better(self) -> None:
        """Let the best weights of an earlier try be the run's, if those of the present one are no better.

        What was reported of their epoch counts again, where nothing has been since.
        """
        if position.loss_of(self.earlier_checkpoint) < position.loss_of(self.best_checkpoint):
            self.earlier_checkpoint.replace(self.best_checkpoint)
            self._count_again(position.epoch_of(self.best_checkpoint))
        self.earlier_checkpoint.unlink(missing_ok=True)

    def _count_again(self, epoch: int | None) -> None:
        told, loss = self.events.read(without=STEPS)[0], position.loss_of(self.best_checkpoint)
        ends = [end for end in events.of_type(told, events.EpochEnd) if (end.epoch, end.val_loss) == (epoch, loss)]
        if ends and ends[-1] not in events.in_force(told):
            with contextlib.suppress(OSError):  # on a full disk the curve lacks a point
                self.events.write(ends[-1])


def create(folder: Path, recipe: Recipe, dataset: Dataset, split: Split, person: str = "") -> Run:
    """Write a new run folder and hand it over (event ``queued``); nothing is started."""
    run = Run(folder)
    datasets.save(dataset, run.dataset_file)
    splits.save(split, run.split_file)
    run.events.write(events.Queued(person))
    recipes.save(recipe, run.recipe_file)  # last: a folder without it is no run
    return run


def new_id() -> str:
    """Return a name for a run folder that sorts by time and cannot be guessed."""
    return time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(4)


def runs_in(folder: Path) -> tuple[Run, ...]:
    """Return the runs in a folder, newest first."""
    if not folder.is_dir():
        return ()
    there = (path for path in sorted(folder.iterdir(), reverse=True) if not removal.is_aside(path))
    return tuple(Run(path) for path in there if (path / "recipe.json").is_file())


def hold_pictures(folder: Path) -> bool:
    """Return whether a folder has runs, or some that were deleted and can be taken back: their pictures must stay."""
    return bool(runs_in(folder) or removal.laid_aside(folder))


def is_locked(run: Run) -> bool:
    """Return whether any process works on this run; true only while that process lives."""
    return lock.is_held(run.lock_file)


def ask_to_stop(run: Run) -> None:
    """Leave the wish that the run stops and keeps its best weights."""
    atomic.write_bytes(run.stop_file, b"")


def ask_to_pause(run: Run) -> None:
    """Leave the wish that the run lets go of the device, to go on later where it was."""
    atomic.write_bytes(run.pause_file, b"")


def can_resume(run: Run, history: list[Event] | None = None) -> bool:
    """Return whether a run can go on: it is not at work and has not come to its end by itself."""
    history = run.events.all() if history is None else history
    now = state(run, history)
    if now == "finished":
        return has_broken_off(history)
    return now in ("paused", "stopped", "failed", "crashed")


def has_broken_off(history: list[Event]) -> bool:
    """Return whether training was stopped or interrupted, so that something is left of it to do."""
    return any(events.last(history, kind) for kind in (events.Stopped, events.Interrupted))


def prepare_to_resume(run: Run) -> None:
    """Take back what was wished, and hand a run over once more (event ``resumed``); nothing is started."""
    run.stop_file.unlink(missing_ok=True)
    run.pause_file.unlink(missing_ok=True)
    if _is_unstable(run.events.all()):
        _lower_rates(run)
    run.events.write(events.Resumed())


def _is_unstable(history: list[Event]) -> bool:
    """Return whether a run broke off because its numbers grew out of all bounds."""
    errors = (events.last(history, events.Interrupted), events.last(history, events.Failed))
    return any(error is not None and error.kind == Unstable.__name__ for error in errors)


def _lower_rates(run: Run) -> None:
    """Let a run that became unstable learn with a tenth of its rates: with the same ones it would do so again."""
    so_far = events.since_handed_over(run.events.all())
    if any(note.message == _LOWERED for note in events.of_type(so_far, events.Note)):
        return  # it was asked before and could not be handed over, for want of disk
    for later in position.numbered(run.checkpoints)[1:]:  # written while it was about to become unstable, perhaps
        later.unlink(missing_ok=True)
    run.events.write(events.Note(_LOWERED))
    asked = run.recipe()
    lower = {name: max(LOWEST, rate * LOWER) for name in ("head_lr", "backbone_lr") if (rate := getattr(asked, name))}
    recipes.save(replace(asked, **lower), run.resolved_file)


def state(run: Run, history: list[Event] | None = None) -> State:
    """Compute the state of a run.

    waiting    in line for a device, or handed over and no worker has the device yet
    running    a worker trains
    pausing    someone asked it to pause; the worker has not yet let go
    paused     it let go of the device and can go on where it was
    stopping   someone asked it to stop; the worker has not yet let go
    finishing  training is over or stopped, the results are being made
    finished   model and report are there
    stopped    stopped before anything was worth keeping
    failed     ended with an error that the events name
    crashed    nothing works on it any more and it says no reason
    """
    history = run.events.all() if history is None else history
    if events.last(history, events.Finished):
        return "finished"
    if events.last(history, events.Failed):
        return "failed"
    stopped = events.last(history, events.Stopped)
    if stopped and stopped.kept_epoch is None:
        return "stopped"
    if events.last(history, events.Paused) and not stopped:
        return "paused"
    if queue.is_in(run.folder):  # asked before the lock: whoever takes it up holds that before it leaves the line
        return "waiting"
    if is_locked(run):
        ends = (events.Stopped, events.Trained, events.Interrupted)
        is_trained = any(events.last(history, kind) for kind in ends)
        return _working_state(run, history, is_trained)
    latest = events.in_force(run.events.read(without=STEPS)[0])
    if len(latest) > sum(not isinstance(event, STEPS) for event in history):  # it ended well between events and lock
        return state(run, latest)
    handed_over = events.last(history, events.Resumed) or events.last(history, events.Queued)
    moments = [handed_over.time if handed_over else 0.0, *map(_changed, (run.stop_file, run.pause_file))]
    started = events.last(history, events.Started) is not None
    if started or abs(time.time() - max(moments)) > HANDOVER_S:  # below 0 the clock was put back
        return "crashed"
    return "stopping" if run.stop_file.exists() else "waiting"


def _changed(file: Path) -> float:
    """Return when a wish was left, in seconds since 1970; 0 where there is none."""
    with contextlib.suppress(FileNotFoundError):
        return file.stat().st_mtime
    return 0.0


def _working_state(run: Run, history: list[Event], is_trained: bool) -> State:
    """Return the state of a run that some process holds the lock of."""
    if is_trained:
        return "finishing"
    if run.stop_file.exists():
        return "stopping"
    if run.pause_file.exists():
        return "pausing"
    return "running" if events.last(history, events.Started) else "waiting"
