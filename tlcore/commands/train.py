"""The commands ``train`` and ``resume``. No TensorFlow here: the worker has it."""

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
from tlcore.runs import ending, events, order, pace, run, supervisor
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
    again = commands.add_parser("resume", help="go on with a run that was paused or stopped or that broke off")
    again.add_argument("run", type=Path, metavar="RUN_DIR", help="the folder of the run")
    again.set_defaults(run_command=_resume)


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
    return _followed(run.create(parsed.out.resolve(), asked, dataset, parts))


def _resume(parsed: argparse.Namespace) -> Outcome:
    """Go on with a run that was paused or stopped or that broke off."""
    known = Run(parsed.run.resolve())
    if not known.recipe_file.is_file():
        raise RecipeError(f"{parsed.run} is no run.", "Name the folder that train --out has made.")
    if not order.resume(known):
        raise RecipeError(
            f"{parsed.run} cannot go on: it is {run.state(known)}.",
            "Only a run that was paused or stopped or that broke off has something left to do.",
        )
    return _followed(known)


def _followed(started: Run) -> Outcome:
    """Work on a run to the end, or until Ctrl-C, and show how it goes."""
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
        self.offset = self.log.read()[1] if events.last(self.log.all(), events.Resumed) else 0
        self.bars: dict[str, Any] = {}
        begun = events.last(self.log.all(), events.PhaseStarted)
        self.steps, self.last_epoch = (begun.steps_per_epoch, begun.last_epoch) if begun else (0, 0)

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
    if events.last(history, events.Paused):
        raise TrainingError("Paused.", f"Go on with: python -m tlcore resume {ended.folder}")
    if finished is None:
        raise TrainingError("Stopped before the first look at the check pictures: there is nothing to keep.", "")
    broken = events.last(history, events.Interrupted)
    if broken is not None:
        said = f"{ending.kept(broken.kept_epoch, 'until then')} is kept in {ended.folder}."
        raise UserError(f"{broken.problem} {said}", broken.advice, broken.detail)
    scores = report.load(ended.report_file)
    settled = ended.recipe()
    value = {
        "run": str(ended.folder),
        "state": run.state(ended, history),
        "stopped": events.last(history, events.Stopped) is not None,
        "test_accuracy": scores.test_accuracy,
        "n_test": scores.n_test,
        "kept_epoch": finished.kept_epoch,
        "epochs": len({end.epoch for end in events.of_type(history, events.EpochEnd)}),
        "duration_s": round(pace.worked(ended.events.read()[0]).until_s(finished.time), 1),
        "device": (events.last(history, events.Started) or events.Started("", "")).device,
        "recipe": asdict(settled),
        "model": str(ended.model_file),
        "report": str(ended.report_file),
    }
    return Outcome(f"{scores_text(scores)}\nmodel: {ended.model_file}", value)


def _say(line: str) -> None:
    """Print one line on standard error."""
    print(line, file=sys.stderr)
