"""A server that is killed and started again, the moments of a run, and how what works on it is ended by force."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.visitor import Visitor
from tlcore.runs import events
from tlcore.runs import run as runs
from tlcore.runs.events import Event
from tlcore.runs.run import Run, State

ROOT = Path(__file__).resolve().parent.parent
START_S = 120.0


@dataclass(frozen=True)
class Moment:
    """When to kill.

    Args:
        name: Of the row in the table.
        states: Of the run, one of them.
        has_come: Told the events since the run was handed over last, and its present phase; true from the moment on.
    """

    name: str
    states: tuple[State, ...]
    has_come: Callable[[list[Event], str], bool] = lambda since, phase: True


def _is_in(phase: str) -> Callable[[list[Event], str], bool]:
    """Return whether steps of a phase were taken since."""
    return lambda since, now: now == phase and events.last(since, events.BatchEnd) is not None


def _has_task(*tasks: str) -> Callable[[list[Event], str], bool]:
    """Return whether one of these tasks is the last that was heard of."""

    def has_come(since: list[Event], phase: str) -> bool:
        last = events.last(since, events.Progress)
        return last is not None and last.task.startswith(tasks)

    return has_come


MOMENTS = (
    Moment("waiting", ("waiting",)),
    Moment("starting", ("running",)),
    Moment("caching", ("running",), _has_task("Reading", "Running")),
    Moment("head", ("running",), _is_in("head")),
    Moment("fine-tuning", ("running",), _is_in("fine-tuning")),
    Moment("evaluation", ("finishing",), _has_task("Looking")),
    Moment("export", ("finishing",), _has_task("Packing")),
)


def now_in(run: Run) -> str:
    """Return the moment in which a run is: of those that have come, the last."""
    history = run.events.all()
    state, told = runs.state(run, history), since(history)
    working = "running" if state in ("pausing", "stopping") else state
    come = [moment.name for moment in MOMENTS if working in moment.states and moment.has_come(*told)]
    return come[-1] if come else state


def since(history: list[Event]) -> tuple[list[Event], str]:
    """Return what happened since a run was handed over last, and its phase."""
    phase = events.last(history, events.PhaseStarted)
    return events.since_handed_over(history), phase.phase if phase else ""


@dataclass
class Server:
    """The real app on one port, started again whenever it was killed."""

    home: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, if it is not running, and wait until it answers."""
        if self.process is not None and self.process.poll() is None:
            return
        command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={self.port}"]
        command += ["--server.headless=true", "--server.address=127.0.0.1"]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, RuntimeError, http.client.HTTPException):
                Visitor(self.address)
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"The server ended: {(self.home / 'server.log').read_text()[-2000:]}")
            time.sleep(0.1)
        raise TimeoutError("The server does not start.")

    def kill(self) -> bool:
        """End it by force; return whether it was there."""
        if self.process is None or self.process.poll() is not None:
            return False
        self.process.kill()
        self.process.wait()
        return True


def processes(*words: str) -> list[int]:
    """Return the numbers of the processes whose command line has these words."""
    found = subprocess.run(["pgrep", "-f", ".*".join(words)], capture_output=True, text=True)
    return [int(number) for number in found.stdout.split() if int(number) != os.getpid()]


def kill(victim: str, run: Run, server: Server) -> bool:
    """End a part of what works on a run, or all of it; return whether anything was there to be ended."""
    supervisors = {*processes("tlcore.runs.supervisor", run.folder.name), *holders(run.lock_file)}
    workers = {*processes("tlcore.runs.worker", run.folder.name), *children(supervisors)}
    victims = {"worker": workers, "supervisor": supervisors, "server": set(), "all": supervisors | workers}
    hit = end(list(victims[victim]))
    if victim in ("server", "all"):
        hit = server.kill() or hit
    return hit


def holders(file: Path) -> set[int]:
    """Return the processes of runs that have a file open: a spare worker's do not carry the run's name."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            is_open = any(opened.readlink() == file for opened in (process / "fd").iterdir())
            if is_open and b"tlcore.runs" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
    return found


def children(parents: Iterable[int]) -> set[int]:
    """Return the processes that these have started."""
    found = (subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True) for parent in parents)
    return {int(number) for answer in found for number in answer.stdout.split()}


def end(numbers: list[int]) -> bool:
    """End processes by force; return whether one of them was there."""
    hit = False
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
            hit = True
    return hit


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
