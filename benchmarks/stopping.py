"""How soon is the device free once somebody stops a run? ``python -m benchmarks.stopping [--rounds 5]``

From the wish, as the button leaves it, to the moment in which the device's lock can be had. On a small network, in
three moments: while TensorFlow starts, between two steps, and in a step that never ends (the worker is held with
SIGSTOP, so that it cannot obey and has to be killed).

Wanted: 2 s. Printed: median and longest of the rounds.
"""

import argparse
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import document
from benchmarks.killing import children, holders
from tlcore import lock
from tlcore.images import intake, split
from tlcore.images.dataset import Dataset
from tlcore.runs import events, local, slots
from tlcore.runs import run as runs
from tlcore.runs.events import Event
from tlcore.runs.run import Run
from tlcore.samples import sample
from tlcore.training.recipe import Recipe

RECIPE = Recipe(backbone="thawnet", image_size=64, epochs=500, patience=500, frozen_stages="all", augment="none")
LIMIT_S = 120.0


def is_learning(history: list[Event]) -> bool:
    """Return whether an epoch is over."""
    return events.last(history, events.EpochEnd) is not None


def hold(run: Run) -> None:
    """Hold the worker of a run in the middle of whatever it does."""
    for number in children(holders(run.lock_file)):
        os.kill(number, signal.SIGSTOP)


MOMENTS: tuple[tuple[str, Callable[[list[Event]], bool], Callable[[Run], None]], ...] = (
    ("while TensorFlow starts", lambda history: True, lambda run: None),
    ("between two steps", is_learning, lambda run: None),
    ("in a step that never ends", is_learning, hold),
)


def measure(
    place: Path, dataset: Dataset, comes: Callable[[list[Event]], bool], prepare: Callable[[Run], None]
) -> float:
    """Return the seconds from the wish to the free device, for one run.

    Raises:
        TimeoutError: The moment never came, or the device never became free.
    """
    run = runs.create(place / f"run {time.time_ns()}", RECIPE, dataset, split.draw(dataset, 0.15, 0.15, 0))
    device = slots.lock_file(0)
    local.start(run)
    _wait(lambda: lock.is_held(device) and slots.holder(0) is not None and comes(run.events.all()))
    prepare(run)
    began = time.monotonic()
    runs.ask_to_stop(run)
    _wait(lambda: not lock.is_held(device))
    seconds = time.monotonic() - began
    _wait(lambda: not runs.is_locked(run))
    return seconds


def _wait(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not happens():
        if time.monotonic() > deadline:
            raise TimeoutError(f"It did not come in {LIMIT_S:.0f} s.")
        time.sleep(0.01)


def main() -> None:
    """Stop runs, and print how long the device stayed taken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stopping", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep-document", action="store_true", help="print only, leave docs/benchmarks.md as it is")
    asked = parser.parse_args()
    lines = ["| Stopped | wanted | median | longest |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ |= {"THAW_HOME": str(Path(folder) / "home"), "THAW_SPARE": "0"}
        sample.write(sample.get("signs"), Path(folder) / "signs")
        dataset = intake.open_pictures(Path(folder) / "signs")
        for name, comes, prepare in MOMENTS:
            times = [measure(Path(folder), dataset, comes, prepare) for _ in range(asked.rounds)]
            lines.append(f"| {name} | 2 s | {statistics.median(times):.2f} s | {max(times):.2f} s |")
            print(lines[-1], flush=True)
    if not asked.keep_document:
        document.put("stopping", [f"Measured {document.circumstances()}, {asked.rounds} of each.", "", *lines])


if __name__ == "__main__":
    main()
