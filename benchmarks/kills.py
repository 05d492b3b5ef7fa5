"""Can anything be lost? ``python -m benchmarks.kills [--kills 200]``

One project after the other is sent to a real server, looked over, trained and made into a package, on a small network.
Meanwhile processes are ended with SIGKILL at random moments: the web server while pictures are sent, the worker that
looks them over; later the worker that trains, the supervisor above it, the server, or all of them, while pictures are
decoded and pass the frozen stages, while the head learns, while stages are open, while the exam is held and while the
package is made. A server that is gone is started again; a run that broke off is resumed, as its button does.

After every kill each folder must be readable and the state of the run one that says what to do next. A run goes on
from the place that was kept last before the kill, or from a later one; without a kill or a wish none breaks off, and
where only the server was killed none does either. In the end every run must be finished, with a report and a whole
model and package, and with the weights, bit for bit, of a run that nobody disturbed. Half of the runs are handed to a
spare worker.

Printed: a table of the moments, read just before the kill, and whatever was lost, unreadable or stuck, with the seed
that makes the same draws again; only kills that hit a process are counted. Now and then somebody asks to pause or stop
just before. Exit code 1 if anything is lost, or if in fifty kills or more a moment was never met.
"""

import argparse
import contextlib
import http.client
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks import document
from benchmarks.course import LIMIT_S, Course, Tally, faults
from benchmarks.killing import MOMENTS, Server, end, free_port, kill, now_in, processes
from benchmarks.visitor import Visitor, pictures_in
from tlcore import cache, identity, overview, project
from tlcore.errors import UserError
from tlcore.images import intake
from tlcore.project import Project
from tlcore.runs import order, queue
from tlcore.runs import run as runs
from tlcore.runs.run import Run
from tlcore.samples import sample
from tlcore.training.recipe import Recipe

RECIPE = Recipe(
    backbone="thawnet", image_size=64, epochs=30, patience=30, batch_size=8, frozen_stages=3, augment="light", views=2,
    engine="keras", precision="float32", xla=False, step_parts=1,
)  # fmt: skip
"""First the head, then the last stage too; nothing is left to be chosen by timing, so every run learns the same."""
PICTURES = 60
SNAPSHOT_S = "0.2"
UPLOADS = ("upload", "looking over")
ALL_MET_FROM = 50  # kills

WISHES = (None, None, order.pause, order.stop)
VICTIMS = ("worker", "supervisor", "server", "all")


def readable(made: Project, run: Run | None, tally: Tally) -> None:
    """Look at everything as the pages do; note what cannot be read."""
    try:
        overview.dataset_of(made)
        intake.status(made)
        tally.unreadable += [f"{damaged.folder}" for damaged in overview.all_runs(made) if isinstance(damaged, Run)]
        if run is not None:
            for read in (run.recipe, run.dataset, run.split, run.events.all):
                read()
    except Exception as error:  # whatever it is, it is what this benchmark looks for
        tally.unreadable.append(f"{made.folder.name}: {type(error).__name__}: {error}")


def send(server: Server, draws: random.Random, tally: Tally, files: dict[str, bytes], most: int) -> Project:
    """Send pictures into a new project and have them looked over, while server and worker are killed."""
    owner = identity.new()
    made = project.create(owner, "Killed")
    left = min(2, most)
    deadline = time.monotonic() + 3 * LIMIT_S
    while intake.status(made).state != "ready":
        if time.monotonic() > deadline:
            tally.stuck.append(f"{made.id}: pictures are {intake.status(made)}")
            break
        server.start()
        visitor = Visitor(server.address)
        visitor.cookie = f"{identity.COOKIE}={owner}"
        if left:
            left -= 1
            what = draws.choice(("upload", "looking over"))
            with sending(visitor, made, files) as thread:
                time.sleep(draws.uniform(0.0, 0.1))
                if what == "looking over":
                    _wait(lambda: intake.status(made).state == "working", 5)
                    time.sleep(draws.uniform(0.0, 1.0))
                    tally.kills[what] += end(processes("tlcore.images.intake", made.id))
                else:
                    met = "upload" if thread.is_alive() else intake.status(made).state
                    tally.kills["looking over, server" if met == "working" else met] += server.kill()
            readable(made, None, tally)
            continue
        if intake.status(made).state in ("empty", "failed"):
            with contextlib.suppress(OSError, RuntimeError, http.client.HTTPException):
                visitor.send(made.id, files)
            if intake.status(made).can_try_again:
                intake.start(made)
        _wait(lambda: intake.status(made).state != "working", 30)
    found = overview.dataset_of(made)
    if found is None or len(found.pictures) != len(files):
        tally.lost.append(f"{made.id}: {0 if found is None else len(found.pictures)} of {len(files)} pictures")
    return made


@contextlib.contextmanager
def sending(visitor: Visitor, made: Project, files: dict[str, bytes]) -> Iterator[threading.Thread]:
    """Send in a thread while the block does something else; a connection that breaks is what is wanted."""

    def work() -> None:
        with contextlib.suppress(OSError, RuntimeError, http.client.HTTPException):
            visitor.send(made.id, files)

    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    thread.join()


