"""Thirty people at once on one server: do all finish, and do the pages answer? ``python -m benchmarks.people``

Each opens the app, makes a project, sends 60 drawn pictures, waits until they are looked over, starts a training
with what Thaw suggests and watches it to its end; then asks for everything of somebody else's, pages and files, that
the same person has just seen of the own project. They come one a second.

Wanted: all finish; 95 of 100 answers of pages and clicks within a second, and 95 of 100 of the looks of pages that
draw themselves anew, counted while a training runs; nobody sees another's project; the web process below 400 MB.
Printed: the table, and what was asked of the server. Nothing is asserted.
"""

import argparse
import hashlib
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import document, memory
from benchmarks.browsing import serving
from benchmarks.visitor import Visitor, pictures_in
from tlcore.runs import events
from tlcore.runs.events import EventLog
from tlcore.samples import sample

PICTURES, EVERY_S, LOOK_S = 60, 1.0, 1.0
LIMIT_S = 3600.0
PAGES = ("pictures", "train", "runs", "run", "results", "share")
NO_PROJECT = "There is no such project for this browser."
BROKEN = ("Try again", "Something broke on our side", "EXCEPTION")


@dataclass
class Person:
    """What one person met."""

    number: int
    project: str = ""
    run: str = ""
    result: str = ""
    finished_s: float = 0.0
    answers: list[tuple[float, float]] = field(default_factory=list)
    looks: list[tuple[float, float]] = field(default_factory=list)
    tried: int = 0
    seen: list[str] = field(default_factory=list)


def visit(person: Person, everybody: list[Person], address: str, files: dict[str, bytes]) -> None:
    """Do what one person does."""
    began, visitor = time.monotonic(), None
    try:
        visitor = Visitor(address)
        visitor.open()
        visitor.click("Make it", **{"Name of a new project": f"Project of person {person.number}"})
        person.project = visitor.page.parameters["project"]
        visitor.send(person.project, files)
        wait_for(visitor, "pictures", ("How they will be used",), project=person.project)
        visitor.open("train", project=person.project)
        visitor.click("Start training")
        person.run = visitor.page.parameters["run"]
        wait_for(visitor, "run", ("See the results", "Start again"), project=person.project, run=person.run)
        person.result = "finished" if "Finished. The model has" in visitor.page.words else visitor.page.words[:300]
        said = visitor.open("results", project=person.project, run=person.run).words
        if person.result == "finished" and "exam pictures named correctly" not in said:
            person.result = f"results say: {said[:300]}"
        other = next((one for one in everybody if one.run and one is not person), None)
        if other:
            pry(visitor, person, other, hashlib.sha256(next(iter(files.values()))).hexdigest())
    except Exception as error:  # the table shows it: a person who fails is a result of this benchmark
        person.result = f"{type(error).__name__}: {error}"
    finally:
        if visitor is not None:
            visitor.leave()
            person.answers, person.looks = visitor.answers, visitor.looks
        person.finished_s = time.monotonic() - began


def pry(visitor: Visitor, person: Person, other: Person, content: str) -> None:
    """Ask for everything of somebody else's; what can be had of one's own must be had, or nothing would be shown."""
    for name in PAGES:
        words = visitor.open(name, project=other.project, run=other.run).words
        if NO_PROJECT not in words or f"person {other.number}" in words:
            person.seen.append(name)
        if NO_PROJECT in visitor.open(name, project=person.project, run=person.run).words:
            raise RuntimeError(f"{name} refuses its own owner.")
    for path in ("thumbnails/{content}.jpg", "runs/{run}/thaw-model.zip", "upload"):
        if visitor.may_fetch(f"/files/{other.project}/{path.format(content=content, run=other.run)}"):
            person.seen.append(path)
        if not visitor.may_fetch(f"/files/{person.project}/{path.format(content=content, run=person.run)}"):
            raise RuntimeError(f"{path} is refused to its own owner.")
    person.tried = len(PAGES) + 3


def wait_for(visitor: Visitor, name: str, words: tuple[str, ...], **parameters: str) -> None:
    """Watch a page, as an open browser does, until it says one of these; a page that stands still is opened again.

    Raises:
        TimeoutError: It never does.
    """
    deadline = time.monotonic() + LIMIT_S
    page = visitor.open(name, **parameters)
    while not any(word in page.words for word in words):
        if any(word in page.words for word in BROKEN):
            raise RuntimeError(f"{name} says: {page.words[-500:]}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} never said {words}: {page.words[-300:]}")
        time.sleep(max(LOOK_S, *page.fragments.values(), 0.0) if page.fragments else LOOK_S)
        page = visitor.look_again() if page.fragments else visitor.open(name, **parameters)


