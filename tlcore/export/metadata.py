"""What travels with a model: what it is, where it comes from, what it is worth. No TensorFlow here.

``predict.py`` reads ``class_names``, ``resize`` and ``output`` of it; everything else is for people.
"""

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata as installed
from typing import Any

import tlcore
from tlcore import atomic, workspace
from tlcore.backbones import table
from tlcore.errors import ExportError
from tlcore.results import report as reports
from tlcore.runs.run import Run

FORMAT_VERSION = 1

# What the answers of a model depend on; the exact versions go into requirements.txt.
REQUIRED_PACKAGES = ("tensorflow", "keras", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Return the version of Thaw, of Python and of every package that the answers depend on."""
    packages = {name: installed.version(name) for name in REQUIRED_PACKAGES}
    return {"thaw": tlcore.__version__, "python": platform.python_version()} | packages


def of_run(run: Run) -> dict[str, Any]:
    """Return what is written to ``metadata.json``: JSON values only, class names in any script.

    ``image_size`` is in pixels, scores are 0 to 1, ``created`` is the time of the model in ISO 8601 (UTC).

    Raises:
        ExportError: The run has no finished model yet.
    """
    if not run.model_file.is_file() or not run.report_file.is_file():
        raise ExportError(
            "This run has no finished model yet, so there is nothing to hand over.",
            "Wait until it has ended, or start a new training if it failed.",
        )
    recipe, dataset, report = run.recipe(), run.dataset(), reports.load(run.report_file)
    row = table.BACKBONES.get(recipe.backbone)
    return {
        "format_version": FORMAT_VERSION,
        "name": name_of(run),
        "created": created(run).isoformat(timespec="seconds"),
        "class_names": list(dataset.class_names),
        "image_size": recipe.image_size,
        "resize": recipe.resize,
        "output": recipe.activation,
        "backbone": {"name": recipe.backbone, "title": row.title if row else recipe.backbone},
        "versions": versions(),
        "recipe": asdict(recipe),
        "picture_counts": _picture_counts(run),
        "scores": {
            "test_accuracy": report.test_accuracy,
            "test_accuracy_interval": list(report.test_accuracy_interval),
            "n_test": report.n_test,
            "majority_accuracy": report.majority_accuracy,
            "per_class": {name: asdict(scores) for name, scores in report.per_class.items()},
        },
    }


def name_of(run: Run) -> str:
    """Return what people call the model: the name of its project, or of the folder of its pictures."""
    runs_folder = run.folder.resolve().parent
    project = runs_folder.parent / "project.json"
    # Other tools write a project.json too; ours lies in our own folder of projects.
    if runs_folder.parent.parent == workspace.projects_folder() and project.is_file():
        return str(atomic.read_json(project)["name"])
    return run.dataset().root.name or "model"


def created(run: Run) -> datetime:
    """Return when the model was written, in UTC."""
    return datetime.fromtimestamp(run.model_file.stat().st_mtime, UTC)


def _picture_counts(run: Run) -> dict[str, dict[str, int]]:
    """Return how many pictures of every class were for training, checking and the exam."""
    dataset, split = run.dataset(), run.split()
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    counts = {name: dict.fromkeys(parts, 0) for name in dataset.class_names}
    for part, rows in parts.items():
        for row in rows:
            counts[dataset.class_names[dataset.pictures[row].label]][part] += 1
    return counts
