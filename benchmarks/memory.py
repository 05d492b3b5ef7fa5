"""How much memory does a training take, and how does it grow? ``python -m benchmarks.memory``

Draws 1,000, 3,000 and 10,000 pictures (JPEG, 128 to 200 pixels a side, ten classes), looks them over, and trains on
them at 128 pixels as a user's run is trained: by ``tlcore.runs.supervisor`` and the processes that it starts, to the
finished report and package. Twice: with all stages frozen, and with the last stage open. The weights are random ones,
or with ``--weights imagenet`` real ones, which have to be in ``KERAS_HOME/models`` or are fetched. Looking over is a
line of its own, because it ends before a training begins. Nothing is cached before.

Twenty times a second the memory of the whole process tree is added up (what is resident once a second), and the highest
sum counts. What several processes have in common counts once: each is given its share of it (Pss). Only on Linux.

    of its own   what was written into memory (Pss_Anon and Pss_Shmem). The system cannot take it back: this is what a
                 computer must have.
    resident     the same, and what is mapped from files (Pss_File): programs, pixels, kept features. The system takes
                 it back when others need it and reads it again. What others run at that time counts in part.

Wanted: a training on 10,000 pictures below 2.5 GB, and time that grows as the number of pictures does. The last lines
say where a straight line through the measured points of a training comes to at 100,000. Nothing is asserted.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import document
from tlcore.backbones import table, weights
from tlcore.images import dataset, inspection, split
from tlcore.images.dataset import Dataset
from tlcore.runs import events
from tlcore.runs import run as runs
from tlcore.training.recipe import Recipe

ROOT = Path(__file__).resolve().parent.parent
CLASSES, SHORTEST, LONGEST, SIDE = 10, 128, 200, 128
BACKBONE = "mobilenet_v2_100"
FAR = 100_000
LOOK_EVERY_S = 0.05
# An exact look walks through all pages, some milliseconds for a gigabyte: only for a new peak, and every second.
THOROUGH_EVERY_S = 1.0
MB = 1e6
# As many epochs as give each picture the same number of views, however many pictures there are: see supply.py.
WORKS = {
    "all frozen, 4 epochs": Recipe(frozen_stages="all", epochs=4),
    "last stage open, 2 epochs": Recipe(frozen_stages=4, epochs=2),
}
LOOKING = "looking over"
HEAD = (
    "| Work | pictures | seconds | per 1,000 | peak of its own | peak resident | cache on disk | at the peak |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Cost:
    """What one work cost: seconds from the first process to the end of the last one, peaks and disk in bytes."""

    work: str
    pictures: int
    seconds: float
    own: int
    resident: int
    cache: int = 0
    moment: str = ""

    @property
    def line(self) -> str:
        """Return the line of the table."""
        return (
            f"| {self.work} | {self.pictures:,} | {self.seconds:.0f} s | {1000 * self.seconds / self.pictures:.1f} s "
            f"| {self.own / MB:,.0f} MB | {self.resident / MB:,.0f} MB | {self.cache / MB:,.0f} MB | {self.moment} |"
        )


def draw(folder: Path, count: int) -> None:
    """Draw pictures, each one another: coarse noise around the colour of its class."""
    noise = np.random.default_rng(7)
    colours = noise.integers(40, 216, (CLASSES, 3))
    for row in range(count):
        label = row % CLASSES
        coarse = np.clip(colours[label] + noise.integers(-100, 101, (12, 12, 3)), 0, 255).astype("uint8")
        size = tuple(int(side) for side in noise.integers(SHORTEST, LONGEST + 1, 2))
        file = folder / f"class {label}" / f"{row:06}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file, quality=90)


class Watch:
    """Adds up the memory of a process and of all that it started, until they have ended."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.own = self.resident = 0
        self.own_at = 0.0
        self._process = process
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def ended(self) -> int:
        """Wait for the end of the process, and return its exit code."""
        exit_code = self._process.wait()
        self._thread.join()
        return exit_code

    def _look(self) -> None:
        thorough = 0.0
        while self._process.poll() is None:
            numbers = tree(self._process.pid)
            if sum(at_most(number) for number in numbers) > self.own or time.monotonic() - thorough > THOROUGH_EVERY_S:
                own, resident = (sum(column) for column in zip(*(memory(number) for number in numbers), strict=True))
                self.resident = max(self.resident, resident)
                if own > self.own:
                    self.own, self.own_at = own, time.time()
                thorough = time.monotonic()
            time.sleep(LOOK_EVERY_S)


def tree(number: int) -> list[int]:
    """Return the process numbers of a process and of all below it."""
    found = [number]
    for process in found:
        for task in _children_files(process):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:  # it has ended meanwhile
                continue
    return found


def _children_files(process: int) -> list[Path]:
    try:
        return [task / "children" for task in Path(f"/proc/{process}/task").iterdir()]
    except OSError:  # it has ended meanwhile
        return []


def at_most(process: int) -> int:
    """Return the bytes of a process that are its own, those that it shares with others in full: quick to tell."""
    rss = _kilobytes(Path(f"/proc/{process}/status"), "Rss")
    return 1024 * (rss.get("RssAnon:", 0) + rss.get("RssShmem:", 0))