def train(made: Project, server: Server, draws: random.Random, tally: Tally, most: int) -> Run | None:
    """Train to the end while processes are killed, one moment after the other."""
    dataset = overview.dataset_of(made)
    if dataset is None:
        return None
    server.start()
    cache.clear()  # so that each run decodes and passes the frozen stages anew
    person = queue.name_of(made.owner)
    parts = overview.split_of(made, dataset, RECIPE)
    if draws.random() < 0.5:  # whoever opens this page has a spare worker started
        visitor = Visitor(server.address)
        visitor.cookie = f"{identity.COOKIE}={made.owner}"
        visitor.open("train", project=made.id)
        visitor.leave()
    run = order.place(made.runs, RECIPE, dataset, parts, person)
    course = Course(run, person, tally)
    plan = sorted(draws.choices(range(len(MOMENTS)), k=min(most, draws.randint(5, 9))))
    for moment in (MOMENTS[number] for number in plan):
        if course.bring_to(moment) != "there":
            break
        time.sleep(draws.uniform(0.0, 0.6))
        wish, victim = draws.choice(WISHES), draws.choice(VICTIMS)
        if wish:
            with contextlib.suppress(UserError):  # whoever works on it has just paused it and not let go yet
                wish(run)  # and whoever should obey is killed at the same time
            time.sleep(draws.uniform(0.0, 0.3))
        met = now_in(run)
        course.note_place()
        hit = kill(victim, run, server)
        course.resumes, course.is_excused = 0, course.is_excused or bool(wish) or (hit and victim != "server")
        tally.kills[f"{met}, {victim}"] += hit
        readable(made, run, tally)
        server.start()
    if course.bring_to(None) == "finished":
        tally.finished += 1
        tally.lost += [f"{run.folder}: {what}" for what in (*course.losses(), *faults(run))]
    else:
        tally.lost.append(f"{run.folder}: {runs.state(run)}, {run.events.all()[-2:]}")
    return run


def _wait(happens: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.02)


def same_weights(one: Run, other: Run) -> bool:
    """Return whether two runs ended with the same weights, bit for bit."""
    if not (one.best_checkpoint.is_file() and other.best_checkpoint.is_file()):
        return False
    with np.load(one.best_checkpoint) as expected, np.load(other.best_checkpoint) as found:
        return all(np.array_equal(expected[name], found[name]) for name in expected.files)


def main() -> int:
    """Kill until it has been done often enough, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep-document", action="store_true", help="print only, leave docs/benchmarks.md as it is")
    asked = parser.parse_args()
    draws, tally = random.Random(asked.seed), Tally()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ |= {"THAW_HOME": folder, "THAW_SNAPSHOT_S": SNAPSHOT_S}
        sample.write(sample.get("signs"), Path(folder) / "signs")
        drawn = list(pictures_in(Path(folder) / "signs").items())
        files = dict(drawn[:: max(1, len(drawn) // PICTURES)][:PICTURES])
        server = Server(Path(folder), free_port())
        try:
            undisturbed = train(send(server, draws, tally, files, 0), server, draws, tally, 0)
            while tally.count < asked.kills:
                run = train(send(server, draws, tally, files, asked.kills - tally.count), server, draws, tally,
                            max(1, asked.kills - tally.count))  # fmt: skip
                if run and undisturbed and not same_weights(undisturbed, run):
                    tally.lost.append(f"{run.folder}: other weights than without a kill")
                print(f"{tally.count} kills, {tally.finished} runs finished", flush=True)
        finally:
            server.kill()
            end(processes("tlcore", folder))
    return report(tally, asked.seed, asked.keep_document)


def report(tally: Tally, seed: int, keep_document: bool) -> int:
    """Print the table; return the exit code."""
    lines = ["| Killed while | what | times |", "|---|---|---|"]
    for name, times in sorted((+tally.kills).items()):
        moment, _, victim = name.partition(", ")
        lines.append(f"| {moment} | {victim or ('server' if moment == 'upload' else 'worker')} | {times} |")
    met = {name.partition(", ")[0] for name in +tally.kills}
    never = [name for name in (*UPLOADS, *(moment.name for moment in MOMENTS)) if name not in met]
    lines += ["", f"- kills: {tally.count}; runs that finished: {tally.finished}"]
    lines.append(f"- lost: {len(tally.lost)}; unreadable: {len(tally.unreadable)}; stuck: {len(tally.stuck)}")
    lines += [f"- never met: {', '.join(never)}"] if never else []
    print("\n".join([*lines, f"- seed {seed}"]))
    problems = [*tally.lost, *tally.unreadable, *tally.stuck]
    print("\n".join(problems), file=sys.stderr)
    if not keep_document:
        document.put("kills", [f"Measured {document.circumstances()}, seed {seed}.", "", *lines])
    return 1 if problems or (never and tally.count >= ALL_MET_FROM) else 0


if __name__ == "__main__":
    sys.exit(main())
