"""The story of one run, from a recipe to a proven model. Read it top to bottom."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from tlcore.backbones import table, weights
from tlcore.images import pixels
from tlcore.images.dataset import Dataset
from tlcore.images.split import Split
from tlcore.runs import events
from tlcore.runs.run import Run
from tlcore.training import (
    augmentation,
    calibration,
    checkpoint,
    classifier,
    device,
    finishing,
    keeping,
    phase,
    recipe,
    settling,
)
from tlcore.training.callbacks import KeepBest, PauseAsked, ReportProgress, StopAsked
from tlcore.training.features import Source
from tlcore.training.recipe import Recipe
from tlcore.training.supply import Material, Supplier


def train(run: Run) -> None:
    """Work on a run from its recipe to the finished results.

    Raises:
        UserError: The run cannot go on, for a reason that the user can mend.
        StopAsked: Someone asked to stop; the best weights so far, if any, are in the run's checkpoint.
        PauseAsked: Someone asked to pause; everything needed to go on is in the run's folder.
    """
    model, array = learn(run)
    if keras.backend.backend() == "tensorflow":  # other backends leave the results to a worker of their own
        finishing.finish(run, model, array)


def learn(run: Run) -> tuple[keras.Model, np.ndarray]:
    """Train; return the model with its best weights and the pixel array (N, S, S, 3) uint8 of all pictures.

    Raises:
        UserError: As in ``train``.
        StopAsked: As in ``train``.
        PauseAsked: As in ``train``.
    """
    dataset, split = run.dataset(), run.split()
    asked = settle(run, dataset, split)
    taken = device.take(asked.threads)
    run.events.write(events.Started(taken.kind, taken.name, device.versions()))
    earlier = keeping.earlier(run) or keeping.begin_anew(run)
    array = pixels.pixels(dataset, asked.image_size, asked.resize, ReportProgress(run, "Reading pictures"))
    parts = classifier.build(asked, len(dataset.class_names), fetch_weights(run, asked))
    if asked.weights == "random":
        calibration.calibrate(parts.model, array[sorted(split.train)[:64]])
    source = Source(dataset, array, asked.resize, augmentation.from_recipe(asked), asked.seed)
    material = Material(source, split, _targets(dataset, asked), parts, asked.backbone)
    passing = ReportProgress(run, "Running the frozen stages")
    supplier = Supplier(material, asked, passing, _note_to(run), run.folder)
    best = KeepBest(run, asked.patience if asked.early_stopping else None, parts.model)
    for part in phase.plan(asked, len(parts.stages)):
        if earlier and earlier.place.phase != part.name:
            continue  # it was over before
        if best.best_epoch is not None:
            checkpoint.assign(parts.model, run.best_checkpoint)
        phase.fit(run, part, material, supplier, best, earlier)
        earlier = None
    run.keep_better()
    keeping.end(run, checkpoint.assign(parts.model, run.best_checkpoint))
    return parts.model, array


def settle(run: Run, dataset: Dataset, split: Split) -> Recipe:
    """Turn every "auto" into a value, write it down and say why; a run that goes on keeps what was settled."""
    if run.resolved_file.exists():
        return recipe.load(run.resolved_file)
    settled = settling.settle(recipe.load(run.recipe_file), dataset, split)
    if split.left_out:
        count = len(split.left_out)
        one_or_more = "1 picture is left out" if count == 1 else f"{count} pictures are left out"
        reason = "of training: the same is among the check or exam pictures, which would flatter the score"
        run.events.write(events.Note(f"{one_or_more} {reason}."))
    for reason in settled.reasons:
        run.events.write(events.Note(reason))
    recipe.save(settled.recipe, run.resolved_file)
    return settled.recipe


def fetch_weights(run: Run, asked: Recipe) -> Path | None:
    """Return the file of the backbone's weights, fetched if it is not here, or None for random ones."""
    if asked.weights == "random":
        _note(run, "The backbone starts from random weights: it has never seen a picture.")
        return None
    return weights.fetch(table.get(asked.backbone), ReportProgress(run, "Fetching weights"))


def _note_to(run: Run) -> Callable[[str], None]:
    """Return a function that writes a sentence to the events of a run, once however often it is resumed."""
    return lambda sentence: _note(run, sentence)


def _note(run: Run, sentence: str) -> None:
    if sentence not in {note.message for note in events.of_type(run.events.all(), events.Note)}:
        run.events.write(events.Note(sentence))


def _targets(dataset: Dataset, asked: Recipe) -> np.ndarray:
    """Return what the model shall answer: (N,) int32 labels, or (N, 1) float32 of 0 and 1 for sigmoid."""
    labels = np.array([picture.label for picture in dataset.pictures], "int32")
    return labels.astype("float32")[:, None] if asked.activation == "sigmoid" else labels


def pixels_of(run: Run) -> np.ndarray:
    """Return the pixel array of a settled run: (N, S, S, 3) uint8."""
    asked = run.recipe()
    return pixels.pixels(run.dataset(), int(asked.image_size or 0), asked.resize)


def rebuild(run: Run) -> keras.Model:
    """Build the model of a run again with its best weights.

    Raises:
        TrainingError: The checkpoint does not fit the recipe.
    """
    return rebuilt(run).model


def rebuilt(run: Run) -> classifier.Classifier:
    """Return the same model as ``rebuild`` with its parts."""
    parts = classifier.build(run.recipe(), len(run.dataset().class_names), weights=None)
    checkpoint.assign(parts.model, run.best_checkpoint)
    return parts


__all__ = ["PauseAsked", "StopAsked", "fetch_weights", "learn", "pixels_of", "rebuild", "rebuilt", "settle", "train"]
