"""How the training steps of a phase are computed here: in which numbers, with XLA or without, in how many parts.

By timing, not by rule: bfloat16 made VGG16 eight times as fast and MobileNetV2 half as fast on the same processor (our
measurement, a CPU with AMX). Each candidate takes some real steps from the same weights on the same batch; of those
whose loss stays with that of float32 the fastest is kept, once per computer, backbone, cut and batch size. Short
trainings are not worth a trial and take float32. Where only float32 is fast nothing is tried either: how long a step
takes is seen from the first ones of the training itself; if they are long and many, it begins once more in parts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from tlcore.training import device, precision, timings
from tlcore.training.batches import TrainingBatches
from tlcore.training.recipe import MOST_PARTS, Recipe

TRIAL_FROM_S = 30.0
"""A trial took 4 to 30 s for three backbones (our measurement, two cores): less work than this is begun at once."""
MULTIPLY_ADDS_PER_S = {"CPU": 4e10, "GPU": 4e12}
"""Only to guess how much work a phase is: ResNet50 forward on two cores, and a hundred times that."""
GAIN = 1.05
"""How many times as fast as float32 another candidate has to be."""
LOSS_ERROR = 0.02
"""By how much of float32's loss that of another candidate may differ, before and after the first update."""
LONGEST_S = 1.0
"""A step that takes longer is computed in parts."""
LEAST_PICTURES = 4
"""In a part: smaller ones leave most of a processor unused."""
WATCHED = 3
"""Steps from which one learns how long they take; the first one is traced and compiled on the way."""
WORTH_S = 180.0
"""A training that is over sooner is not begun once more in parts: 10 to 20 s for ResNet50 (our measurement)."""
_SLOW_S = 5.0


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of a phase.

    Args:
        model: What is trained; its first weights are back in place after a trial.
        training: Its batches.
        compiled: Compiles the model as a recipe says.
        seconds: About how long all of them take, guessed.
        what: Names of everything beside device and versions that the time of a step depends on.
    """

    model: keras.Model
    training: TrainingBatches
    compiled: Callable[[Recipe], None]
    seconds: float
    what: tuple[str, ...]

    def timings(self, asked: Recipe) -> tuple[Any, ...]:
        """Return everything that the time of a step depends on, what the recipe left no choice in among it."""
        fixed = f"asked {asked.precision} {asked.xla}"
        return ("steps", device.take().name, sorted(device.versions().items()), fixed, *self.what)


@dataclass(frozen=True)
class Tried:
    """What a candidate did: losses of its steps from the same weights, and seconds of its quickest one."""

    losses: tuple[float, ...]
    seconds: float

    def is_sound(self, expected: "Tried") -> bool:
        """Return whether its losses stay with those of float32."""
        pairs = zip(self.losses, expected.losses, strict=False)
        return bool(self.losses) and all(abs(own - other) <= LOSS_ERROR * abs(other) for own, other in pairs)


def settle(asked: Recipe, steps: Steps, note: Callable[[str], None]) -> Recipe:
    """Return the recipe with ``precision``, ``xla`` and ``step_parts`` settled; what it says already stays.

    ``step_parts`` stays open where it is to be seen from the first steps of the training: see ``WatchSteps``.

    Args:
        asked: Settled but for these.
        steps: What is to be computed.
        note: Told one sentence for each choice that is not the ordinary one.
    """
    if None not in (asked.precision, asked.xla, asked.step_parts):
        return asked
    plain = _with(asked, asked.precision or "float32", device.uses_xla() if asked.xla is None else asked.xla)
    if steps.seconds < TRIAL_FROM_S:
        return replace(plain, step_parts=asked.step_parts or 1)
    found = timings.get(*steps.timings(asked))
    if found is None:
        candidates = _candidates(asked, plain)
        if not candidates and len(steps.training) >= WATCHED:
            return plain
        found = _try_all(plain, candidates, steps, note)
        timings.put(found, *steps.timings(asked))
    chosen = plain if asked.precision else _with(plain, found["precision"], plain.xla)
    chosen = chosen if asked.xla is not None else _with(chosen, str(chosen.precision), found["xla"])
    return replace(chosen, step_parts=asked.step_parts or parts(found["seconds"], steps.training.batch_size, note))


def state_of(model: keras.Model) -> list[np.ndarray]:
    """Return a copy of everything that a training step changes in a model."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in changing(model)]


def put_back(model: keras.Model, state: list[np.ndarray]) -> None:
    """Give a model the state that ``state_of`` returned."""
    for variable, values in zip(changing(model), state, strict=True):
        variable.assign(values)


def changing(model: keras.Model) -> list[keras.Variable]:
    """Return the variables that a step changes: those that learn, and the seeds of random drops."""
    return [variable for variable in model.variables if variable.trainable or "seed" in variable.path]


def _with(asked: Recipe, numbers: str, xla: bool) -> Recipe:
    return replace(asked, precision=numbers, xla=xla)


