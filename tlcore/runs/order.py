"""Order a run: written and put in line once, however often the button is pressed. No TensorFlow here."""

import contextlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from tlcore import impatience
from tlcore.errors import TrainingError
from tlcore.images.dataset import Dataset
from tlcore.images.split import Split
from tlcore.runs import events, local, position, queue
from tlcore.runs import run as runs
from tlcore.runs.run import Run
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

LET_GO_S = 20.0
"""How long a supervisor may take to let go of a run that it has said its last word on."""


def place(folder: Path, recipe: Recipe, dataset: Dataset, split: Split, person: str) -> Run:
    """Return the run that this order lets wait for its turn, or the one that the same order has just made.

    Args:
        folder: The project's folder of runs.
        recipe: What the user asks for.
        dataset: Which pictures.
        split: Their parts.
        person: Whose turn it takes; see ``queue.name_of``.

    Raises:
        RecipeError: A choice is out of range.
        UserError: The person has as many waiting runs as one may have.
    """
    recipes.check(recipe)
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".order"):
        fresh = itertools.takewhile(_is_fresh, runs.runs_in(folder))
        if same := next((run for run in fresh if _is_same_order(run, recipe, person)), None):
            return same
        with queue.room(person):
            return _entered(folder / runs.new_id(), recipe, dataset, split, person)


def _entered(folder: Path, recipe: Recipe, dataset: Dataset, split: Split, person: str) -> Run:
    """Write a run and put it in line, both or, on a full disk, neither: nobody would ever start it."""
    try:
        run = runs.create(folder, recipe, dataset, split, person)
        queue.enter(folder, person)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return run


def resume(run: Run, person: str | None = None) -> bool:
    """Let a run go on where it was, once, however often the button is pressed; return False if it cannot.

    Waits until who worked on it before has let go of it: what that one still has to say is said by then.

    Args:
        run: The run.
        person: Whose turn it takes in line; None where whoever asks works on it now.

    Raises:
        TrainingError: Somebody still works on it.
        UserError: The person has as many waiting runs as one may have.
    """
    with _one_at_a_time(run):
        if not runs.can_resume(run):
            return False
        with _let_go(run), contextlib.nullcontext() if person is None else queue.room(person):
            runs.prepare_to_resume(run)
            if person is not None:
                queue.enter(run.folder, person)
        return True


def stop(run: Run, conclude: Callable[[Run], None] = local.conclude) -> None:
    """Stop a run for good: its best epoch is kept and gets its results, also if it is paused or waits in line.

    Args:
        run: The run.
        conclude: Ends a run that nobody works on.

    Raises:
        TrainingError: It is paused, but somebody still works on it.
    """
    with _one_at_a_time(run):
        runs.ask_to_stop(run)
        if queue.leave(run.folder):  # nobody works on it, or whoever has just begun sees the wish
            conclude(run)
        elif runs.state(run) == "paused":  # asked after the wish: who pauses it looks for the wish after saying so
            with _let_go(run):
                is_paused = runs.state(run) == "paused"
                if is_paused:
                    runs.prepare_to_resume(run)
                    runs.ask_to_stop(run)
            if is_paused:
                conclude(run)


def pause(run: Run) -> None:
    """Let a run let go of its device, or of its place in line."""
    with _one_at_a_time(run):
        runs.ask_to_pause(run)
        if queue.leave(run.folder):
            run.events.write(events.Paused(position.last_epoch(run.checkpoints)))


@contextlib.contextmanager
def _let_go(run: Run) -> Iterator[None]:
    """Wait until nobody works on a run, and see to it that nobody does inside the block."""
    try:
        with filelock.FileLock(run.lock_file, timeout=LET_GO_S):
            yield
    except filelock.Timeout:
        raise TrainingError("This run is still being worked on.", "Try again in a minute.") from None


def _one_at_a_time(run: Run) -> filelock.BaseFileLock:
    return filelock.FileLock(run.folder / ".order")


def _is_fresh(run: Run) -> bool:
    """Tell whether a run was ordered a moment ago."""
    queued = events.last(run.events.all(), events.Queued)
    return queued is not None and impatience.is_second_press(queued.time)


def _is_same_order(run: Run, recipe: Recipe, person: str) -> bool:
    """Tell whether a run was ordered by the same person with the very same choices."""
    queued = events.last(run.events.all(), events.Queued)
    is_mine = queued is not None and queued.person == person
    return is_mine and not run.stop_file.exists() and recipes.load(run.recipe_file) == recipe
