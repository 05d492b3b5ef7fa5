"""The epochs of a phase: compiled, announced, answered first where that is possible, and trained. Imports Keras."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from tlcore.runs import events
from tlcore.runs.run import Run
from tlcore.training import first_answer, freezing, precision, rates, settling, snapshot, step
from tlcore.training.batches import FollowEpoch, Rest, ShuffledFeatures
from tlcore.training.callbacks import KeepBest, ObeyStop, WriteEvents
from tlcore.training.feed import feed
from tlcore.training.keeping import Earlier, GoOn, KeepPlace, Span
from tlcore.training.recipe import Recipe
from tlcore.training.snapshot import Metrics
from tlcore.training.supply import Material, Supply


@dataclass(frozen=True)
class Phase:
    """A part of the training with its own set of learning stages; epochs count from 1 and include the last."""

    name: str
    frozen_stages: int
    last_epoch: int


@dataclass(frozen=True, eq=False)
class Learning:
    """Everything that the epochs of a phase need.

    Args:
        run: The run.
        phase: Which.
        material: What it is made of.
        supply: What it learns from.
        best: Keeps the best weights over all phases.
        watched: Told how long a step takes, where that is not known and a step is short enough.
        first_epoch: Of the phase.
    """

    run: Run
    phase: Phase
    material: Material
    supply: Supply
    best: KeepBest
    watched: Callable[[float], Recipe]
    first_epoch: int

    def fit(self, asked: Recipe, earlier: Earlier | None) -> None:
        """Train the epochs that are left, from the beginning of one or from a snapshot.

        Raises:
            StepsAreTimed: Steps take so long that they are to be computed in parts.
            StopAsked, PauseAsked: Someone asked for it.
        """
        phase, training, best = self.phase, self.supply.training, self.best
        training.parts, training.of_classes = asked.step_parts or 1, self._weights_of_classes(asked)
        training.first = 0
        if earlier:
            begun_after, metrics = self._go_on(asked, earlier)
        else:
            begun_after, metrics = best.last_epoch, self._begin(asked)
        n_steps = (phase.last_epoch - best.last_epoch) * len(training)
        watching = None if asked.step_parts else step.WatchSteps(self.watched, n_steps)
        keeping = KeepPlace(self.run, self._span(begun_after), best, training, metrics, watching)
        callbacks = [
            *([watching] if watching else []),
            GoOn(metrics if training.first else ()),
            FollowEpoch(training),
            best,
            WriteEvents(self.run, best, phase.name, training, metrics),
            keeping,
            ObeyStop(self.run),
        ]
        if earlier:
            keeping.has_beginning = earlier.place.is_beginning
        else:
            keeping.now(self.supply.model)
        if training.first:
            training.begin(best.last_epoch + 1)
            self._epochs(feed(Rest(training)), best.last_epoch + 1, callbacks)
            training.first = 0
            if self.supply.model.stop_training:
                return
        self._epochs(feed(training), phase.last_epoch, callbacks)

    def _span(self, begun_after: int) -> Span:
        training = self.supply.training
        training = getattr(training, "features", training)
        return Span(self.phase.name, self.first_epoch, begun_after, isinstance(training, ShuffledFeatures))

    def _begin(self, asked: Recipe) -> Metrics:
        """Compile and announce the phase, and answer first where that is possible."""
        phase, training, best = self.phase, self.supply.training, self.best
        metrics = compiled(self.supply, self.material, asked, phase, phase.last_epoch - best.last_epoch)
        self._announce()
        if phase.name == "head" and best.best_epoch is None and first_answer.is_possible(asked, training):
            self._answer_first(asked)
        return metrics

    def _announce(self) -> None:
        phase, counts = self.phase, freezing.count_learning(self.material.parts.model)
        first_epoch, steps = self.best.last_epoch + 1, len(self.supply.training)
        self.run.events.write(events.PhaseStarted(phase.name, first_epoch, phase.last_epoch, steps, *counts))

    def _go_on(self, asked: Recipe, earlier: Earlier) -> tuple[int, Metrics]:
        """Compile, and take over what the snapshot holds.

        An optimizer that was compiled for steps in other parts starts anew, and so does the epoch.
        """
        phase, place, supply = self.phase, earlier.place, self.supply
        told = events.last(self.run.events.all(), events.PhaseStarted)
        is_told = told is not None and (told.phase, told.steps_per_epoch) == (phase.name, len(supply.training))
        if not is_told:  # lost when the computer went dark, or computed in other parts now
            self._announce()
        metrics = compiled(supply, self.material, asked, phase, phase.last_epoch - place.begun_after)
        is_same = snapshot.assign(earlier.file, self.material.parts.model, supply.model.optimizer, metrics)
        if is_same and place.parts == supply.training.parts:
            supply.training.first = place.step * place.parts
            if not place.step:  # what the check pictures left in them; Keras forgets to, as it has not used them yet
                for metric in metrics:
                    metric.reset_state()
            self.run.events.write(events.WentOn(place.epoch, supply.training.first))
            return place.begun_after, metrics
        self.run.events.write(events.WentOn(place.epoch, 0))
        begun_after = self.best.last_epoch
        return begun_after, compiled(supply, self.material, asked, phase, phase.last_epoch - begun_after)

    def _epochs(self, batches: Any, last_epoch: int, callbacks: list[keras.callbacks.Callback]) -> None:
        """Train from where the best weights' keeper stands to the end of an epoch."""
        training = self.supply.training
        self.supply.model.fit(
            batches,
            validation_data=feed(self.supply.validation),
            initial_epoch=self.best.last_epoch,
            epochs=last_epoch,
            shuffle=False,  # the batches come shuffled
            class_weight=training.of_classes if training.parts == 1 else None,  # parts of batches weigh them themselves
            callbacks=callbacks,
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


def compiled(supply: Supply, material: Material, asked: Recipe, phase: Phase, n_epochs: int) -> Metrics:
    """Compile the model of a phase as a recipe says; return what counts loss and accuracy over an epoch.

    Variables of optimizer and metrics are made here: if the first step makes them, TensorFlow traces it twice, which
    took as long again as the whole training of a small head (our measurement).
    """
    n_steps = n_epochs * len(supply.training) // supply.training.parts
    optimizer = precision.scaled(rates.optimizer(asked, material.parts, phase.name, n_steps), str(asked.precision))
    optimizer.build(supply.model.trainable_variables)
    is_sigmoid = asked.activation == "sigmoid"
    kinds = keras.metrics
    accuracy = (kinds.BinaryAccuracy if is_sigmoid else kinds.SparseCategoricalAccuracy)(name="accuracy")
    supply.model.compile(
        optimizer=optimizer,
        loss="binary_crossentropy" if is_sigmoid else "sparse_categorical_crossentropy",
        metrics=[accuracy],
        jit_compile=bool(asked.xla),
    )
    return supply.model.metrics[0], accuracy
