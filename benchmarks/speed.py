"""How much faster than the guide's own loop, and how near to what is possible? ``python -m benchmarks.speed FOLDER``

Ways to train the same classifier on the same pictures, each in a process of its own: in each round Thaw and the limit,
the peers, then the limit and Thaw again, so that a computer that slows down slows all. Medians are printed and written
to ``docs/benchmarks.md``:

    guide   the loop of Keras' transfer-learning guide: image_dataset_from_directory, frozen layers, fit
    fastai  vision_learner, where fastai is installed, with all or nothing frozen
    thaw    Thaw's own training
    limit   one decoding and one pass of the frozen part over all pictures by the fastest engine of this computer, and
            the steps of the trained part alone

Same backbone (random weights: they cost the same), picture size, batch size, epochs and parts, no random views. Counted
is everything after the imports: decoding, building the network, training, looking at the check pictures after every
epoch. Not counted, but printed as "built": OpenVINO's network, and statistics for random weights (pretrained ones have
theirs). "Thaw again" is a second run on the same pictures at another learning rate. Nothing is asserted: a ratio says
what it says on the computer it was measured on.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import document

ROOT = Path(__file__).resolve().parent.parent
BATCH_SIZE = 32
HEAD = (
    "| Work | Guide | fastai | Thaw | Limit | Thaw again | guide/Thaw | Thaw/limit | guide/again | Built | Where |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Work:
    """One kind of training: backbone, frozen stages ("all", "none" or a number), picture size, epochs."""

    title: str
    backbone: str
    frozen: str
    size: int = 224
    epochs: int = 10


WORKS = (
    Work("all frozen", "mobilenet_v2_100", "all"),
    Work("last stage open", "mobilenet_v2_100", "4"),
    Work("last stage open", "resnet50", "4"),
    Work("nothing frozen", "mobilenet_v2_100", "none", epochs=2),
    Work("nothing frozen", "resnet50", "none", epochs=1),
    Work("nothing frozen", "vgg16", "none", epochs=1),
)


def recipe_of(work: Work, **changes: Any) -> Any:
    """Return the recipe of a work."""
    from tlcore.training.recipe import Recipe

    frozen = int(work.frozen) if work.frozen.isdigit() else work.frozen
    fixed = {"batch_size": BATCH_SIZE, "early_stopping": False, "augment": "none", "weights": "random", "dropout": 0.0}
    return Recipe(backbone=work.backbone, frozen_stages=frozen, image_size=work.size, epochs=work.epochs,
                  **fixed | changes)  # fmt: skip


def prepared(place: Path, work: Work, **changes: Any) -> Any:
    """Make a run of a work on the pictures that were prepared."""
    from tlcore.images import dataset, split
    from tlcore.runs import run as runs

    recipe = recipe_of(work, **changes)
    found = dataset.load(place / "dataset.json")
    parts = split.draw(found, recipe.validation_share, recipe.test_share, recipe.seed)
    return runs.create(place / f"run {time.time_ns()}", recipe, found, parts)


@contextlib.contextmanager
def building_timed() -> Iterator[list[float]]:
    """Add up the seconds in which other engines than Keras are built, and random weights get statistics, inside."""
    from tlcore.training import calibration, engine

    seconds, ordinary, calibrate = [0.0], dict(engine.ENGINES), calibration.calibrate

    def timed(build: Callable[..., Any]) -> Callable[..., Any]:
        def built(*given: Any) -> Any:
            began = time.perf_counter()
            try:
                return build(*given)
            finally:
                seconds[0] += time.perf_counter() - began

        return built

    engine.ENGINES.update({name: timed(build) for name, build in ordinary.items() if name != "keras"})
    calibration.calibrate = timed(calibrate)
    try:
        yield seconds
    finally:
        engine.ENGINES.update(ordinary)
        calibration.calibrate = calibrate


def thaw(place: Path, work: Work) -> dict[str, float]:
    """Train with Thaw, twice where something is frozen; exam and package come later and are nobody's subject here."""
    from tlcore.training import training

    first, second = prepared(place, work), prepared(place, work, head_lr=3e-3)
    with building_timed() as building:
        began = time.perf_counter()
        training.learn(first)
        middle, built = time.perf_counter(), building[0]
        if work.frozen == "none":  # nothing but pixels is kept, so a second run is as long as the first
            return {"thaw": middle - began - built, "building": built}
        training.learn(second)
        again = time.perf_counter() - middle - (building[0] - built)
    return {"thaw": middle - began - built, "thaw again": again, "building": built}


