"""The teacher: MobileNetV2 with its ImageNet classes, asked about views. Imports Keras.

Sandler et al. 2018, https://arxiv.org/abs/1801.04381. Its answer to a view is what its layers hold: a tensor in the
middle, the last one, and the scores of its 1,000 classes. Nobody's labels are needed.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from distillation.answers import FINAL_GRID, MIDDLE_GRID, Answers
from distillation.plan import ENGINES, VIEW_SIDE
from distillation.pooling import GridPooling

MIDDLE_LAYER, FINAL_LAYER = "block_12_add", "out_relu"
_BATCH = 64

Ask = Callable[[np.ndarray], list[np.ndarray]]


class Teacher:
    """A trained MobileNetV2 1.0 that answers views.

    Args:
        weights: File for ``keras.applications.MobileNetV2`` with its top.
        engine: "keras", or "openvino" (same answers to about 1e-4, 2.5 times as many a second on a processor of ours;
            needs the ``openvino`` package and the TensorFlow backend).

    Raises:
        ValueError: The engine is unknown, or the file holds something else.
    """

    def __init__(self, weights: Path, engine: str = "keras") -> None:
        if engine not in ENGINES:
            raise ValueError(f"engine must be one of {', '.join(ENGINES)}. Received: {engine}")
        network = keras.applications.MobileNetV2(
            input_shape=(VIEW_SIDE, VIEW_SIDE, 3), weights=None, classifier_activation=None
        )
        network.load_weights(str(weights))
        scaled = keras.Input((VIEW_SIDE, VIEW_SIDE, 3), batch_size=_BATCH)
        wanted = [network.get_layer(name).output for name in (MIDDLE_LAYER, FINAL_LAYER)]
        asked = keras.Model(network.input, [*wanted, network.output])
        middle, final, scores = asked(keras.layers.Rescaling(1 / 127.5, offset=-1)(scaled))
        self._model = keras.Model(scaled, [GridPooling(MIDDLE_GRID)(middle), GridPooling(FINAL_GRID)(final), scores])
        self._model.jit_compile = False  # XLA made depthwise networks ten times slower on a CPU
        self._ask: Ask = _openvino(self._model) if engine == "openvino" else self._model.predict_on_batch

    def answer(self, views: np.ndarray) -> Answers:
        """Answer views of (N, 128, 128, 3) uint8."""
        parts: list[list[np.ndarray]] = []
        for start in range(0, len(views), _BATCH):
            batch = views[start : start + _BATCH].astype("float32")
            missing = _BATCH - len(batch)  # engines are built for one size of batch
            told = self._ask(np.pad(batch, ((0, missing), (0, 0), (0, 0), (0, 0))))
            parts.append([each[: len(batch)].astype("float16") for each in told])
        return Answers(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _openvino(model: keras.Model) -> Ask:
    """Return the model compiled by OpenVINO, its outputs in the order of the model's."""
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        model.export(f"{folder}/teacher.xml", format="openvino", verbose=False)
        network = openvino.Core().read_model(f"{folder}/teacher.xml")
        network.reshape(list(model.input_shape))
    compiled = openvino.compile_model(network, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    order = [
        next(port for port in compiled.outputs if tuple(port.shape) == tuple(output.shape)) for output in model.outputs
    ]

    def ask(batch: np.ndarray) -> list[np.ndarray]:
        told = compiled([batch])
        return [told[port] for port in order]

    return ask
