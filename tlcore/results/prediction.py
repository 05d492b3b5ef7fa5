"""Model and pictures in, probabilities out. Keras is imported when a model is opened, and only workers open one.

The web process may import this module (it costs nothing until ``load`` is called) but never calls it.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tlcore import quiet, sparing
from tlcore.errors import ExportError
from tlcore.images import picture
from tlcore.runs.run import Run

if TYPE_CHECKING:
    import keras

Progress = Callable[[int, int], None]

# Reading a picture leaves Python's lock for most of its time; more threads than this only wait for the disk.
_READERS = 4


@dataclass(frozen=True)
class Answer:
    """What a model says about one file.

    Args:
        file: The file that was asked about.
        probabilities: One per class in the order of labels, adding up to 1; empty when the file could not be read.
        problem: Why it could not be read, in words that go on after its name ("is empty"); "" when it could.
    """

    file: Path
    probabilities: tuple[float, ...] = ()
    problem: str = ""


def load(model_file: Path) -> "keras.Model":
    """Open a finished model, not compiled, ready to answer.

    Float32 products stay float32 on a graphics card too: the TF32 shortcut changes answers in the third digit, so
    the same model would not give the same numbers elsewhere.

    Raises:
        ExportError: The file is missing, cut short or not a model.
    """
    if not model_file.is_file():
        raise ExportError(
            f"There is no finished model at {model_file}.", "Wait until the training has ended, or train again."
        )
    with quiet.standard_error_held_back(), sparing.quick_import():
        import keras
        import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        model = keras.saving.load_model(model_file, compile=False)
    except Exception as error:  # Keras lets errors of zip, HDF5, JSON and its own layers through as they come
        raise ExportError(
            f"The model {model_file.name} cannot be opened: the file is damaged or was written by other versions.",
            "Take a fresh copy of it, or train again.",
            detail=f"{type(error).__name__}: {error}",
        ) from error
    model.jit_compile = False  # XLA made depthwise networks ten times slower on CPUs
    return model


def side(model: "keras.Model") -> int:
    """Return the side of the square pictures that a model takes, in pixels."""
    return int(model.input_shape[1])


def probabilities(
    model: "keras.Model",
    pixels: np.ndarray,
    batch_size: int = 64,
    progress: Progress | None = None,
    rows: Sequence[int] | None = None,
) -> np.ndarray:
    """Return how sure a model is of every class, for many pictures.

    Pixels are taken from the array batch by batch, so a memory-mapped array of any length will do.

    Args:
        model: Takes (N, S, S, 3) float32, 0–255; answers (N, C) softmax or, for two classes, (N, 1) sigmoid.
        pixels: (N, S, S, 3) uint8 array or memory map.
        batch_size: Pictures that are in memory at a time.
        progress: Called with pictures done and pictures in all.
        rows: Which pictures, in which order; all of them by default.

    Returns:
        (N, C) float32, each row adding up to 1; two columns also for a sigmoid output.
    """
    wanted = np.arange(len(pixels)) if rows is None else np.asarray(rows, dtype=np.int64)
    parts = []
    for start in range(0, len(wanted), batch_size):
        chosen = wanted[start : start + batch_size]
        parts.append(_probabilities_of_batch(model, pixels[chosen]))
        if progress is not None:
            progress(start + len(chosen), len(wanted))
    if not parts:
        return np.zeros((0, max(2, int(model.output_shape[-1]))), dtype=np.float32)
    return np.concatenate(parts)


def _probabilities_of_batch(model: "keras.Model", pixels: np.ndarray) -> np.ndarray:
    """Return (N, C) float32 for (N, S, S, 3) uint8 pixels that are in memory."""
    raw = np.asarray(model.predict_on_batch(np.asarray(pixels, dtype=np.float32)), dtype=np.float32)
    return np.concatenate([1 - raw, raw], axis=1) if raw.shape[1] == 1 else raw


def answers(
    model: "keras.Model",
    files: Sequence[Path],
    resize: str,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> list[Answer]:
    """Return what a model says about picture files, in their order; a file that cannot be read stops nothing.

    Args:
        model: As for ``probabilities``.
        files: Pictures of any kind that Thaw reads.
        resize: How a picture becomes square: crop, stretch or pad.
        batch_size: Pictures that are in memory at a time.
        progress: Called with files done and files in all.
    """
    found: list[Answer] = []
    for batch in _read_in_batches(files, side(model), resize, batch_size):
        readable = [pixels for pixels in batch if isinstance(pixels, np.ndarray)]
        rows = iter(_probabilities_of_batch(model, np.stack(readable)) if readable else ())
        for pixels in batch:
            file = files[len(found)]
            if isinstance(pixels, str):
                found.append(Answer(file, problem=pixels))
            else:
                found.append(Answer(file, tuple(float(share) for share in next(rows))))
        if progress is not None:
            progress(len(found), len(files))
    return found


def _read_in_batches(
    files: Sequence[Path], side: int, resize: str, batch_size: int
) -> Iterator[list[np.ndarray | str]]:
    """Yield batches of (S, S, 3) uint8 pixels, with the reason in place of those that cannot be read."""
    with ThreadPoolExecutor(_READERS) as readers:
        for start in range(0, len(files), batch_size):
            yield list(readers.map(lambda file: _read(file, side, resize), files[start : start + batch_size]))


def _read(file: Path, side: int, resize: str) -> np.ndarray | str:
    """Return (S, S, 3) uint8 pixels, or the reason why a file cannot be read."""
    try:
        return picture.read(file, side, resize)
    except picture.Unreadable as error:
        return str(error)


def predict(run: Run, files: Sequence[Path], progress: Progress | None = None) -> list[Answer]:
    """Return what the model of a finished run says about picture files, in their order.

    Probabilities are in the order of ``run.dataset().class_names``.

    Raises:
        ExportError: The run has no finished model.
    """
    return answers(load(run.model_file), files, run.recipe().resize, progress=progress)
