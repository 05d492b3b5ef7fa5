"""How long from the click to the first live point? ``python -m benchmarks.first_point FOLDER [--rounds 3]``

The click is ``local.start``; the points are the first answer (the line that training has to beat) and the first
``batch_end`` that the page draws. All stages are frozen. Three ways, each round in an installation of its own:

    cold     nothing is there: no features, no decoded pictures, no spare worker
    again    pictures and features are there, no spare worker
    spare    the same with a spare worker that waits

Printed for each backbone: least and median of the rounds, and what passed between click and point in the quickest.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tlcore.backbones import table, weights
from tlcore.images import intake, split
from tlcore.images.dataset import Dataset
from tlcore.runs import events, local, spare
from tlcore.runs import run as runs
from tlcore.runs.events import Event
from tlcore.runs.run import Run
from tlcore.training.recipe import Recipe

WAYS = ("cold", "again", "spare")
POINTS = (events.FirstAnswer, events.BatchEnd)
LIMIT_S = 300.0


def some_of(dataset: Dataset, most: int) -> Dataset:
    """Return every n-th picture, so that not many more than ``most`` are left and all classes stay."""
    return replace(dataset, pictures=dataset.pictures[:: max(1, len(dataset.pictures) // most)])


def ordered(place: Path, dataset: Dataset, backbone: str, image_size: int | None) -> Run:
    """Return a new run that waits to be started."""
    here = weights.is_here(table.get(backbone))
    asked = Recipe(
        backbone=backbone,
        frozen_stages="all",
        image_size=image_size,
        weights="imagenet" if here else "random",
        epochs=50,
    )
    parts = split.draw(dataset, asked.validation_share, asked.test_share, asked.seed)
    return runs.create(place / f"run {time.time_ns()}", asked, dataset, parts)


def started(run: Run) -> list[Event]:
    """Start a run, wait for its first live point, stop it; return its events until the point, the click before them.

    Raises:
        RuntimeError: There was no point.
    """
    clicked = events.Queued()
    local.start(run)
    history: list[Event] = []
    while events.last(history, events.BatchEnd) is None:
        if time.time() - clicked.time > LIMIT_S or events.last(history, events.Failed):
            raise RuntimeError(f"No live point: {history[-1:]}, {run.worker_log.read_text()[-2000:]}")
        time.sleep(0.01)
        history = run.events.all()[1:]
    runs.ask_to_stop(run)
    while runs.is_locked(run):
        time.sleep(0.05)
    return [clicked, *history]


def after_click(history: Sequence[Event], kind: type[Event]) -> float:
    """Return the seconds from the click to the first event of a kind."""
    return events.of_type(history, kind)[0].time - history[0].time


def round_of(dataset: Dataset, backbone: str, image_size: int | None, settle_s: float) -> dict[str, list[Event]]:
    """Measure every way once, in a fresh installation."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["THAW_HOME"] = home
        found = {}
        for way in WAYS:
            run = ordered(Path(home), dataset, backbone, image_size)
            if way == "spare":
                spare.warm_up()
                time.sleep(settle_s)
            found[way] = started(run)
        return found


def in_steps(history: Sequence[Event]) -> str:
    """Return when each event came, in seconds after the click."""
    said = (f"{event.time - history[0].time:6.2f}  {str(event)[:150]}" for event in history[1:])
    return "\n".join(f"    {line}" for line in said if "BatchEnd" not in line) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_point", description=__doc__)
    parser.add_argument("folder", type=Path, help="pictures, one folder per class")
    parser.add_argument("--backbones", nargs="+", default=["thawnet"], help="NAME or NAME:PIXELS")
    parser.add_argument("--pictures", type=int, default=400, help="about how many of them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--settle", type=float, default=20.0, metavar="S", help="how long a spare worker has to import")
    parser.add_argument("--steps", action="store_true", help="print every event of the quickest round")
    asked = parser.parse_args()
    dataset = some_of(intake.open_pictures(asked.folder), asked.pictures)
    print(f"{len(dataset.pictures)} pictures, {os.cpu_count()} cores")
    for named in asked.backbones:
        backbone, _, pixels = named.partition(":")
        rounds = [
            round_of(dataset, backbone, int(pixels) if pixels else None, asked.settle) for _ in range(asked.rounds)
        ]
        for way in WAYS:
            histories = [found[way] for found in rounds]
            for kind in POINTS:
                seconds = [after_click(history, kind) for history in histories]
                label = f"{named:<22}{way:<8}{kind.__name__:<12}"
                print(f"{label}least {min(seconds):6.2f} s   median {statistics.median(seconds):6.2f} s")
            if asked.steps:
                print(in_steps(min(histories, key=lambda history: after_click(history, events.BatchEnd))))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
