"""What a project holds, at a glance: counts and the state of its runs. No TensorFlow here."""

import contextlib
import functools
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tlcore.errors import UserError
from tlcore.images import answers, finding, intake, split
from tlcore.images import dataset as datasets
from tlcore.images.answers import Answer
from tlcore.images.dataset import Dataset
from tlcore.images.finding import Finding
from tlcore.images.split import Split
from tlcore.project import Project
from tlcore.results import report as reports
from tlcore.runs import events, pace
from tlcore.runs import run as runs
from tlcore.runs.events import Event
from tlcore.runs.run import Run, State
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

AT_WORK: tuple[State, ...] = ("waiting", "running", "pausing", "stopping", "finishing")
DAMAGED = (OSError, ValueError, KeyError, TypeError, UserError)
"""What reading a file of Thaw's own raises where a loss of power, or a bad disk, has damaged it."""


@dataclass(frozen=True)
class RunLine:
    """One run in a list.

    Args:
        run: The run.
        state: Its state now.
        end: How training ended where not by itself, "stopped" or "broken off"; empty where it did, or has not ended.
        recipe: What was settled, or asked.
        asked: What was asked.
        began: Seconds since 1970.
        test_accuracy: On exam pictures, 0 to 1; None without results.
        n_test: Number of exam pictures.
        worked_s: For how many seconds it has been worked on, pauses left out.
    """

    run: Run
    state: State
    end: str
    recipe: Recipe
    asked: Recipe
    began: float
    test_accuracy: float | None
    n_test: int
    worked_s: float


def dataset_of(project: Project) -> Dataset | None:
    """Return the pictures that a project trains on: looked over, and the owner's answers applied.

    None as long as none have been looked over.
    """
    if not project.dataset_file.is_file():
        return None
    given = answers.load(answers.file_of(project))
    return _applied(str(project.dataset_file), project.dataset_file.stat().st_mtime_ns, given)


def looked_over(project: Project) -> Dataset | None:
    """Return the pictures of a project as they were looked over, without the owner's answers; None for none."""
    if not project.dataset_file.is_file():
        return None
    return _load_dataset(str(project.dataset_file), project.dataset_file.stat().st_mtime_ns)


def findings_of(project: Project) -> tuple[Finding, ...]:
    """Return what was found in a project's pictures and is not answered yet, the gravest first."""
    found = finding.load(intake.findings_file(project))
    given = answers.load(answers.file_of(project))
    return _standing(str(project.dataset_file), project.dataset_file.stat().st_mtime_ns, found, given)


def split_of(project: Project, dataset: Dataset, recipe: Recipe) -> Split:
    """Return the parts of a project's pictures for a recipe, and write them down.

    Who was drawn for the exam stays there when pictures are added, for the same seed and shares.

    Raises:
        DatasetError: A class has too few different pictures.
    """
    name = f"{recipe.seed}-{recipe.validation_share:g}-{recipe.test_share:g}.json"
    file = project.folder / "splits" / name
    before = split.kept(file)
    drawn = split.draw(dataset, recipe.validation_share, recipe.test_share, recipe.seed, before)
    split.keep(dataset, drawn, file)
    return drawn


@functools.lru_cache(maxsize=8)
def _applied(file: str, changed: int, given: tuple[Answer, ...]) -> Dataset:
    """Apply answers once for all pages."""
    dataset = _load_dataset(file, changed)
    return answers.applied(dataset, given) if given else dataset


@functools.lru_cache(maxsize=8)
def _standing(file: str, changed: int, found: tuple[Finding, ...], given: tuple[Answer, ...]) -> tuple[Finding, ...]:
    """Count once for all looks at the page."""
    return answers.standing(_load_dataset(file, changed), found, given)


@functools.lru_cache(maxsize=8)
def _load_dataset(file: str, changed: int) -> Dataset:
    """Read a dataset once for all pages that show it; ``changed`` makes a new file a new entry."""
    return datasets.load(Path(file))


def lines(project: Project) -> tuple[RunLine, ...]:
    """Return the runs of a project, newest first, but for those that cannot be read."""
    return tuple(found for found in all_runs(project) if isinstance(found, RunLine))


def all_runs(project: Project) -> tuple[RunLine | Run, ...]:
    """Return the runs of a project, newest first; one whose files are damaged, by a loss of power for example, bare."""
    return tuple(line_or_none(run) or run for run in runs.runs_in(project.runs))


def line_or_none(run: Run) -> RunLine | None:
    """Return what a list says about a run, or None where its files are damaged: the others are shown all the same."""
    try:
        return line(run)
    except DAMAGED:
        return None


def line(run: Run) -> RunLine:
    """Return what a list says about a run."""
    written = _written(run)
    state = runs.state(run, list(written.history))
    has_ended = state not in AT_WORK and run.events.file.is_file()
    return RunLine(
        run=run,
        state=state,
        end=_end_of(written.history),
        recipe=written.recipe,
        asked=written.asked,
        began=written.queued,
        test_accuracy=written.test_accuracy,
        n_test=written.n_test,
        worked_s=written.worked.until_s(run.events.file.stat().st_mtime if has_ended else time.time()),
    )


def _end_of(history: Iterable[Event]) -> str:
    if events.last(history, events.Interrupted):
        return "broken off"
    return "stopped" if events.last(history, events.Stopped) else ""


@dataclass(frozen=True)
class _Written:
    """What the files of a run say that a list shows; ``history`` without what happens thousands of times."""

    history: tuple[Event, ...]
    worked: pace.Worked
    recipe: Recipe
    asked: Recipe
    queued: float
    test_accuracy: float | None
    n_test: int


_Stamps = tuple[tuple[int, int] | None, ...]
_known: dict[Path, tuple[_Stamps, _Written]] = {}
_KNOWN = 5000  # runs; some kilobytes each


def _written(run: Run) -> _Written:
    """Read the files of a run once for every state of them, so that a long list of long runs is quick."""
    files = (run.recipe_file, run.resolved_file, run.report_file, run.events.file)
    stamps = tuple(_stamp(file) for file in files)
    known = _known.get(run.folder)
    if known is None or known[0] != stamps:
        if len(_known) >= _KNOWN:
            _known.clear()
        known = _known[run.folder] = (stamps, _read(run))
    return known[1]


def _stamp(file: Path) -> tuple[int, int] | None:
    """Return what changes with a file, or None where there is none."""
    with contextlib.suppress(FileNotFoundError):
        found = file.stat()
        return found.st_mtime_ns, found.st_size
    return None


def _read(run: Run) -> _Written:
    told = run.events.read(without=(events.BatchEnd, events.Progress, events.Note))[0]
    history = tuple(event for event in events.in_force(told) if not isinstance(event, events.EpochEnd))
    queued = events.last(history, events.Queued)
    report = reports.load(run.report_file) if run.report_file.is_file() else None
    return _Written(
        history=history,
        worked=pace.worked(told),
        recipe=run.recipe(),
        asked=recipes.load(run.recipe_file),
        queued=queued.time if queued else run.folder.stat().st_mtime,
        test_accuracy=report.test_accuracy if report else None,
        n_test=report.n_test if report else 0,
    )
