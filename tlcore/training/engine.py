"""The fastest sound way on this computer to run the frozen stages. Imports Keras; OpenVINO where it is installed.

The first batches run in Keras and are timed; nothing is computed only to be timed. If much is still to come, OpenVINO
is built and takes over if it answers the same and faster; that is remembered per computer, backbone, cut and size.
bfloat16 is tried only where the processor has it, and only kept if the features of 256 pictures keep their direction
(mean cosine 0.999) and the top class of at least 99 % of them. The model that is saved and examined is never touched.
"""

import importlib
import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from tlcore.training import device, timings
from tlcore.training.boundary import Boundary
from tlcore.training.features import BATCH_SIZE, Pass, Switched

TRIED = 256
"""Pictures on which reduced precision has to prove itself."""
KEPT_CLASS, COSINE, FLOAT32_ERROR = 0.99, 0.999, 1e-3
BUILD_S, TRACED_S = 3.5, 1.0
"""Building OpenVINO's network took 1.3 to 5 s for four backbones, Keras' first batch 0.5 to 1.1 s more than a later one
(our measurement, two cores). Both are guesses only until this computer has built one itself."""
WORTH = 1.5
"""How many times what building takes must still be to come, so that another engine of unknown speed may pay: it was
1.5 to 3.5 times as fast as Keras."""
REDUCED = "openvino bfloat16"
COMPARED = 8
"""Pictures of the first batch on which an engine that is remembered has to agree with Keras again."""
GAIN = 1.1
"""How many times as fast another engine has to be."""


class Engine:
    """Runs the frozen stages, batch by batch; see ``features.Pass``.

    Args:
        boundary: The cut.
        backbone: Name of its row in the table.
        passes: How many pictures have to pass in all, as far as that is known.
        note: Told one sentence when another engine than Keras takes over.
        settled: The one that the run has been made with so far; it stays, if it answers as Keras does.
    """

    def __init__(self, boundary: Boundary, backbone: str, passes: int, note: Callable[[str], None],
                 settled: str | None = None) -> None:  # fmt: skip
        self.boundary = boundary
        self.passes = passes
        self.note = note
        self.settled = settled
        self.used: str | None = None
        self._what = (device.take().name, sorted(device.versions().items()), backbone, boundary.place,
                      boundary.frozen.input_shape[1])  # fmt: skip
        self._known: dict[str, Any] = timings.get(*self._what) or {}
        self._pass: Pass | None = None
        self._batches = 0

    @property
    def precision(self) -> str:
        """Return "float32", or "bfloat16" where that was tried and found sound."""
        return "bfloat16" if self._name == REDUCED else "float32"

    @property
    def _name(self) -> str:
        """Return the engine to begin with, as far as speed and sameness are known."""
        name = self.settled or str(self._known.get("engine", "keras"))
        return "openvino" if name == REDUCED and self._known.get("engine") != REDUCED else name

    @property
    def pictures_per_s(self) -> float | None:
        """Return how fast it runs, or None as long as nothing was timed on this computer."""
        return self._known.get(self._known.get("engine", "keras"))

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Return the features of one batch: (B, S, S, 3) float32 -> (B, *shape) float32."""
        if self._pass is None:
            self._pass = self._start(pictures)
        answers, seconds = _timed(self._pass, pictures)
        self._batches += 1
        if self._batches == 2:  # the first one was traced and compiled on the way
            self._learn(pictures, answers, seconds)
        return answers

    def settle(self) -> str:
        """Stay with the engine that has been used so far, or is known as the best, and return it."""
        self.settled = self.settled or self.used or self._name
        return self.settled

    def for_a_file(self, pictures: np.ndarray) -> np.ndarray:
        """Do the same.

        Raises:
            Switched: Another engine takes over from here on.
        """
        before = self._pass
        answers = self(pictures)
        if before is not None and self._pass is not before:
            raise Switched
        return answers

    def try_reduced(self, pictures: np.ndarray, labels: Sequence[int]) -> None:
        """Find out once per computer whether bfloat16 is faster and sound; worth it only before much work.

        Args:
            pictures: (n, S, S, 3) uint8, some hundreds of those that will pass.
            labels: The class of each.
        """
        name = REDUCED
        is_wanted = self.settled == name if self.settled else self.passes >= 4 * TRIED
        if name in self._known or not is_wanted or name not in installed():
            return
        ours, theirs = ENGINES["keras"](self.boundary.frozen), ENGINES[name](self.boundary.frozen)
        expected, keras_s = _all(ours, pictures[:TRIED])
        found, reduced_s = _all(theirs, pictures[:TRIED])
        count = len(expected)
        self._known |= {"keras": count / keras_s, name: count / reduced_s}
        is_worth_it = self.settled == name or keras_s > GAIN * reduced_s  # settled, it need only be sound
        if is_worth_it and is_sound(expected, found, labels[:TRIED]):
            self._known["engine"] = name
            self.note(f"The frozen stages run in bfloat16, {keras_s / reduced_s:.1f} times as fast as in float32.")
        timings.put(self._known, *self._what)

    def _start(self, pictures: np.ndarray) -> Pass:
        """Return the engine to begin with: the one that is remembered, compared with Keras on the first batch."""
        name = self._name
        is_worth_it = bool(self.settled) or self.precision != "float32" or self._saved_s() + TRACED_S > self._build_s
        self.used = "keras"
        if name == "keras" or not is_worth_it or name not in installed():
            return ENGINES["keras"](self.boundary.frozen)
        built = ENGINES[name](self.boundary.frozen)
        # A few pictures, untraced: tracing takes longer than what is to be learned from it.
        expected = keras.ops.convert_to_numpy(self.boundary.frozen(pictures[:COMPARED], training=False))
        error = _error(expected, built(pictures)[:COMPARED])
        if error <= (FLOAT32_ERROR if self.precision == "float32" else 0.1):
            self.used = name
            return built
        self.note(f"{name} answered otherwise than Keras (by {error:.2g}), so Keras runs the frozen stages.")
        return ENGINES["keras"](self.boundary.frozen)

    @property
    def _build_s(self) -> float:
        """Return how long building OpenVINO's network takes, as it did here or as it usually does."""
        return float(self._known.get("build", BUILD_S))

    def _saved_s(self) -> float:
        """Return how many seconds OpenVINO would save, as far as both were timed on this computer."""
        if not {"keras", "openvino"} <= self._known.keys():
            return 0.0
        return self.passes * (1 / self._known["keras"] - 1 / self._known["openvino"])

    def _learn(self, pictures: np.ndarray, answers: np.ndarray, seconds: float) -> None:
        """Remember how fast Keras is, and let OpenVINO take over if that pays."""
        if self.settled or "engine" in self._known:
            return
        self._remember(keras=len(pictures) / seconds)
        left_s = (self.passes - 2 * BATCH_SIZE) * seconds / len(pictures)
        if left_s < WORTH * self._build_s or "openvino" not in installed():
            return
        began = time.perf_counter()
        built = ENGINES["openvino"](self.boundary.frozen)
        build_s = time.perf_counter() - began
        error = _error(answers, built(pictures))
        _, theirs = _timed(built, pictures)
        is_better = error <= FLOAT32_ERROR and seconds > GAIN * theirs
        self._remember(openvino=len(pictures) / theirs, build=build_s, engine="openvino" if is_better else "keras")
        if is_better:
            self._pass, self.used = built, "openvino"
            faster = f"{seconds / theirs:.1f} times as fast as Keras"
            self.note(f"OpenVINO runs the frozen stages, {faster}, and answers the same.")

    def _remember(self, **found: Any) -> None:
        self._known |= found
        timings.put(self._known, *self._what)


