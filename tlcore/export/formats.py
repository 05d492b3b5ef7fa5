"""The table of formats in which a model can leave the house. No TensorFlow here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tlcore.errors import ExportError
from tlcore.export import keras_file
from tlcore.results.prediction import Answer
from tlcore.runs.run import Run


@dataclass(frozen=True)
class Format:
    """One format.

    Args:
        title: For people.
        files: Returns the files of a run's model: name in the zip -> file on this disk.
        answers: Opens the model in an unzipped folder and says what is on picture files, made square as the last
            argument says (crop, stretch or pad).
    """

    title: str
    files: Callable[[Run], dict[str, Path]]
    answers: Callable[[Path, Sequence[Path], str], list[Answer]]


FORMATS: dict[str, Format] = {
    "keras": Format("Keras model with predict.py", keras_file.files, keras_file.answers),
}


def get(name: str) -> Format:
    """Return a format by its name.

    Raises:
        ExportError: There is no such format; lists those there are.
    """
    if name not in FORMATS:
        raise ExportError(f"There is no format named “{name}”.", f"Choose one of: {', '.join(FORMATS)}.")
    return FORMATS[name]