def watch_memory(process: int, highest: list[int], ending: threading.Event) -> None:
    """Keep the most memory that the web process had of its own and in all, in bytes."""
    while not ending.wait(0.5):
        own, resident = memory.memory(process)
        highest[0], highest[1] = max(highest[0], own), max(highest[1], resident)


def share(values: list[float], percent: float) -> float:
    """Return the value below which that many percent of the values lie."""
    return statistics.quantiles(values, n=1000, method="inclusive")[round(percent * 10) - 1]


def trainings(home: Path) -> list[tuple[float, float]]:
    """Return from when to when each training had the device, in seconds since 1970."""
    found = []
    for file in home.glob("projects/*/runs/*/events.jsonl"):
        history = EventLog(file).all()
        begun, over = events.last(history, events.Started), events.last(history, events.Trained)
        if begun and over:
            found.append((begun.time, over.time))
    return found


def while_training(answers: list[tuple[float, float]], spans: list[tuple[float, float]]) -> list[float]:
    """Return how long each of those answers took that were asked for while a training ran."""
    return [seconds for asked, seconds in answers if any(begun <= asked <= over for begun, over in spans)]


def main() -> None:
    """Let everybody come, and print what they met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.people", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--keep-document", action="store_true", help="print only, leave docs/benchmarks.md as it is")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        sample.write(sample.get("signs"), place / "signs")
        drawn = list(pictures_in(place / "signs").items())
        files = dict(drawn[:: max(1, len(drawn) // PICTURES)][:PICTURES])
        everybody = [Person(number) for number in range(1, asked.people + 1)]
        highest, ending = [0, 0], threading.Event()
        with serving(place / "home") as (address, process):
            threading.Thread(target=watch_memory, args=(process, highest, ending), daemon=True).start()
            threads = []
            for person in everybody:
                threads.append(threading.Thread(target=visit, args=(person, everybody, address, files)))
                threads[-1].start()
                time.sleep(EVERY_S)
            for thread in threads:
                thread.join()
            ending.set()
        report(everybody, len(files), highest, trainings(place / "home"), asked.keep_document)


def report(
    everybody: list[Person], n_pictures: int, highest: list[int], spans: list[tuple[float, float]], keep_document: bool
) -> None:
    """Print the table."""
    answers = while_training([answer for person in everybody for answer in person.answers], spans)
    looks = while_training([look for person in everybody for look in person.looks], spans)
    prying = [person for person in everybody if person.tried]
    finished = [person for person in everybody if person.result == "finished"]
    own, resident = (round(size / 1e6) for size in highest)
    lines = [
        "| What | wanted | measured |",
        "|---|---|---|",
        f"| people who finished | {len(everybody)} | {len(finished)} |",
        *rows_of("pages and clicks", answers),
        *rows_of("looks of open pages", looks),
        f"| pages and files of somebody else that were seen, of {sum(person.tried for person in prying)} that "
        f"{len(prying)} people asked for | 0 | {sum(len(person.seen) for person in prying)} |",
        f"| web process, most memory of its own / with files | 400 MB | {own} / {resident} MB |",
        f"| from coming to the result, first / last person | | {min(p.finished_s for p in everybody):.0f} / "
        f"{max(p.finished_s for p in everybody):.0f} s |",
    ]
    print("\n".join(lines))
    for person in everybody:
        if person.result != "finished":
            print(f"person {person.number}: {person.result}", file=sys.stderr)
    if not keep_document:
        head = f"Measured {document.circumstances()}: {len(everybody)} people, {n_pictures} pictures each."
        document.put("people", [head, "", *lines])


def rows_of(what: str, seconds: list[float]) -> list[str]:
    """Return the rows on how long something took."""
    return [
        f"| {what}: 95 of 100 within | 1 s | {share(seconds, 95):.2f} s |",
        f"| {what}: half of them within | | {statistics.median(seconds):.2f} s |",
        f"| {what}: the slowest of {len(seconds):,} | | {max(seconds):.2f} s |",
    ]


if __name__ == "__main__":
    main()
