"""What a worker does before it has a run, so that the first steps of the run come sooner. Imports Keras.

Importing touches no graphics card. Where there may be one nothing else is done: whoever trains on it beside us is to
have all of it. On a processor a few numbers are trained, because the first training in a process takes longer than the
next: TensorFlow sets up its threads, and Keras, OpenVINO and what traces functions import their last parts.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from tlcore.training import device, engine, first_answer, training

SIGNS_OF_A_CARD = ("/dev/nvidiactl", "/proc/driver/nvidia", "/dev/nvhost-gpu", "/dev/dxg", "/dev/kfd")
"""What is there where there may be a graphics card: NVIDIA's driver, the same on its small boards, that of Windows in
which Linux runs, AMD's."""


def rehearse(until: Callable[[], bool]) -> None:
    """Do beforehand what does not depend on the run; importing this file has been most of it.

    Args:
        until: Asked before each step; true ends the rehearsal, because the run is there.
    """
    if may_have_a_graphics_card() or keras.backend.backend() != "tensorflow":
        return
    for step in (engine.installed, _answer, _train):
        if until():
            break
        step()
    keras.backend.clear_session()  # names are counted: the run's own layers get theirs as in a process of its own


def may_have_a_graphics_card() -> bool:
    """Return whether this computer may have a graphics card that Keras could use, without asking Keras or the card."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "").strip() == "-1":
        return False
    signs = any(Path(place).exists() for place in SIGNS_OF_A_CARD)
    return signs or sys.platform == "darwin" or shutil.which("nvidia-smi") is not None


def _answer() -> None:
    """Fit a first answer."""
    features = np.random.default_rng(0).normal(size=(8, 4))
    first_answer.fit(features, np.arange(8) % 2, 2)


def _train() -> None:
    """Train and judge a head of a few weights."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.1), keras.layers.Dense(2, "softmax")])
    model.compile("adamw", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=device.uses_xla())
    features, labels = np.zeros((4, 4), "float32"), np.zeros(4, "int32")
    model.evaluate(features, labels, verbose=0)
    model.fit(features, labels, verbose=0)


__all__ = ["may_have_a_graphics_card", "rehearse", "training"]
