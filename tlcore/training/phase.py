"""One phase of a training: what learns in it, on what, and the epochs themselves."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np

from tlcore.backbones import stage_table, table
from tlcore.runs import events
from tlcore.runs.run import Run
from tlcore.training import (
    checkpoint,
    device,
    first_answer,
    freezing,
    on_device,
    precision,
    rates,
    recipe,
    settling,
    step,
    timings,
)
from tlcore.training.batches import FollowEpoch
from tlcore.training.callbacks import KeepBest, ObeyStop, WriteEvents
from tlcore.training.feed import feed
from tlcore.training.recipe import Recipe
from tlcore.training.supply import Material, Supplier, Supply

# Of all epochs, those for the head alone before stages are opened: random last layers would send large gradients
# into the backbone and destroy what it knows (Kumar et al., arXiv 2202.10054; Keras' transfer learning guide).
HEAD_EPOCHS_SHARE = 0.3
_BACKWARD = 2  # A step costs about twice as much backward as forward.


@dataclass(frozen=True)
class Phase:
    """A part of the training with its own set of learning stages; epochs count from 1 and include the last."""

    name: str
    frozen_stages: int
    last_epoch: int


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


def fit(run: Run, phase: Phase, material: Material, supplier: Supplier, best: KeepBest) -> None:
    """Train one phase."""
    freezing.freeze(material.parts, phase.frozen_stages)
    supply = supplier.phase(phase.frozen_stages, best.last_epoch + 1)
    if supply.reason:
        run.events.write(events.Note(supply.reason))
    wanted = supplier.recipe
    asked, steps = _settle_steps(run, phase, supply, supplier, best)

    def watched(seconds: float, is_split: bool = False) -> Recipe:
        """Remember how long a step takes, and settle in how many parts it is computed."""
        timings.put({"precision": asked.precision, "xla": asked.xla, "seconds": seconds}, *steps.timings(wanted))
        parts = step.parts(seconds, supply.training.batch_size, supplier.note) if is_split else 1
        return _keep_settled(run, phase, supplier, replace(asked, step_parts=parts))

    held = on_device.hold(supply) if on_device.fits(supply) else supply
    learning = _Learning(run, phase, material, held, best, watched)
    before = step.state_of(supply.model)
    first_epoch = best.last_epoch
    while True:
        try:
            with precision.computing_in(str(asked.precision), supply.model):
                learning.fit(asked)
            return
        except step.StepsAreTimed as found:
            asked = watched(found.seconds, is_split=True)
        except Exception as error:
            smaller = _halved(asked, error)
            if smaller is None:
                raise
            asked = _keep_settled(run, phase, supplier, smaller)
            run.events.write(
                events.Note(
                    f"The memory was too small for a whole step, so each is computed in {asked.step_parts} parts from "
                    "here on. What is learned is the same."
                )
            )
        if best.last_epoch == first_epoch:
            step.put_back(supply.model, before)
            if asked.head_start == "fitted" and best.best_epoch == 0:
                checkpoint.assign(material.parts.model, run.best_checkpoint)


@dataclass(frozen=True, eq=False)
class _Learning:
    """Everything that the epochs of a phase need."""

    run: Run
    phase: Phase
    material: Material
    supply: Supply
    best: KeepBest
    watched: Callable[[float], Recipe]

    def fit(self, asked: Recipe) -> None:
        """Compile, announce, answer first where that is possible, and train the epochs that are left."""
        run, phase, supply, best = self.run, self.phase, self.supply, self.best
        of_classes = self._weights_of_classes(asked)
        supply.training.parts, supply.training.of_classes = asked.step_parts or 1, of_classes
        learning, total = freezing.count_learning(self.material.parts.model)
        span = best.last_epoch + 1, phase.last_epoch
        run.events.write(events.PhaseStarted(phase.name, *span, len(supply.training), learning, total))
        _compile(supply, self.material, asked, phase, phase.last_epoch - best.last_epoch)
        if phase.name == "head" and best.best_epoch is None and first_answer.is_possible(asked, supply.training):
            self._answer_first(asked)
        n_steps = (phase.last_epoch - best.last_epoch) * len(supply.training)
        supply.model.fit(
            feed(supply.training),
            validation_data=feed(supply.validation),
            initial_epoch=best.last_epoch,
            epochs=phase.last_epoch,
            shuffle=False,  # the batches come shuffled
            class_weight=of_classes if supply.training.parts == 1 else None,  # parts of batches weigh them themselves
            callbacks=[
                *([] if asked.step_parts else [step.WatchSteps(self.watched, n_steps)]),
                FollowEpoch(supply.training),
                best,
                WriteEvents(run, best, phase.name, supply.training),
                ObeyStop(run),
            ],
            verbose=0,
        )

    def _answer_first(self, asked: Recipe) -> None:
        """Fit the final layer in closed form, keep it as a model that can be used, and say what there is to beat."""
        layer = self.material.parts.head[-1]
        at_random = layer.get_weights()
        n_classes = len(self.run.dataset().class_names)
        weigh = self._weights_of_classes(asked)
        found = first_answer.fit_to(self.supply.training, n_classes, weigh, asked.activation == "sigmoid", asked.seed)
        layer.set_weights([found.kernel, found.bias])
        judged = self.supply.model.evaluate(feed(self.supply.validation), verbose=0, return_dict=True)
        self.best.start_with(judged["loss"])
        self.run.events.write(events.FirstAnswer(judged["loss"], judged["accuracy"]))
        if asked.head_start == "random":
            layer.set_weights(at_random)

    def _weights_of_classes(self, asked: Recipe) -> dict[int, float] | None:
        return settling.weights_of_classes(self.run.dataset(), self.material.split) if asked.class_weights else None


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
        supply.model, supply.training, lambda one: _compile(supply, of, one, phase, epochs), seconds, what
    )
    if phase.last_epoch < int(asked.epochs or 1):
        recipe.save(asked, run.resolved_file)
        return replace(asked, precision="float32", xla=device.uses_xla(), step_parts=1), steps
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


def _compile(supply: Supply, material: Material, asked: Recipe, phase: Phase, n_epochs: int) -> None:
    """Compile the model of a phase as a recipe says.

    Variables of optimizer and metrics are made here: if the first step makes them, TensorFlow traces it twice, which
    took as long again as the whole training of a small head (our measurement).
    """
    n_steps = n_epochs * len(supply.training) // supply.training.parts
    optimizer = precision.scaled(rates.optimizer(asked, material.parts, phase.name, n_steps), str(asked.precision))
    optimizer.build(supply.model.trainable_variables)
    is_sigmoid = asked.activation == "sigmoid"
    metrics = keras.metrics
    accuracy = (metrics.BinaryAccuracy if is_sigmoid else metrics.SparseCategoricalAccuracy)(name="accuracy")
    supply.model.compile(
        optimizer=optimizer,
        loss="binary_crossentropy" if is_sigmoid else "sparse_categorical_crossentropy",
        metrics=[accuracy],
        jit_compile=bool(asked.xla),
    )


def _halved(asked: Recipe, error: Exception) -> Recipe | None:
    """Return a recipe with steps in twice as many parts, or None if memory is not the trouble or cannot be helped."""
    parts = 2 * (asked.step_parts or 1)
    if not device.is_out_of_memory(error) or parts > int(asked.batch_size or 1):
        return None
    gc.collect()
    return replace(asked, step_parts=parts)
