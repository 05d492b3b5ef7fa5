"""What a project holds, at a glance: counts and the state of its runs. No TensorFlow here."""

import contextlib
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tlcore import project as projects
from tlcore import workspace
from tlcore.errors import UserError
from tlcore.images import answers, finding, intake, pixels, split
from tlcore.images import dataset as datasets
from tlcore.images.answers import Answer
from tlcore.images.dataset import Dataset
from tlcore.images.finding import Finding
from tlcore.images.split import Split
from tlcore.project import Project
from tlcore.results import report as reports
from tlcore.runs import events
from tlcore.runs import run as runs
from tlcore.runs.events import Event, EventLog
from tlcore.runs.run import Run, State
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

AT_WORK: tuple[State, ...] = ("waiting", "running", "stopping", "finishing")


@dataclass(frozen=True)
class RunLine:
    """One run in a list.

    Args:
        run: The run.
        state: Its state now.
        recipe: What was settled, or asked.
        asked: What was asked.
        began: Seconds since 1970.
        test_accuracy: On exam pictures, 0 to 1; None without results.
        n_test: Number of exam pictures.
    """

    run: Run
    state: State
    recipe: Recipe
    asked: Recipe
    began: float
    test_accuracy: float | None
    n_test: int


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
    """Return the runs of a project, newest first."""
    return tuple(line(run) for run in runs.runs_in(project.runs))


def line(run: Run) -> RunLine:
    """Return what a list says about a run."""
    history = list(_milestones(run.events.file))
    has_report = run.report_file.is_file()
    report = reports.load(run.report_file) if has_report else None
    queued = events.last(history, events.Queued)
    return RunLine(
        run=run,
        state=runs.state(run, history),
        recipe=run.recipe(),
        asked=recipes.load(run.recipe_file),
        began=queued.time if queued else run.folder.stat().st_mtime,
        test_accuracy=report.test_accuracy if report else None,
        n_test=report.n_test if report else 0,
    )


def _milestones(file: Path) -> tuple[Event, ...]:
    """Return the events of a run that say how it stands, without the thousands that only say how it went."""
    if not file.exists():
        return ()
    return _read_milestones(file, file.stat().st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _read_milestones(file: Path, changed: int) -> tuple[Event, ...]:
    """Read them once for every state of the file, so that a long list of long runs is quick."""
    frequent = events.BatchEnd | events.EpochEnd | events.Progress | events.Note
    return tuple(event for event in EventLog(file).all() if not isinstance(event, frequent))


def delete(project: Project) -> None:
    """Remove a project with everything in it, and what is cached of its pictures.

    Raises:
        UserError: One of its runs is still at work, or its pictures are being looked over.
    """
    if any(runs.state(run) in AT_WORK for run in runs.runs_in(project.runs)):
        raise UserError(
            f"A run of “{project.name}” is still at work, so the project cannot be deleted.", "Stop the run first."
        )
    if intake.status(project).state == "working":
        raise UserError(
            f"The pictures of “{project.name}” are still being looked over, so the project cannot be deleted.",
            "Wait until that is done.",
        )
    mine = _fingerprints([project.folder])
    projects.delete(project)
    if mine:
        for fingerprint in mine - _fingerprints(workspace.projects_folder().iterdir()):
            pixels.forget(fingerprint)


def _fingerprints(folders: Iterable[Path]) -> set[str]:
    """Return the fingerprints of the pictures of projects, and of their runs, which may have had others."""
    found = set()
    for folder in folders:
        for file in (folder / "dataset.json", *folder.glob("runs/*/dataset.json")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # gone or broken: it names no pictures
                found.add(datasets.load(file).fingerprint)
    return found
