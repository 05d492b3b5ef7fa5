"""How fast are pictures looked over? ``python -m benchmarks.looking_over FOLDER_OR_MORE [--rounds 5]``

Looking over a folder opens every file once: read, hashed (SHA-256), decoded, a small copy for the page made and judged
(look, brightness, sharpness, colour), then looks compared. It is timed against others, in turns, in one run, on the
same files, which lie in the disk cache by then; medians are printed.

    one by one   PIL.Image.open().convert("RGB").resize((160, 160)) in one thread: what a first program does
    threads      the same in as many threads as there are cores, whole decoding and nothing else
    processes    the same in as many processes as there are cores, started beforehand
    scanning     finding the files, reading, hashing (SHA-256) and decoding every one to its last byte
    judging      the same with a small copy of 160 pixels made and judged (dark, bright, blurry), two squares handed on
    looked over  all of it, looks compared too; the network's neighbours in sets of more than 300 pictures

What the cores can decode is the quicker one of threads and processes. One of two limits has to hold for scanning: at
least 5 times quicker than one by one, or at most 1.3 times as long as the cores need to decode; the line says which one
does, and how many times as long as the cores need the rest takes. Scanning decodes JPEG at a reduced scale, because it
only has to know that a picture is whole and how large it is.
Processor time, that of the decoders included, stands in brackets: it hardly changes when the computer is busy with
other things. Decoders are started before the clock runs, once for all rounds, like the threads and processes that they
are compared with; to start them costs what is printed beside.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from tlcore.images import decoding, folder, health, inspection, layout, threads, thumbnails, twins
from tlcore.images.decoder import Decoder
from tlcore.images.folder import Keep
from tlcore.images.limits import Limits

SIDE = thumbnails.LONGEST_SIDE
CORES = threads.count() - 1
TIMES_QUICKER, TIMES_THE_CORES = 5.0, 1.3


def decode(file: str) -> None:
    """Read one picture as a first program does."""
    with Image.open(file) as opened:
        opened.convert("RGB").resize((SIDE, SIDE))


class Peers:
    """Processes that decode plainly: each is told which share of the files is its own, then waits for its turn."""

    PROGRAM = (
        "import sys\n"
        "from benchmarks.looking_over import decode\n"
        "files = sys.stdin.readline().rstrip().split('\\0')\n"
        "for line in sys.stdin:\n"
        "    [decode(file) for file in files]\n"
        "    print(flush=True)\n"
    )

    def __init__(self, files: list[str]) -> None:
        self.processes = []
        for number in range(CORES):
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            process = subprocess.Popen([sys.executable, "-c", self.PROGRAM], **pipes)
            self.processes.append(process)
            self._tell(process, "\0".join(files[number::CORES]))
        self.run()

    def _tell(self, process: "subprocess.Popen[str]", line: str) -> None:
        process.stdin.write(line + "\n")
        process.stdin.flush()

    def run(self) -> None:
        """Have all files read once."""
        for process in self.processes:
            self._tell(process, "")
        for process in self.processes:
            assert process.stdout.readline()

    def end(self) -> None:
        """End them."""
        for process in self.processes:
            process.communicate()


def worked_s(processes: list[int]) -> float:
    """Return the processor time of this process and of others, in seconds; without the others where /proc is not."""
    total = time.process_time()
    for number in processes:
        state = Path(f"/proc/{number}/stat")
        if state.exists():
            fields = state.read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def children() -> list[int]:
    """Return the processes that this one has started and that live."""
    lists = Path("/proc/self/task").glob("*/children")
    return [int(number) for number in itertools.chain.from_iterable(each.read_text().split() for each in lists)]


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long a piece of work takes, by the clock and in processor time."""
    others = children()
    began, worked = time.perf_counter(), worked_s(others)
    work()
    return time.perf_counter() - began, worked_s(others) - worked


def compared(root: Path, files: list[str], rounds: int) -> dict[str, tuple[float, float]]:
    """Return the median of each way's clock and processor time."""
    peers, pool = Peers(files), ThreadPoolExecutor(CORES)
    judged = Keep(impression=lambda content, impression: None)
    ways: dict[str, Callable[[], object]] = {
        "one by one": lambda: [decode(file) for file in files],
        "threads": lambda: list(pool.map(decode, files)),
        "processes": peers.run,
        "scanning": lambda: folder.scan(root),
        "judging": lambda: folder.scan(root, keep=judged),
        "looked over": lambda: inspection.inspect(root),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    folder.scan(root, keep=judged)  # starts the decoders
    for _ in range(rounds):
        for name, work in ways.items():
            times[name].append(seconds(work))
    peers.end()
    pool.shutdown()
    return {name: (statistics.median(a), statistics.median(b)) for name, (a, b) in
            ((name, tuple(zip(*taken, strict=True))) for name, taken in times.items())}  # fmt: skip


def measure(root: Path, rounds: int) -> None:
    """Print a few lines about a folder."""
    files = [str(root / placed.file) for placed in layout.find(root).placed]
    taken = compared(root, files, rounds)
    quicker = taken["one by one"][0] / taken["scanning"][0]
    best = min("threads", "processes", key=lambda name: taken[name][0])
    of_cores = taken["scanning"][0] / taken[best][0]
    held = [f"at least {TIMES_QUICKER:g} times quicker than one by one"] * (quicker >= TIMES_QUICKER)
    held += [f"within {TIMES_THE_CORES:g} times of what the cores can decode"] * (of_cores <= TIMES_THE_CORES)
    print(f"{root.name}: {len(files)} pictures. ", end="")
    print("  ".join(f"{name} {clock:.2f} s ({worked:.2f})" for name, (clock, worked) in taken.items()))
    print(f"    {quicker:.2f} times quicker than one by one; {of_cores:.2f} times what the {CORES} cores need to "
          f"decode in {best}. The limit that holds: {' and '.join(held) or 'NONE'}")  # fmt: skip
    judging, over = (taken[name][0] / taken[best][0] for name in ("judging", "looked over"))
    print(f"    With judging {judging:.2f} times, with comparing too {over:.2f} times what the cores need to decode.")
    found = inspection.inspect(root)
    looks = [picture.look for picture in found.dataset.pictures]
    comparing, _ = seconds(lambda: twins.groups(found.dataset.pictures, looks, found.tiles))
    judging, _ = seconds(lambda: health.findings(found.dataset, found.tiles))
    with tempfile.TemporaryDirectory() as place:
        with_files, _ = seconds(lambda: inspection.inspect(root, thumbnails=Path(place)))
    print(f"    of it comparing {comparing:.2f} s; findings {judging:.2f} s; with thumbnails written "
          f"{with_files:.2f} s (each once)", flush=True)  # fmt: skip


def main() -> None:
    """Measure every folder named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    starting = statistics.median(seconds(lambda: Decoder(Limits()).end())[0] for _ in range(3))
    print(f"{CORES} cores; a decoder starts in {starting:.2f} s; files are handed out {decoding.BATCH} at a time.")
    for root in asked.folders:
        measure(root, asked.rounds)


if __name__ == "__main__":
    main()
