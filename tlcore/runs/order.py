"""Order a run: written, handed over and started once, however often the button is pressed. No TensorFlow here."""

import time
from collections.abc import Callable
from pathlib import Path

import filelock

from tlcore.images.dataset import Dataset
from tlcore.images.split import Split
from tlcore.runs import events, local
from tlcore.runs import run as runs
from tlcore.runs.run import Run
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

# Two presses of one button within this time are one order.
IMPATIENCE_S = 5.0


def place(
    folder: Path, recipe: Recipe, dataset: Dataset, split: Split, start: Callable[[Run], None] = local.start
) -> Run:
    """Return the run that this order starts, or the one that the same order has just started.

    Args:
        folder: The project's folder of runs.
        recipe: What the user asks for.
        dataset: Which pictures.
        split: Their parts.
        start: How a run is started.

    Raises:
        RecipeError: A choice is out of range.
    """
    recipes.check(recipe)
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".order"):
        newest = next(iter(runs.runs_in(folder)), None)
        if newest and _is_same_order(newest, recipe):
            return newest
        run = runs.create(folder / runs.new_id(), recipe, dataset, split)
        start(run)
        return run


def _is_same_order(run: Run, recipe: Recipe) -> bool:
    """Tell whether a run was ordered a moment ago with the very same choices."""
    queued = events.last(run.events.all(), events.Queued)
    is_fresh = queued is not None and time.time() - queued.time < IMPATIENCE_S
    return is_fresh and not run.stop_file.exists() and recipes.load(run.recipe_file) == recipe