def guide(place: Path, work: Work) -> dict[str, float]:
    """Train as Keras' guide does: every picture through the whole network, decoded anew, in every epoch."""
    from benchmarks import guide as peer

    frozen = {"all": None, "none": 0}[work.frozen] if work.frozen in ("all", "none") else int(work.frozen)
    began = time.perf_counter()
    peer.trained(place, work.backbone, work.size, work.epochs, frozen=frozen, dropout=0.0)
    return {"guide": time.perf_counter() - began}


def limit(place: Path, work: Work) -> dict[str, float]:
    """Decode once, pass the frozen part once by the fastest engine, and do the steps of the trained part."""
    import keras
    import numpy as np

    from tlcore.images import pixels
    from tlcore.training import boundary, classifier, engine, freezing, rates, recipe

    run = prepared(place, work)
    asked, parts, pictures = recipe_of(work, head_lr=1e-3, backbone_lr=1e-4), run.split(), run.dataset()
    rows = {"train": sorted(parts.train), "validation": sorted(parts.validation)}
    whole = classifier.build(asked, len(pictures.class_names), None)
    frozen = recipe.frozen_count(asked, len(whole.stages))
    freezing.freeze(whole, frozen)
    began = time.perf_counter()
    array = pixels.pixels(pictures, work.size)
    decoded = time.perf_counter() - began
    model, values, passing = whole.model, {part: array[which] for part, which in rows.items()}, 0.0
    if frozen:
        halves = boundary.cut(whole, frozen)
        model, values, passing = halves.learning, {}, float("inf")
        for name in engine.installed():
            run_pass = engine.ENGINES[name](halves.frozen)
            run_pass(np.zeros((engine.BATCH_SIZE, work.size, work.size, 3), "float32"))
            began, found = time.perf_counter(), {}
            for part, which in rows.items():
                starts = range(0, len(which), engine.BATCH_SIZE)
                batches = [array[which[start : start + engine.BATCH_SIZE]].astype("float32") for start in starts]
                found[part] = np.concatenate(
                    [run_pass(np.resize(b, (engine.BATCH_SIZE, *b.shape[1:])))[: len(b)] for b in batches]
                )
            if time.perf_counter() - began < passing:
                passing, values = time.perf_counter() - began, found
    labels = {part: np.array([pictures.pictures[row].label for row in which]) for part, which in rows.items()}
    model.compile(
        rates.optimizer(asked, whole, "fine-tuning", 1000), "sparse_categorical_crossentropy", jit_compile=False
    )
    steps = [slice(start, start + BATCH_SIZE) for start in range(0, len(rows["train"]), BATCH_SIZE)]
    for step in (steps[0], steps[-1]):  # both sizes of batch are traced before the clock starts
        model.train_on_batch(values["train"][step], labels["train"][step])
    model.predict_on_batch(values["validation"][:BATCH_SIZE])
    began = time.perf_counter()
    for _ in range(work.epochs):
        for step in steps:
            model.train_on_batch(values["train"][step], labels["train"][step])
        for start in range(0, len(rows["validation"]), BATCH_SIZE):
            model.predict_on_batch(values["validation"][start : start + BATCH_SIZE])
    assert keras.backend.backend() == "tensorflow"
    return {"limit": decoded + passing + time.perf_counter() - began}


