"""The command ``train``. No TensorFlow here: the worker has it."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.progress import Progress as Bars

from tlcore.commands import flags
from tlcore.commands.outcome import Outcome, bars, progress
from tlcore.commands.use import scores_text
from tlcore.errors import RecipeError, TrainingError, UserError
from tlcore.images import intake, split
from tlcore.results import report
from tlcore.runs import ending, events, run, supervisor
from tlcore.runs.run import Run
from tlcore.training import recipe, settling


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = commands.add_parser("train", help="train a classifier on a folder, zip or tar archive of pictures")
    parser.add_argument(
        "pictures", type=Path, metavar="PICTURES", help="folder with one sub-folder per class, a zip or a tar archive"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="RUN_DIR", help="folder for the run; must be new")
    flags.add_recipe(parser)
    parser.set_defaults(run_command=_train)


def _train(parsed: argparse.Namespace) -> Outcome:
    """Train to the end, or until Ctrl-C, and keep the best model."""
    asked = recipe.check(flags.recipe_of(parsed))
    if parsed.out.resolve().is_relative_to(parsed.pictures.resolve()):
        raise RecipeError(f"{parsed.out} lies inside the pictures.", "Name a folder elsewhere for the run.")
    if parsed.out.exists() and (not parsed.out.is_dir() or any(parsed.out.iterdir())):
        raise RecipeError(f"{parsed.out} is there already.", "Name a new folder, so that no earlier run is lost.")
    with progress("Looking over pictures") as report_reading:
        dataset = intake.open_pictures(parsed.pictures, report_reading)
    if dataset.set_aside:
        _say(f"{len(dataset.set_aside)} files are set aside: python -m tlcore check {parsed.pictures} tells why.")
    parts = split.draw(dataset, asked.validation_share, asked.test_share, asked.seed)
    settling.settle(asked, dataset, parts)  # a choice that does not fit is said now, not after TensorFlow has started
    started = run.create(parsed.out.resolve(), asked, dataset, parts)
    with bars() as shown, _stopping_on_interrupt(started):
        follower = _Follower(started, shown)
        supervisor.supervise(started, wait_for_device=False, tick=follower.follow)
        follower.follow()
    return _outcome(started)


@contextmanager
def _stopping_on_interrupt(started: Run) -> Iterator[None]:
    """Let Ctrl-C (or a polite end from outside) stop the run as the Stop button does."""

    def ask(_signal: int, _frame: Any) -> None:
        _say("Stopping; the best model so far is kept.")
        run.ask_to_stop(started)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Follower:
    """Shows new events of a run as progress bars and lines on standard error."""

    def __init__(self, followed: Run, shown: Bars) -> None:
        self.log = followed.events
        self.shown = shown
        self.offset = 0
        self.bars: dict[str, Any] = {}
        self.steps = 0
        self.last_epoch = 0

    def follow(self) -> None:
        """Show what is new."""
        new, self.offset = self.log.read(self.offset)
        show: dict[type, Callable[[Any], None]] = {
            events.Started: lambda e: _say(f"Training on the {e.device} ({e.device_name})."),
            events.Note: lambda e: _say(e.message),
            events.NotPacked: lambda e: _say(e.message),
            events.Progress: lambda e: self._move(e.task, e.done, e.total),
            events.PhaseStarted: self._phase,
            events.BatchEnd: lambda e: self._move(f"Epoch {e.epoch} of {self.last_epoch}", e.step, self.steps),
            events.EpochEnd: self._epoch,
        }
        for event in new:
            if type(event) in show:
                show[type(event)](event)

    def _phase(self, event: events.PhaseStarted) -> None:
        self.steps, self.last_epoch = event.steps_per_epoch, event.last_epoch
        share = event.learning_parameters / event.total_parameters
        counts = f"{event.learning_parameters:,} of {event.total_parameters:,} weights learn ({share:.1%})"
        _say(f"Phase {event.phase}: {counts}.")

    def _epoch(self, event: events.EpochEnd) -> None:
        best = "  best so far" if event.is_best else ""
        _say(
            f"epoch {event.epoch:>3}  loss {event.loss:.4f}  accuracy {event.accuracy:.3f}  "
            f"val_loss {event.val_loss:.4f}  val_accuracy {event.val_accuracy:.3f}  {event.duration_s:.1f} s{best}"
        )

    def _move(self, task: str, done: int, total: int) -> None:
        if task not in self.bars:
            for bar in self.bars.values():
                self.shown.remove_task(bar)
            self.bars = {task: self.shown.add_task(task, total=total)}
        self.shown.update(self.bars[task], completed=done, total=total)


def _outcome(ended: Run) -> Outcome:
    """Return what came of a run.

    Raises:
        UserError: It has no model.
    """
    history = ended.events.all()
    failed = events.last(history, events.Failed)
    finished = events.last(history, events.Finished)
    if failed is not None:
        raise UserError(failed.problem, failed.advice, failed.detail)
    if finished is None:
        raise TrainingError("Stopped before the first look at the check pictures: there is nothing to keep.", "")
    broken = events.last(history, events.Interrupted)
    if broken is not None:
        said = f"{ending.kept(broken.kept_epoch, 'until then')} is kept in {ended.folder}."
        raise UserError(f"{broken.problem} {said}", broken.advice, broken.detail)
    scores = report.load(ended.report_file)
    started = history[0].time
    settled = ended.recipe()
    value = {
        "run": str(ended.folder),
        "state": run.state(ended, history),
        "stopped": events.last(history, events.Stopped) is not None,
        "test_accuracy": scores.test_accuracy,
        "n_test": scores.n_test,
        "kept_epoch": finished.kept_epoch,
        "epochs": len(events.of_type(history, events.EpochEnd)),
        "duration_s": round(finished.time - started, 1),
        "device": (events.last(history, events.Started) or events.Started("", "")).device,
        "recipe": asdict(settled),
        "model": str(ended.model_file),
        "report": str(ended.report_file),
    }
    return Outcome(f"{scores_text(scores)}\nmodel: {ended.model_file}", value)


def _say(line: str) -> None:
    """Print one line on standard error."""
    print(line, file=sys.stderr)
