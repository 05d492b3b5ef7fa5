"""The format "keras": the finished model as it is, one file that Keras 3 opens. Keras is imported when it answers."""

from collections.abc import Sequence
from pathlib import Path

from tlcore.results import prediction
from tlcore.results.prediction import Answer
from tlcore.runs.run import Run

MODEL_NAME = "model.keras"


def files(run: Run) -> dict[str, Path]:
    """Return the files of the model: name in the zip -> file on this disk."""
    return {MODEL_NAME: run.model_file}


def answers(folder: Path, pictures: Sequence[Path], resize: str) -> list[Answer]:
    """Return what the unzipped model in a folder says about picture files, as a stranger would get it.

    Raises:
        ExportError: The model cannot be opened.
    """
    return prediction.answers(prediction.load(folder / MODEL_NAME), pictures, resize)