def memory(process: int) -> tuple[int, int]:
    """Return the bytes of a process that are its own, and all that it has in memory; its share of what is shared."""
    pss = _kilobytes(Path(f"/proc/{process}/smaps_rollup"), "Pss")
    return 1024 * (pss.get("Pss_Anon:", 0) + pss.get("Pss_Shmem:", 0)), 1024 * pss.get("Pss:", 0)


def _kilobytes(file: Path, begin: str) -> dict[str, int]:
    try:
        rows = [line.split() for line in file.read_text().splitlines() if line.startswith(begin)]
    except OSError:  # it has ended meanwhile
        return {}
    return {row[0]: int(row[1]) for row in rows}


def watched(home: Path, *command: str) -> tuple[Watch, float]:
    """Run a module to its end in an installation of its own; return what it took and for how many seconds."""
    env = os.environ | {"THAW_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "2"}
    began = time.perf_counter()
    watch = Watch(subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=env))
    exit_code = watch.ended()
    if exit_code:
        raise SystemExit(f"{' '.join(command)} ended with exit code {exit_code}.")
    return watch, time.perf_counter() - began


def looked_over(place: Path, count: int) -> Cost:
    """Look the pictures of a place over, into its ``dataset.json``."""
    with tempfile.TemporaryDirectory() as home:
        watch, seconds = watched(Path(home), "benchmarks.memory", "--look", str(place))
    return Cost(LOOKING, count, seconds, watch.own, watch.resident)


def trained(place: Path, work: str, kind: str) -> Cost:
    """Train on the pictures of a place, from weights of that kind."""
    found = dataset.load(place / "dataset.json")
    recipe = replace(WORKS[work], backbone=BACKBONE, weights=kind, image_size=SIDE, early_stopping=False)
    with tempfile.TemporaryDirectory() as home:
        parts = split.draw(found, recipe.validation_share, recipe.test_share, recipe.seed)
        run = runs.create(Path(home) / "run", recipe, found, parts)
        watch, seconds = watched(Path(home), "tlcore.runs.supervisor", str(run.folder))
        history = run.events.all()
        if events.last(history, events.Finished) is None:
            raise SystemExit(f"The training has no result. The last event: {history[-1]}")
        cache = sum(file.stat().st_size for file in (Path(home) / "cache").rglob("*") if file.is_file())
    moment = at(history, watch.own_at)
    return Cost(work, len(found.pictures), seconds, watch.own, watch.resident, cache, moment)


def at(history: list[events.Event], moment: float) -> str:
    """Return what a run was busy with at a moment."""
    before = [event for event in history if event.time <= moment]
    last = next((event for event in reversed(before) if not isinstance(event, events.Note)), None)
    if isinstance(last, events.Progress):
        return f"{last.task}, {last.done:,} of {last.total:,}"
    return f"after {type(last).__name__}" if last else "starting"


def measure(count: int, kind: str) -> list[Cost]:
    """Measure every work on one number of pictures, with weights of that kind."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        draw(place / "pictures", count)
        costs = [looked_over(place, count)]
        print(costs[0].line, flush=True)
        for work in WORKS:
            costs.append(trained(place, work, kind))
            print(costs[-1].line, flush=True)
    return costs


def far(costs: list[Cost]) -> list[str]:
    """Return for each training where a straight line through its points comes to at 100,000 pictures."""
    found = []
    for work in WORKS:
        mine = [asdict(cost) for cost in costs if cost.work == work]
        counts = [cost["pictures"] for cost in mine]
        if len(set(counts)) < 2:
            continue
        lines = {key: np.polyfit(counts, [cost[key] for cost in mine], 1) for key in ("seconds", "own", "cache")}
        there = {key: np.polyval(line, FAR) for key, line in lines.items()}
        found.append(
            f"- {work}: each further 1,000 pictures take {1000 * lines['seconds'][0]:.1f} s and "
            f"{1000 * lines['own'][0] / MB:.1f} MB of memory; {FAR:,} would take {there['seconds'] / 60:.0f} min, "
            f"{there['own'] / MB:,.0f} MB and {there['cache'] / MB:,.0f} MB of disk."
        )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 3_000, 10_000])
    parser.add_argument("--weights", choices=("random", "imagenet"), default="random")
    parser.add_argument("--keep-document", action="store_true", help="print only, leave docs/benchmarks.md as it is")
    parser.add_argument("--look", type=Path, metavar="PLACE", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.look:
        found: Dataset = inspection.inspect(asked.look / "pictures").dataset
        dataset.save(found, asked.look / "dataset.json")
        return
    if not Path("/proc/self/smaps_rollup").is_file():
        parser.error("this benchmark reads /proc, which only Linux has")
    if asked.weights == "imagenet":
        weights.fetch(table.get(BACKBONE))  # now, so that it is not measured
    print("\n".join(HEAD), flush=True)
    costs = [cost for count in asked.counts for cost in measure(count, asked.weights)]
    costs.sort(key=lambda cost: cost.work)
    line_to = far(costs)
    print("\n".join(line_to))
    if not asked.keep_document:
        what = f"{BACKBONE} with {asked.weights} weights, {CLASSES} classes, {SIDE} px"
        head = f"Measured {document.circumstances()}: {what}."
        text = [head, "", *HEAD, *(cost.line for cost in costs)]
        document.put("memory", [*text, "", f"A straight line through these, for {FAR:,} pictures:", "", *line_to])


if __name__ == "__main__":
    main()