def is_sound(expected: np.ndarray, found: np.ndarray, labels: Sequence[int]) -> bool:
    """Return whether features of reduced precision may stand for those of Keras.

    Args:
        expected: (n, ..., D) float32, from Keras.
        found: The same from the other engine.
        labels: The class of each picture; the head that judges is fitted to them by least squares.
    """
    first, second = _pooled(expected), _pooled(found)
    if not np.isfinite(second).all():
        return False
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosine = float(np.mean((first * second).sum(axis=1) / np.maximum(norms, 1e-12)))
    head = _head(first, np.asarray(labels))
    same = float(np.mean((first @ head).argmax(axis=1) == (second @ head).argmax(axis=1)))
    return cosine >= COSINE and same >= KEPT_CLASS


def installed() -> tuple[str, ...]:
    """Return the engines that can run here. OpenVINO runs on processors, so it is none where there is a GPU."""
    if importlib.util.find_spec("openvino") is None or keras.backend.backend() != "tensorflow":
        return ("keras",)
    if device.take().kind != "CPU":
        return ("keras",)
    has_bfloat16 = "BF16" in _package().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ("keras", "openvino", *(("openvino bfloat16",) if has_bfloat16 else ()))


def _head(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return a linear head fitted by least squares: (D, C)."""
    wanted = np.eye(labels.max() + 1)[labels]
    ridge = 1e-2 * np.trace(features.T @ features) / features.shape[1]
    return np.linalg.solve(features.T @ features + ridge * np.eye(features.shape[1]), features.T @ wanted)


def _pooled(features: np.ndarray) -> np.ndarray:
    """Return the mean over the picture: (n, D) float64."""
    return features.reshape(len(features), -1, features.shape[-1]).mean(axis=1, dtype="float64")


def _error(expected: np.ndarray, found: np.ndarray) -> float:
    """Return the largest difference as a share of the largest feature; infinite where one is not a number."""
    difference = float(np.abs(expected - found).max() / max(float(np.abs(expected).max()), 1e-12))
    return difference if np.isfinite(difference) else float("inf")


def _timed(run_pass: Pass, batch: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the features of a batch and the seconds they took."""
    began = time.perf_counter()
    answers = run_pass(batch)
    return answers, time.perf_counter() - began


def _all(run_pass: Pass, pictures: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the features of pictures in whole batches, and the seconds they took after the first."""
    batches = [pictures[start : start + BATCH_SIZE] for start in range(0, len(pictures) - BATCH_SIZE + 1, BATCH_SIZE)]
    run_pass(batches[0].astype("float32"))
    found = [_timed(run_pass, batch.astype("float32")) for batch in batches]
    return np.concatenate([answers for answers, _ in found]), sum(seconds for _, seconds in found)


def _package() -> Any:
    """Import OpenVINO without the part that tells its maker of every network it is given: nobody asked for that."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # to Python: it is not installed
    return importlib.import_module("openvino")


def _openvino(model: keras.Model, precision: str) -> Pass:
    """Compile a model with OpenVINO for batches of one size."""
    openvino = _package()
    with tempfile.TemporaryDirectory() as folder:
        model.export(f"{folder}/frozen.xml", format="openvino", verbose=False)
        network = openvino.Core().read_model(f"{folder}/frozen.xml")
        network.reshape([BATCH_SIZE, *model.input_shape[1:]])
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        compiled = openvino.compile_model(network, "CPU", options)
    return lambda pictures: compiled([pictures])[0]


ENGINES: dict[str, Callable[[keras.Model], Pass]] = {
    "keras": lambda model: model.predict_on_batch,
    "openvino": lambda model: _openvino(model, "f32"),
    "openvino bfloat16": lambda model: _openvino(model, "bf16"),
}
"""Ways to run the frozen stages, each built from their model."""
