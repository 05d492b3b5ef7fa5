"""A run on its way through kills: resumed when it breaks off, and what must not have happened to it."""

import collections
import contextlib
import time
import zipfile
from dataclasses import dataclass, field

from benchmarks.killing import Moment, end, processes, since
from tlcore.errors import UserError
from tlcore.results import report as reports
from tlcore.runs import events, order, position
from tlcore.runs import run as runs
from tlcore.runs.events import Event
from tlcore.runs.position import Place
from tlcore.runs.run import Run

LIMIT_S = 120.0
"""A run that neither ends nor breaks off for so long is stuck; a start takes some seconds, a busy computer more."""
RESUMES = 4
"""Of a run between two kills; one that breaks off more often breaks off by itself."""


@dataclass
class Tally:
    """What was done and what was found."""

    kills: collections.Counter = field(default_factory=collections.Counter)
    finished: int = 0
    lost: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Return how often something was killed."""
        return sum(self.kills.values())


@dataclass
class Course:
    """A run on its way to the end.

    Args:
        run: Which.
        person: Whose turn it takes.
        tally: Told what goes wrong.
        is_excused: Whether something was done to it since it was handed over last that may have ended it.
        resumes: How often it was resumed since the last kill.
        places: Before each kill, how many events there were, and the place that was kept last.
    """

    run: Run
    person: str
    tally: Tally
    is_excused: bool = False
    resumes: int = 0
    places: list[tuple[int, Place]] = field(default_factory=list)

    def note_place(self) -> None:
        """Remember how far it has come for certain."""
        found, told = position.newest(self.run.checkpoints), self.run.events.read()[0]
        if found is not None:
            self.places.append((len(told), found[1]))

    def losses(self) -> list[str]:
        """Return where it went on from an earlier place than it had kept."""
        told, found = self.run.events.read()[0], []
        for at, place in self.places:
            went = next((event for event in told[at:] if isinstance(event, events.WentOn)), None)
            if went is not None and (went.epoch, went.step) < (place.epoch, place.step):
                found.append(f"went on from {went.epoch}, {went.step} after {place.epoch}, {place.step} was kept")
        return found

    def bring_to(self, moment: Moment | None) -> str:
        """Wait for a moment, or the end, and resume what breaks off; return "there", "finished" or "stuck"."""
        run, deadline, before = self.run, time.monotonic() + LIMIT_S, None
        while time.monotonic() < deadline and self.resumes <= RESUMES:
            history = run.events.all()
            state = runs.state(run, history)
            if (state, len(history)) != before:  # it goes on
                deadline, before = time.monotonic() + LIMIT_S, (state, len(history))
            is_broken = runs.has_broken_off(history)
            if state == "finished" and not is_broken:
                return "finished"
            if state in ("failed", "crashed", "paused", "stopped") or (state == "finished" and is_broken):
                self._resume(state, history)
            elif moment is not None and state in moment.states and moment.has_come(*since(history)):
                return "there"
            time.sleep(0.05)
        end(processes("tlcore.runs", run.folder.name))  # so that the others have the device
        self.tally.stuck.append(f"{run.folder}: {runs.state(run)} for {LIMIT_S:.0f} s, {run.events.all()[-2:]}")
        return "stuck"

    def _resume(self, state: str, history: list[Event]) -> None:
        with contextlib.suppress(UserError):  # whoever worked on it has not let go yet
            if order.resume(self.run, self.person):
                if not self.is_excused:
                    self.tally.lost.append(f"{self.run.folder}: {state} by itself, {history[-2:]}")
                self.resumes, self.is_excused = self.resumes + 1, False


def faults(run: Run) -> list[str]:
    """Return what is wrong with the products of a finished run."""
    found = [f"no package: {told.message}" for told in events.of_type(run.events.all(), events.NotPacked)]
    for file in (run.model_file, run.exports / "keras.zip"):
        try:
            with zipfile.ZipFile(file) as packed:
                found += [f"{file.name}: {name} is damaged" for name in [packed.testzip()] if name]
        except (OSError, zipfile.BadZipFile) as error:
            found.append(f"{file.name}: {error}")
    try:
        reports.load(run.report_file)
    except (OSError, ValueError, KeyError, TypeError) as error:
        found.append(f"report: {error}")
    return found
