"""After training: the model is written, examined on the exam pictures, packed and proven."""

from pathlib import Path

import keras
import numpy as np

from tlcore import atomic, pins
from tlcore.errors import ExportError
from tlcore.export import package, parity
from tlcore.results import evaluation, prediction, report
from tlcore.runs import events, position
from tlcore.runs import run as runs
from tlcore.runs.run import Run
from tlcore.training import snapshot
from tlcore.training.callbacks import ReportProgress


def finish(run: Run, model: keras.Model, pixels: np.ndarray) -> None:
    """Write model, report and package of a run whose model holds its best weights, and the event ``finished``.

    Args:
        run: The run.
        model: (N, S, S, 3) -> probabilities.
        pixels: (N, S, S, 3) uint8 of all pictures of the run's dataset.
    """
    for file in (run.model_file, _package_of(run)):
        atomic.sweep(file)
    parity.sweep(run.exports)
    save_model(run, model)
    dataset, rows = run.dataset(), run.split().test
    # The exam is taken by the file that people will get, not by the model in memory.
    saved = prediction.load(run.model_file)
    looking = ReportProgress(run, "Looking at the exam pictures", obeys_stop=False)
    probabilities = prediction.probabilities(saved, pixels, progress=looking, rows=rows)
    scores = evaluation.evaluate(probabilities, [dataset.pictures[row] for row in rows], dataset.class_names)
    _package_of(run).unlink(missing_ok=True)  # of an earlier end: another model than the one these scores are of
    report.save(scores, run.report_file)
    _pack(run, saved)
    kept = position.epoch_of(run.best_checkpoint) or 0
    history = run.events.all()
    if not runs.has_broken_off(history):  # who goes on after that needs the very same numbers, and the place
        pins.release(run.folder)
        snapshot.remove(run.checkpoints)
    run.events.write(events.Finished(scores.test_accuracy, scores.n_test, kept))


def _package_of(run: Run) -> Path:
    return run.exports / "keras.zip"


def _pack(run: Run, saved: keras.Model) -> None:
    """Write the package. Model and report are there by now, so a failure is said and is not the end of the run."""
    try:
        package.write(
            run,
            _package_of(run),
            model=saved,
            progress=ReportProgress(run, "Packing and proving the model", obeys_stop=False),
        )
    except ExportError as error:
        run.events.write(events.NotPacked(f"The package for downloading could not be made: {error}"))


def save_model(run: Run, model: keras.Model) -> None:
    """Write ``model.keras`` without its optimizer, so that anyone can load it and nothing of training is left in."""
    plain = keras.Model(model.input, model.output, name=model.name)
    with atomic.replacing(run.model_file, durable=True) as beside:
        plain.save(beside)
