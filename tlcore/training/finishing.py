"""After training: the model is written, examined on the exam pictures, packed and proven."""

import keras
import numpy as np

from tlcore import atomic
from tlcore.export import package
from tlcore.results import evaluation, prediction, report
from tlcore.runs import events, position
from tlcore.runs.run import Run


def finish(run: Run, model: keras.Model, pixels: np.ndarray) -> None:
    """Write model, report and package of a run whose model holds its best weights, and the event ``finished``.

    Args:
        run: The run.
        model: (N, S, S, 3) -> probabilities.
        pixels: (N, S, S, 3) uint8 of all pictures of the run's dataset.
    """
    save_model(run, model)
    run.events.write(events.Progress("Looking at the exam pictures", 0, 1))
    dataset, rows = run.dataset(), run.split().test
    # The exam is taken by the file that people will get, not by the model in memory.
    saved = prediction.load(run.model_file)
    probabilities = prediction.probabilities(saved, pixels[list(rows)])
    scores = evaluation.evaluate(probabilities, [dataset.pictures[row] for row in rows], dataset.class_names)
    report.save(scores, run.report_file)
    run.events.write(events.Progress("Packing the model", 0, 1))
    package.write(run, run.exports / "keras.zip")
    kept = position.epoch_of(run.best_checkpoint) or 0
    run.events.write(events.Finished(scores.test_accuracy, scores.n_test, kept))


def save_model(run: Run, model: keras.Model) -> None:
    """Write ``model.keras`` without its optimizer, so that anyone can load it and nothing of training is left in."""
    plain = keras.Model(model.input, model.output, name=model.name)
    with atomic.replacing(run.model_file) as beside:
        plain.save(beside)
