"""How fast are pictures looked over? ``python -m benchmarks.looking_over FOLDER_OR_MORE [--rounds 5]``

Looking over a folder opens every file once: read, hashed (SHA-256), decoded, a small copy for the page made and judged
(look, brightness, sharpness, colour), then looks compared. It is timed against three others, in turns, in one run, on
the same files, which lie in the disk cache by then; medians are printed.

    one by one   PIL.Image.open().convert("RGB").resize((160, 160)) in one thread: what a first program does
    the cores    the same in as many threads as there are cores, whole decoding and nothing else: what they can decode
    before       scanning, hashing, decoding and the small copy, without judging and comparing

The ratio to "one by one" says how many times quicker looking over is; the one to "the cores" how near it is to what
decoding alone costs; then comes what judging and comparing take. JPEG is decoded at a reduced scale where a picture is
much larger than its small copy, which can make looking over quicker than the cores decode. Processor time stands in
brackets: it hardly changes when the computer is busy with other things.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from tlcore.images import folder, health, inspection, layout, threads, thumbnails
from tlcore.images.folder import Keep

SIDE = thumbnails.LONGEST_SIDE


def decode(file: Path) -> None:
    """Read one picture as a first program does."""
    with Image.open(file) as opened:
        opened.convert("RGB").resize((SIDE, SIDE))


def one_by_one(files: list[Path]) -> None:
    """Read all in one thread."""
    for file in files:
        decode(file)


def the_cores(files: list[Path]) -> None:
    """Read all in as many threads as there are cores."""
    with ThreadPoolExecutor(threads.count() - 1) as pool:
        list(pool.map(decode, files))


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long a piece of work takes, by the clock and in processor time."""
    began, worked = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - worked


def measure(root: Path, rounds: int) -> None:
    """Print one line about a folder."""
    files = [root / placed.file for placed in layout.find(root).placed]
    small = Keep(small=lambda content, pixels: None, small_side=SIDE)
    ways: dict[str, Callable[[], object]] = {
        "one by one": lambda: one_by_one(files),
        "the cores": lambda: the_cores(files),
        "before": lambda: folder.scan(root, keep=small),
        "looked over": lambda: inspection.inspect(root),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            times[name].append(seconds(work))
    median, worked = (
        {name: statistics.median(each[which] for each in taken) for name, taken in times.items()} for which in (0, 1)
    )
    with tempfile.TemporaryDirectory() as place:
        write = thumbnails.writer(Path(place))
        with_files, _ = seconds(lambda: inspection.inspect(root, keep_small=write))
    found = inspection.inspect(root)
    judging, _ = seconds(lambda: health.findings(found.dataset, found.tiles))
    figures = "  ".join(f"{name} {taken:.2f} s ({worked[name]:.2f})" for name, taken in median.items())
    over = median["looked over"]
    print(f"{root.name}: {len(files)} pictures. {figures}")
    judged = (worked["looked over"] - worked["before"]) / worked["one by one"]
    print(
        f"    {median['one by one'] / over:.2f} times quicker than one by one; {over / median['the cores']:.2f} times "
        f"what the cores need to decode; judging and comparing take {judged:.0%} of the processor time of reading one "
        f"by one; findings {judging:.2f} s; with thumbnails written (once) {with_files:.2f} s"
    )


def main() -> None:
    """Measure every folder named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    for root in asked.folders:
        measure(root, asked.rounds)


if __name__ == "__main__":
    main()
