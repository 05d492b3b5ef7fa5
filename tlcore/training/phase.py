"""One phase of a training: what learns in it, on what, and the epochs themselves."""

import gc
from dataclasses import replace

import numpy as np

from tlcore.backbones import stage_table, table
from tlcore.runs import events
from tlcore.runs.run import Run
from tlcore.training import (
    checkpoint,
    device,
    freezing,
    keeping,
    learning,
    on_device,
    precision,
    recipe,
    step,
    timings,
)
from tlcore.training.callbacks import KeepBest
from tlcore.training.keeping import Earlier
from tlcore.training.learning import Learning, Phase
from tlcore.training.recipe import Recipe
from tlcore.training.supply import Material, Supplier, Supply

# Of all epochs, those for the head alone before stages are opened: random last layers would send large gradients
# into the backbone and destroy what it knows (Kumar et al., arXiv 2202.10054; Keras' transfer learning guide).
HEAD_EPOCHS_SHARE = 0.3
_BACKWARD = 2  # A step costs about twice as much backward as forward.


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


def fit(
    run: Run, phase: Phase, material: Material, supplier: Supplier, best: KeepBest, earlier: Earlier | None = None
) -> None:
    """Train one phase, from its beginning or from where an earlier process left it.

    Args:
        run: The run.
        phase: Which.
        material: What it is made of.
        supplier: Prepares what it learns from.
        best: Keeps the best weights over all phases.
        earlier: A snapshot of this phase.
    """
    freezing.freeze(material.parts, phase.frozen_stages)
    if earlier:
        best.go_on_from(earlier.place)
    else:
        best.begin()
    first_epoch = earlier.place.first_epoch if earlier else best.last_epoch + 1
    supply = supplier.phase(phase.frozen_stages, first_epoch, earlier.place.is_kept if earlier else None)
    if supply.reason and not earlier:
        supplier.note(supply.reason)
    wanted = supplier.recipe
    asked, steps = _settle_steps(run, phase, supply, supplier, best)
    if earlier and not earlier.place.is_beginning:
        asked = replace(asked, step_parts=asked.step_parts or 1)

    def watched(seconds: float, is_split: bool = False) -> Recipe:
        """Remember how long a step takes, and settle in how many parts it is computed."""
        timings.put({"precision": asked.precision, "xla": asked.xla, "seconds": seconds}, *steps.timings(wanted))
        parts = step.parts(seconds, supply.training.batch_size, supplier.note) if is_split else 1
        return _keep_settled(run, phase, supplier, replace(asked, step_parts=parts))

    held = on_device.hold(supply) if on_device.fits(supply) else supply
    epochs = Learning(run, phase, material, held, best, watched, first_epoch)
    before, done_before = step.state_of(supply.model), best.last_epoch
    while True:
        try:
            with precision.computing_in(str(asked.precision), supply.model):
                epochs.fit(asked, earlier)
            return
        except step.StepsAreTimed as found:
            asked = watched(found.seconds, is_split=True)
        except Exception as error:
            smaller = _halved(asked, error)
            if smaller is None:
                raise
            asked = _keep_settled(run, phase, supplier, smaller)
            _note_parts(run, asked)
        if best.last_epoch > done_before:
            earlier = None  # what the epochs since then have learned stays
        elif earlier is not None:
            earlier = keeping.earlier(run) or earlier  # newer ones may have taken its place
        else:
            step.put_back(supply.model, before)
            if asked.head_start == "fitted" and best.best_epoch == 0:
                checkpoint.assign(material.parts.model, run.best_checkpoint)


def _note_parts(run: Run, asked: Recipe) -> None:
    run.events.write(
        events.Note(
            f"The memory was too small for a whole step, so each is computed in {asked.step_parts} parts from "
            "here on. What is learned is the same."
        )
    )


def _settle_steps(
    run: Run, phase: Phase, supply: Supply, supplier: Supplier, best: KeepBest
) -> tuple[Recipe, step.Steps]:
    """Return the recipe with what settles the steps of this phase, and the steps.

    Only the last phase is worth a trial, and is what the run's recipe tells of; a head that learns before it is small.
    """
    asked, of = supplier.recipe, supplier.material
    epochs = phase.last_epoch - best.last_epoch
    size = str(supply.model.input_shape)
    what = (asked.backbone, str(phase.frozen_stages), size, str(supply.training.batch_size), asked.optimizer)
    seconds = guessed_s(asked, phase.frozen_stages, supply.training.pixels, len(of.split.train) * epochs)
    steps = step.Steps(
        supply.model, supply.training, lambda one: learning.compiled(supply, of, one, phase, epochs), seconds, what
    )
    if phase.last_epoch < int(asked.epochs or 1):
        recipe.save(asked, run.resolved_file)
        return replace(asked, precision="float32", xla=device.uses_xla(), step_parts=asked.step_parts or 1), steps
    return _keep_settled(run, phase, supplier, step.settle(asked, steps, supplier.note)), steps


def _keep_settled(run: Run, phase: Phase, supplier: Supplier, asked: Recipe) -> Recipe:
    """Write down what was settled, if it is what the run's recipe tells of, and return it."""
    if phase.last_epoch == int(asked.epochs or 1):
        supplier.recipe = asked
        recipe.save(asked, run.resolved_file)
    return asked


def guessed_s(asked: Recipe, frozen_stages: int, learned_from: np.ndarray, n_pictures: int) -> float:
    """Return about how many seconds training takes, by the multiply-adds of what a step computes.

    Args:
        asked: Settled.
        frozen_stages: Of the phase.
        learned_from: Features (n, *shape) or pictures (n, S, S, 3).
        n_pictures: How often a picture is learned from, over all epochs.
    """
    row = table.get(asked.backbone)
    of_stages = [stage.multiply_adds for stage in stage_table.anatomy(row.name).stages]
    is_picture = learned_from.shape[-1] == 3 and learned_from.dtype == np.uint8
    each = (1 + _BACKWARD) * sum(of_stages[frozen_stages:]) + is_picture * sum(of_stages[:frozen_stages])
    scale = (int(asked.image_size or row.default_size) / row.default_size) ** 2
    return n_pictures * each * scale / step.MULTIPLY_ADDS_PER_S[device.take().kind]


def _halved(asked: Recipe, error: Exception) -> Recipe | None:
    """Return a recipe with steps in twice as many parts, or None if memory is not the trouble or cannot be helped."""
    parts = 2 * (asked.step_parts or 1)
    if not device.is_out_of_memory(error) or parts > min(int(asked.batch_size or 1), recipe.MOST_PARTS):
        return None
    gc.collect()
    return replace(asked, step_parts=parts)
