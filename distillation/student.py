"""The student: Thaw's own backbone with what it needs while it learns, and its state on disk. Imports Keras.

Beside the backbone there are three linear maps to the sizes of the teacher's answers (as in FitNets, Romero et al.
2014, https://arxiv.org/abs/1412.6550); they are thrown away in the end. Four losses:

* ``middle``, ``final``: squared error to the teacher's tensors, place by place on a grid. One view so teaches at
  sixteen places in the middle and four at the end, which counts most when computing is short.
* ``pooled``: squared error of the mean over the picture, which is what a new head will see.
* ``scores``: cross-entropy to the teacher's softened classes.
"""

from pathlib import Path

import keras
import numpy as np

from distillation.answers import FINAL_GRID, MIDDLE_GRID
from distillation.bank import Targets
from distillation.plan import Plan
from distillation.pooling import GridPooling
from tlcore import atomic
from tlcore.backbones import thawnet

MIDDLE_LAYER = "stage3_block3_relu"
BACKBONE = "thawnet"
ROUNDS_DONE = "rounds_done"


class RateOfPlan(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of a plan, looked up by step."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rates = np.float32([plan.rate_at(step) for step in range(plan.steps + 1)])

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        """Return the rate of a step, a scalar float32."""
        return keras.ops.take(self._rates, keras.ops.cast(step, "int32"))

    def get_config(self) -> dict[str, object]:
        """Return nothing that rebuilds it: a student is always built from its plan."""
        return {}


def build(plan: Plan, targets: Targets, side: int) -> keras.Model:
    """Build the student for one picture size, compiled, with random weights settled by the seed.

    Returns:
        A model from (N, S, S, 3) uint8 to ``middle`` (N, 4, 4, 96), ``final`` (N, 2, 2, 1280), ``pooled`` (N, 1280)
        and ``scores`` (N, 1000), all float32, scaled as ``lessons.as_targets`` scales.
    """
    keras.utils.set_random_seed(plan.seed)
    network = thawnet.build(side)
    pictures = keras.Input((side, side, 3), dtype="uint8")
    two = keras.Model(network.input, [network.get_layer(MIDDLE_LAYER).output, network.output], name=BACKBONE)
    middle, features = two(keras.layers.Rescaling(1 / 127.5, offset=-1)(pictures))
    middle = keras.layers.Dense(len(targets.middle_mean), name="middle")(GridPooling(MIDDLE_GRID)(middle))
    final = keras.layers.Dense(len(targets.final_mean), name="final")(GridPooling(FINAL_GRID)(features))
    ratio = targets.final_deviation / targets.pooled_deviation
    pooled = keras.layers.Rescaling(ratio, name="pooled")(keras.layers.GlobalAveragePooling2D()(final))
    scores = keras.layers.Dense(1000, name="scores")(keras.layers.GlobalAveragePooling2D()(features))
    outputs = {"middle": middle, "final": final, "pooled": pooled, "scores": scores}
    model = keras.Model(pictures, outputs)
    optimizer = keras.optimizers.AdamW(RateOfPlan(plan), weight_decay=plan.weight_decay, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer,
        loss={
            "middle": "mean_squared_error",
            "final": "mean_squared_error",
            "pooled": "mean_squared_error",
            "scores": _SoftenedCrossEntropy(plan.temperature),
        },
        loss_weights={"middle": plan.middle_weight, "final": 1.0, "pooled": 1.0, "scores": 1.0},
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    # What the first step would make is made here: TensorFlow traces a step that makes variables twice.
    optimizer.build(model.trainable_variables)
    nothing = {name: np.zeros((1, *output.shape[1:]), "float32") for name, output in outputs.items()}
    model.compute_loss(y=nothing, y_pred=nothing)
    return model


class _SoftenedCrossEntropy(keras.losses.Loss):
    """Cross-entropy of scores divided by a temperature to probabilities."""

    def __init__(self, temperature: float) -> None:
        super().__init__(name="softened_cross_entropy")
        self._temperature = temperature

    def call(self, wanted: keras.KerasTensor, scores: keras.KerasTensor) -> keras.KerasTensor:
        return keras.losses.categorical_crossentropy(wanted, scores / self._temperature, from_logits=True)


def backbone_weights(model: keras.Model) -> dict[str, np.ndarray]:
    """Return the weights of the backbone inside a student, by their path."""
    return {variable.path: np.array(variable) for variable in model.get_layer(BACKBONE).variables}


def save(model: keras.Model, averages: dict[str, np.ndarray], rounds_done: int, file: Path) -> None:
    """Write everything that the next round needs: weights, the optimizer's variables, the averaged weights.

    The count of rounds is in the same file: a session that ends here has either done the round or not.
    """
    arrays = {ROUNDS_DONE: np.array(rounds_done)}
    arrays |= {f"model/{number}": np.array(each) for number, each in enumerate(model.variables)}
    arrays |= {f"optimizer/{number}": np.array(each) for number, each in enumerate(model.optimizer.variables)}
    arrays |= {f"average/{path}": values for path, values in averages.items()}
    with atomic.replacing(file) as beside:
        np.savez(beside, **arrays)


def load(model: keras.Model, file: Path) -> dict[str, np.ndarray]:
    """Read what ``save`` wrote into a student of any picture size, and return the averaged weights."""
    with np.load(file, allow_pickle=False) as arrays:
        for number, variable in enumerate(model.variables):
            variable.assign(arrays[f"model/{number}"])
        for number, variable in enumerate(model.optimizer.variables):
            variable.assign(arrays[f"optimizer/{number}"])
    return averages_in(file)


def averages_in(file: Path) -> dict[str, np.ndarray]:
    """Return the averaged weights of the backbone that ``save`` wrote, by path."""
    with np.load(file, allow_pickle=False) as arrays:
        return {name.removeprefix("average/"): arrays[name] for name in arrays.files if name.startswith("average/")}
