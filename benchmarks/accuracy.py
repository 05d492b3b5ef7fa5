"""Is Thaw as accurate as the guide in the same time? ``python -m benchmarks.accuracy FOLDER --name flowers``

Both learn from the same training and check pictures and take the same exam, with the same backbone and its real
weights, at the same picture size. The weights have to be in ``KERAS_HOME/models``, or are fetched.

    guide   Keras' transfer-learning guide: frozen backbone, Adam at 1e-3, ten epochs, no random views; benchmarks/guide
    thaw    Thaw with everything else left to itself, asked to stop when the guide's seconds are over, as a user asks;
            the accuracy is that of its report

For each seed the guide goes first, then Thaw, each in processes of its own, with nothing cached. The seed draws those
parts that the folder does not give itself, and starts the training. The seconds run from the imports to the end of the
training: decoding, building and all looks at the check pictures count for both, the exam for neither. A run that had
nothing to keep when its time was over has an accuracy of 0.

Wanted: the mean over three seeds not more than 0.01 below the guide's. Nothing is asserted. The line goes into
``docs/benchmarks.md``, in the place of an earlier one of the same name.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import document
from tlcore.backbones import table, weights
from tlcore.images import dataset, intake, split
from tlcore.images.dataset import Dataset, Picture
from tlcore.results import report
from tlcore.runs import events, supervisor
from tlcore.runs import run as runs
from tlcore.runs.run import Run
from tlcore.training.recipe import Recipe

ROOT = Path(__file__).resolve().parent.parent
HEAD = (
    "| Pictures | exam | guide, accuracy | guide, time | Thaw, accuracy | Thaw, time | Thaw - guide | measured |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Terms:
    """What both have in common, and the seconds that Thaw may take."""

    backbone: str
    size: int
    epochs: int
    seed: int = 0
    seconds: float = 0.0


def guide(place: Path, terms: Terms) -> dict[str, float]:
    """Train as the guide does."""
    from benchmarks import guide as peer

    peer.lay_out(place / "guide", dataset.load(place / "dataset.json"), split.load(place / "split.json"))
    return peer.run(place / "guide", terms.backbone, terms.size, terms.epochs, terms.seed)


def thaw(place: Path, terms: Terms) -> dict[str, float]:
    """Train with Thaw until it ends by itself or the time is over."""
    recipe = Recipe(backbone=terms.backbone, image_size=terms.size, seed=terms.seed)
    found, parts = dataset.load(place / "dataset.json"), split.load(place / "split.json")
    run = runs.create(place / "run", recipe, found, parts)
    supervisor.supervise(run, wait_for_device=False, tick=stop_after(run, terms.seconds))
    history = run.events.all()
    failed = events.last(history, events.Failed)
    if failed:
        raise SystemExit(f"{failed.problem}\n{failed.detail}")
    ended = next(event for event in history if isinstance(event, events.Trained | events.Stopped))
    seconds = ended.time - events.of_type(history, events.Started)[0].time
    accuracy = report.load(run.report_file).test_accuracy if run.report_file.is_file() else 0.0
    return {"seconds": seconds, "accuracy": accuracy, "epochs": len(events.of_type(history, events.EpochEnd))}


def stop_after(run: Run, seconds: float) -> Callable[[], None]:
    """Return a function that asks a run to stop once its worker has had that many seconds after its imports."""
    offset, end = 0, float("inf")

    def tick() -> None:
        nonlocal offset, end
        new, offset = run.events.read(offset)
        for event in new:
            if isinstance(event, events.Started):
                end = event.time + seconds
            elif isinstance(event, events.Trained):
                end = float("inf")
        if time.time() >= end:
            runs.ask_to_stop(run)
            end = float("inf")

    return tick


def one(way: str, place: Path, terms: Terms) -> dict[str, float]:
    """Measure one way in a process of its own, with nothing cached."""
    command = [sys.executable, "-m", "benchmarks.accuracy", "--one", way, str(place), json.dumps(asdict(terms))]
    with tempfile.TemporaryDirectory() as home:
        env = os.environ | {"THAW_HOME": home, "TF_CPP_MIN_LOG_LEVEL": "2"}
        said = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(said.splitlines()[-1])


def at_most(found: Dataset, limit: int) -> Dataset:
    """Return a dataset with at most that many pictures of each class in each part that the folder gives."""
    taken: dict[tuple[str, int], int] = {}
    chosen: list[Picture] = []
    for picture in sorted(found.pictures, key=lambda picture: picture.content):
        pile = (picture.part, picture.label)
        taken[pile] = taken.get(pile, 0) + 1
        if taken[pile] <= limit:
            chosen.append(picture)
    return replace(found, pictures=tuple(sorted(chosen, key=lambda picture: picture.file)))


def measure(found: Dataset, terms: Terms) -> tuple[dict[str, float], dict[str, float], int]:
    """Return what the guide and Thaw came to with one seed, and the number of exam pictures."""
    usual = Recipe()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        dataset.save(found, place / "dataset.json")
        parts = split.draw(found, usual.validation_share, usual.test_share, terms.seed)
        split.save(parts, place / "split.json")
        peer = one("guide", place, terms)
        ours = one("thaw", place, replace(terms, seconds=peer["seconds"]))
    print(f"seed {terms.seed}: guide {peer}, Thaw {ours}", flush=True)
    return peer, ours, len(parts.test)


def line_of(name: str, terms: Terms, found: list[tuple[dict[str, float], dict[str, float], int]]) -> str:
    """Return the line of the table."""
    columns: list[Any] = []
    for results in ([peer for peer, _, _ in found], [ours for _, ours, _ in found]):
        each = [result["accuracy"] for result in results]
        mean = statistics.mean(each)
        cell = f"**{mean:.3f}** ({', '.join(f'{value:.3f}' for value in each)})"
        columns.append((mean, cell, f"{statistics.mean(result['seconds'] for result in results):.0f} s"))
    (guide_mean, *of_guide), (thaw_mean, *of_thaw) = columns
    exam = " / ".join(dict.fromkeys(str(n_test) for _, _, n_test in found))
    of_guide[1] += f", epochs: {terms.epochs}"
    of_thaw[1] += f", epochs: {' / '.join(str(ours['epochs']) for _, ours, _ in found)}"
    cells = [name, exam, *of_guide, *of_thaw, f"{thaw_mean - guide_mean:+.3f}", document.circumstances()]
    return f"| {' | '.join(cells)} |"


def write(name: str, line: str) -> None:
    """Put the line into the document, in the place of an earlier one of the same name."""
    there = [row for row in document.lines("accuracy") if row.startswith("| ") and row not in HEAD]
    others = [row for row in there if row.strip("| ").split(",")[0] != name]
    document.put("accuracy", [*HEAD, *sorted([*others, line])])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="pictures, as Thaw takes them")
    parser.add_argument("--name", help="what the pictures are called in the table; the folder's name by default")
    parser.add_argument("--backbone", default="mobilenet_v2_100")
    parser.add_argument("--size", type=int, default=160, help="pixels per side")
    parser.add_argument("--epochs", type=int, default=10, help="of the guide")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--limit", type=int, help="at most this many pictures of a class, in each part that is given")
    parser.add_argument("--keep-document", action="store_true", help="print only, leave docs/benchmarks.md as it is")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "PLACE", "TERMS"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        way, place, terms = asked.one
        print(json.dumps({"guide": guide, "thaw": thaw}[way](Path(place), Terms(**json.loads(terms)))))
        return
    if asked.folder is None:
        parser.error("a folder of pictures is needed")
    weights.fetch(table.get(asked.backbone))  # now, so that nobody waits for it while the clock runs
    found = intake.open_pictures(asked.folder)
    found = at_most(found, asked.limit) if asked.limit else found
    terms = Terms(asked.backbone, asked.size, asked.epochs)
    name = asked.name or asked.folder.resolve().name
    described = [name, f"{len(found.pictures):,} pictures, {asked.size} px, {asked.backbone}"]
    described += [f"at most {asked.limit} of a class"] if asked.limit else []
    line = line_of(", ".join(described), terms, [measure(found, replace(terms, seed=seed)) for seed in asked.seeds])
    print("\n".join([*HEAD, line]))
    if not asked.keep_document:
        write(name, line)


if __name__ == "__main__":
    main()