def lay_out(place: Path, found: Any) -> None:
    """Put the pictures where all ways find them."""
    from benchmarks import guide as peer
    from tlcore.images import dataset, split

    usual = recipe_of(WORKS[0])
    dataset.save(found, place / "dataset.json")
    peer.lay_out(place, found, split.draw(found, usual.validation_share, usual.test_share, usual.seed))


def one(way: str, place: Path, work: Work, home: Path, python: str = sys.executable) -> dict[str, float]:
    """Measure one way in a process of its own, with nothing cached."""
    asked = json.dumps(asdict(work))
    ours = ["-m", "benchmarks.speed", "--one", way, str(place), asked]
    command = [python, *(["-m", "benchmarks.learner", str(place), asked] if way == "fastai" else ours)]
    timings = home / "timings.json"
    with tempfile.TemporaryDirectory() as fresh:
        if timings.is_file():  # a computer times its engines once
            (Path(fresh) / "timings.json").write_bytes(timings.read_bytes())
        env = os.environ | {"THAW_HOME": fresh, "TF_CPP_MIN_LOG_LEVEL": "2"}
        said = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
        if (Path(fresh) / "timings.json").is_file():
            timings.write_bytes((Path(fresh) / "timings.json").read_bytes())
    return json.loads(said.splitlines()[-1])


def measure(place: Path, work: Work, rounds: int, home: Path, fastai: str | None, pictures: int) -> str:
    """Return one line of the table."""
    taken: dict[str, list[float]] = {}
    others = ["fastai"] if fastai and work.frozen in ("all", "none") else []
    for _ in range(rounds):
        for way in ("thaw", "limit", "guide", *others, "limit", "thaw"):  # the long one in the middle of the short ones
            found = one(way, place, work, home, fastai if fastai and way == "fastai" else sys.executable)
            print(f"  {way} {found}", file=sys.stderr, flush=True)
            for name, seconds in found.items():
                taken.setdefault(name, []).append(seconds)
    s = {name: statistics.median(values) for name, values in taken.items()}
    other, again = (f"{s[name]:.1f} s" if name in s else "-" for name in ("fastai", "thaw again"))
    gain = f"{s['guide'] / s['thaw again']:.1f}" if "thaw again" in s else "-"
    line = (
        f"| {work.title}, {work.backbone}, {work.size} px, {work.epochs} epochs, {pictures:,} pictures, "
        f"rounds: {rounds} "
        f"| {s['guide']:.1f} s | {other} | {s['thaw']:.1f} s | "
        f"{s['limit']:.1f} s | {again} | {s['guide'] / s['thaw']:.2f} | {s['thaw'] / s['limit']:.2f} | "
        f"{gain} | {s['building']:.1f} s | {document.circumstances()} |"
    )
    print(line, flush=True)
    return line


def write(lines: list[str]) -> None:
    """Put lines into the document, each in the place of an earlier one of the same work."""
    works = {line.split("|")[1] for line in lines}
    there = [row for row in document.lines("speed") if row.startswith("| ") and row not in HEAD]
    document.put("speed", [*HEAD, *sorted([*(row for row in there if row.split("|")[1] not in works), *lines])])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep-document", action="store_true", help="print only, leave docs/benchmarks.md as it is")
    parser.add_argument("--fastai", help="a Python that has torch and fastai; this one, if it has them")
    parser.add_argument("--only", default="", help="works whose title and backbone hold this text")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "PLACE", "WORK"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        way, place, work = asked.one
        found = {"thaw": thaw, "guide": guide, "limit": limit}[way](Path(place), Work(**json.loads(work)))
        print(json.dumps(found))
        return
    from tlcore.images import folder

    fastai = asked.fastai or (sys.executable if importlib.util.find_spec("fastai") else None)
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as home:
        found = folder.scan(asked.folder.resolve())
        lay_out(Path(place), found)
        works = [work for work in WORKS if asked.only in f"{work.title} {work.backbone}"]
        lines = [measure(Path(place), work, asked.rounds, Path(home), fastai, len(found.pictures)) for work in works]
        if not asked.keep_document:
            write(lines)


if __name__ == "__main__":
    main()
