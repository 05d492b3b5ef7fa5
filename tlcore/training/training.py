"""The story of one run, from a recipe to a proven model. Read it top to bottom."""

from collections.abc import Callable
from dataclasses import dataclass
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
    first_answer,
    freezing,
    rates,
    recipe,
    settling,
)
from tlcore.training.batches import FollowEpoch
from tlcore.training.callbacks import KeepBest, ObeyStop, ReportProgress, StopAsked, WriteEvents
from tlcore.training.features import Source
from tlcore.training.recipe import Recipe
from tlcore.training.supply import Material, Supplier, Supply

# Of all epochs, those for the head alone before stages are opened: random last layers would send large gradients
# into the backbone and destroy what it knows (Kumar et al., arXiv 2202.10054; Keras' transfer learning guide).
HEAD_EPOCHS_SHARE = 0.3


@dataclass(frozen=True)
class Phase:
    """A part of the training with its own set of learning stages; epochs count from 1 and include the last."""

    name: str
    frozen_stages: int
    last_epoch: int


def train(run: Run) -> None:
    """Work on a run from its recipe to the finished results.

    Raises:
        UserError: The run cannot go on, for a reason that the user can mend.
        StopAsked: Someone asked to stop; the best weights so far, if any, are in the run's checkpoint.
    """
    taken = device.take()
    run.events.write(events.Started(taken.kind, taken.name, device.versions()))
    dataset, split = run.dataset(), run.split()
    asked = settle(run, dataset, split)
    array = pixels.pixels(dataset, asked.image_size, asked.resize, ReportProgress(run, "Reading pictures"))
    parts = classifier.build(asked, len(dataset.class_names), fetch_weights(run, asked))
    if asked.weights == "random":
        calibration.calibrate(parts.model, array[sorted(split.train)[:64]])
    source = Source(dataset, array, asked.resize, augmentation.from_recipe(asked), asked.seed)
    material = Material(source, split, _targets(dataset, asked), parts, asked.backbone)
    supplier = Supplier(material, asked, ReportProgress(run, "Running the frozen stages"), _note_to(run))
    best = KeepBest(run, asked.patience if asked.early_stopping else None, parts.model)
    for phase in plan(asked, len(parts.stages)):
        if best.best_epoch is not None:
            checkpoint.assign(parts.model, run.best_checkpoint)
        _fit(run, phase, material, supplier, best)
    run.events.write(events.Trained(checkpoint.assign(parts.model, run.best_checkpoint)))
    if keras.backend.backend() == "tensorflow":  # other backends leave the results to a worker of their own
        finishing.finish(run, parts.model, array)


def settle(run: Run, dataset: Dataset, split: Split) -> Recipe:
    """Turn every "auto" into a value, write it down and say why."""
    settled = settling.settle(recipe.load(run.recipe_file), dataset, split)
    recipe.save(settled.recipe, run.resolved_file)
    if split.left_out:
        count = len(split.left_out)
        one_or_more = "1 picture is left out" if count == 1 else f"{count} pictures are left out"
        reason = "of training: the same is among the check or exam pictures, which would flatter the score"
        run.events.write(events.Note(f"{one_or_more} {reason}."))
    for reason in settled.reasons:
        run.events.write(events.Note(reason))
    return settled.recipe


def fetch_weights(run: Run, asked: Recipe) -> Path | None:
    """Return the file of the backbone's weights, fetched if it is not here, or None for random ones."""
    if asked.weights == "random":
        run.events.write(events.Note("The backbone starts from random weights: it has never seen a picture."))
        return None
    return weights.fetch(table.get(asked.backbone), ReportProgress(run, "Fetching weights"))


def plan(asked: Recipe, n_stages: int) -> tuple[Phase, ...]:
    """Return the phases: first the head on frozen stages, then, unless all is frozen, the open stages too."""
    epochs = int(asked.epochs or 1)
    frozen = recipe.frozen_count(asked, n_stages)
    if frozen == n_stages:
        return (Phase("head", n_stages, epochs),)
    if epochs == 1 or asked.weights == "random":
        return (Phase("fine-tuning", frozen, epochs),)
    head_epochs = max(1, round(epochs * HEAD_EPOCHS_SHARE))
    return Phase("head", n_stages, head_epochs), Phase("fine-tuning", frozen, epochs)


def _fit(run: Run, phase: Phase, material: Material, supplier: Supplier, best: KeepBest) -> None:
    """Train one phase."""
    parts = material.parts
    freezing.freeze(parts, phase.frozen_stages)
    supply = supplier.phase(phase.frozen_stages, best.last_epoch + 1)
    asked, training = supplier.recipe, supply.training
    recipe.save(asked, run.resolved_file)
    if supply.reason:
        run.events.write(events.Note(supply.reason))
    n_epochs = phase.last_epoch - best.last_epoch
    learning, total = freezing.count_learning(parts.model)
    run.events.write(
        events.PhaseStarted(phase.name, best.last_epoch + 1, phase.last_epoch, len(training), learning, total)
    )
    supply.model.compile(
        optimizer=rates.optimizer(asked, parts, phase.name, n_epochs * len(training)),
        loss="binary_crossentropy" if asked.activation == "sigmoid" else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=device.uses_xla(),
    )
    if phase.name == "head" and first_answer.is_possible(asked, training):
        _answer_first(run, material, supply, asked, best)
    supply.model.fit(
        training,
        validation_data=supply.validation,
        initial_epoch=best.last_epoch,
        epochs=phase.last_epoch,
        shuffle=False,  # the batches come shuffled
        class_weight=settling.weights_of_classes(run.dataset(), material.split) if asked.class_weights else None,
        callbacks=[
            FollowEpoch(training),
            best,
            WriteEvents(run, best, phase.name, training.batch_size, len(material.split.train)),
            ObeyStop(run),
        ],
        verbose=0,
    )


def _answer_first(run: Run, material: Material, supply: Supply, asked: Recipe, best: KeepBest) -> None:
    """Fit the final layer in closed form, keep it as a model that can be used, and say what training has to beat."""
    layer = material.parts.head[-1]
    at_random = layer.get_weights()
    weigh = settling.weights_of_classes(run.dataset(), material.split) if asked.class_weights else None
    n_classes = len(run.dataset().class_names)
    found = first_answer.fit_to(supply.training, n_classes, weigh, asked.activation == "sigmoid", asked.seed)
    layer.set_weights([found.kernel, found.bias])
    judged = supply.model.evaluate(supply.validation, verbose=0, return_dict=True)
    best.start_with(judged["loss"])
    run.events.write(events.FirstAnswer(judged["loss"], judged["accuracy"]))
    if asked.head_start == "random":
        layer.set_weights(at_random)


def _note_to(run: Run) -> Callable[[str], None]:
    """Return a function that writes a sentence to the events of a run."""
    return lambda sentence: run.events.write(events.Note(sentence))


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
    parts = classifier.build(run.recipe(), len(run.dataset().class_names), weights=None)
    checkpoint.assign(parts.model, run.best_checkpoint)
    return parts.model


__all__ = ["Phase", "StopAsked", "fetch_weights", "pixels_of", "plan", "rebuild", "settle", "train"]
