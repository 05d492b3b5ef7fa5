"""A run is a folder; every file name is a property. No TensorFlow here.

State is computed from the events, the wishes and the lock, never stored: a stored status can lie, a lock cannot.
"""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tlcore import atomic, lock
from tlcore.images import dataset as datasets
from tlcore.images import split as splits
from tlcore.images.dataset import Dataset
from tlcore.images.split import Split
from tlcore.runs import events
from tlcore.runs.events import Event, EventLog
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

State = Literal["waiting", "running", "stopping", "finishing", "finished", "stopped", "failed", "crashed"]

# How long a run that was just handed over may take until its supervisor holds the lock (a Python start, busy disk).
HANDOVER_S = 20.0


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
    def best_checkpoint(self) -> Path:
        """Variables of the best epoch so far."""
        return self.folder / "checkpoints" / "best.npz"

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


def create(folder: Path, recipe: Recipe, dataset: Dataset, split: Split) -> Run:
    """Write a new run folder and hand it over (event ``queued``); nothing is started."""
    run = Run(folder)
    recipes.save(recipe, run.recipe_file)
    datasets.save(dataset, run.dataset_file)
    splits.save(split, run.split_file)
    run.events.write(events.Queued())
    return run


def new_id() -> str:
    """Return a name for a run folder that sorts by time and cannot be guessed."""
    return time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(4)


def runs_in(folder: Path) -> tuple[Run, ...]:
    """Return the runs in a folder, newest first."""
    if not folder.is_dir():
        return ()
    return tuple(Run(path) for path in sorted(folder.iterdir(), reverse=True) if (path / "recipe.json").is_file())


def is_locked(run: Run) -> bool:
    """Return whether any process works on this run; true only while that process lives."""
    return lock.is_held(run.lock_file)


def ask_to_stop(run: Run) -> None:
    """Leave the wish that the run stops and keeps its best weights."""
    atomic.write_bytes(run.stop_file, b"")


def state(run: Run, history: list[Event] | None = None) -> State:
    """Compute the state of a run.

    waiting    handed over, no worker has the device yet
    running    a worker trains
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
    if is_locked(run):
        ends = (events.Stopped, events.Trained, events.Interrupted)
        is_trained = any(events.last(history, kind) for kind in ends)
        return _working_state(run, history, is_trained)
    latest = run.events.all()
    if len(latest) > len(history):  # it ended well between the events and the lock
        return state(run, latest)
    queued = events.last(history, events.Queued)
    just_handed_over = queued is not None and time.time() - queued.time < HANDOVER_S
    started = events.last(history, events.Started) is not None
    return "waiting" if just_handed_over and not started else "crashed"


def _working_state(run: Run, history: list[Event], is_trained: bool) -> State:
    """Return the state of a run that some process holds the lock of."""
    if is_trained:
        return "finishing"
    if run.stop_file.exists():
        return "stopping"
    return "running" if events.last(history, events.Started) else "waiting"