def _try_all(plain: Recipe, candidates: list[Recipe], steps: Steps, note: Callable[[str], None]) -> dict[str, object]:
    """Let every candidate take some steps; return the precision and XLA of the fastest sound one, and its seconds."""
    expected = _try(replace(plain, step_parts=1), steps)
    best, fastest = plain, expected.seconds / GAIN
    for candidate in candidates:
        tried = _try(replace(candidate, step_parts=1), steps)
        if tried.is_sound(expected) and tried.seconds < fastest:
            best, fastest = candidate, tried.seconds
    if best != plain:
        compiled = " with XLA" if best.xla and not plain.xla else ""
        faster = f"{expected.seconds / fastest:.1f} times as fast as in float32"
        note(f"Training steps run in {best.precision}{compiled}, {faster}, with the same loss.")
    seconds = expected.seconds if best == plain else fastest
    return {"precision": best.precision, "xla": best.xla, "seconds": seconds}


def _candidates(asked: Recipe, plain: Recipe) -> list[Recipe]:
    """Return what may be tried beside plain float32."""
    precisions = (asked.precision,) if asked.precision else ("float32", *filter(_is_fast, device.reduced()))
    compiled = (asked.xla,) if asked.xla is not None else device.xla_choices()
    found = [_with(plain, str(numbers), bool(xla)) for numbers in precisions for xla in compiled]
    return [candidate for candidate in found if candidate != plain]


def _try(candidate: Recipe, steps: Steps) -> Tried:
    """Take steps on the first batch, and put the weights back; a candidate that needs too much memory took none."""
    before = state_of(steps.model)
    batch = steps.training[0]
    losses, seconds = [], []
    with precision.computing_in(str(candidate.precision), steps.model):
        steps.compiled(candidate)
        try:
            while len(losses) < (2 if seconds and seconds[0] > _SLOW_S else 4):
                began = time.perf_counter()
                losses.append(float(steps.model.train_on_batch(*batch)[0]))
                seconds.append(time.perf_counter() - began)
        except Exception as error:
            if not device.is_out_of_memory(error):
                raise
            return Tried((), float("inf"))
        finally:
            put_back(steps.model, before)
    return Tried(tuple(losses), min(seconds))


def _is_fast(numbers: str) -> bool:
    """Return whether one convolution is not slower in a precision than in float32, so that a trial may pay."""
    rng = np.random.default_rng(0)
    pictures, kernel = rng.normal(size=(8, 28, 28, 128)), rng.normal(size=(3, 3, 128, 128))

    def seconds(dtype: str) -> float:
        x, w = keras.ops.cast(pictures, dtype), keras.ops.cast(kernel, dtype)
        times = []
        for _ in range(3):
            began = time.perf_counter()
            keras.ops.convert_to_numpy(keras.ops.cast(keras.ops.conv(x, w, padding="same"), "float32"))
            times.append(time.perf_counter() - began)
        return min(times)

    return seconds(numbers) <= seconds("float32")


def parts(seconds: float, batch_size: int, note: Callable[[str], None]) -> int:
    """Return in how many parts a step that takes so long is computed."""
    count = 1
    most = min(batch_size // LEAST_PICTURES, MOST_PARTS)
    while seconds / count > LONGEST_S and 2 * count <= most:
        count *= 2
    if count > 1:
        note(
            f"A step of {batch_size} pictures takes {seconds:.1f} seconds here, so it is computed in {count} parts: "
            "the curves and the Stop button need not wait for it. What is learned is the same."
        )
    return count


class StepsAreTimed(Exception):
    """The first steps of a training have told how long a step takes: ``seconds``, too long for one piece."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"A step takes {seconds:.1f} s.")
        self.seconds = seconds


class WatchSteps(keras.callbacks.Callback):
    """Time the first steps of a training, once per computer.

    Args:
        settled: Told the seconds of a step, if the training goes on as it is.
        count: Steps that there will be.

    Raises:
        StepsAreTimed: A step takes too long; nothing but weights and optimizer has changed by then.
    """

    def __init__(self, settled: Callable[[float], None], count: int) -> None:
        super().__init__()
        self.settled = settled
        self.count = count
        self._fastest: float | None = None
        self._seen = 0

    @property
    def is_done(self) -> bool:
        """Return whether it is settled how steps are computed."""
        return self._seen >= WATCHED

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop the clock; decide after the last of the watched steps, or after one that is very slow."""
        self._seen += 1
        if self._seen > WATCHED:
            return
        float((logs or {})["loss"])  # a device may work ahead; who asks for the loss waits until it is there
        if self._seen == 1:
            return
        seconds = time.perf_counter() - self._began
        self._fastest = seconds if self._fastest is None else min(self._fastest, seconds)
        if self._seen < WATCHED and seconds < _SLOW_S:
            return
        self._seen = WATCHED
        if self._fastest > LONGEST_S and self._fastest * self.count > WORTH_S:
            raise StepsAreTimed(self._fastest)
        self.settled(self._fastest)
