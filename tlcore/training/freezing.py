"""Which weights learn. The only file that sets ``.trainable``.

Two traps, both measured with the pinned Keras: calling a backbone with ``training=False`` does not keep its
BatchNormalization statistics still during ``fit``, and setting ``.trainable`` on a whole backbone re-opens everything
below it. So flags are set layer by layer, and BatchNormalization never learns, at any depth.
"""

import contextlib
import math
from collections.abc import Iterator

import keras

from tlcore.training.classifier import Classifier


def freeze(classifier: Classifier, frozen_stages: int) -> None:
    """Keep the first stages as they are and let the rest and the head learn. Compile the model afterwards.

    BatchNormalization layers stay still in open stages too: their statistics come from a million pictures, and a
    batch of ours would spoil them (Keras' transfer learning guide gives the same advice). Random drops inside frozen
    stages are switched off, so that a frozen stage answers the same in training as later in use.

    Args:
        classifier: The model and its parts.
        frozen_stages: 0 (everything learns) to ``len(classifier.stages)`` (only the head learns).
    """
    if not 0 <= frozen_stages <= len(classifier.stages):
        raise ValueError(f"frozen_stages must be 0 to {len(classifier.stages)}. Received: {frozen_stages}")
    for number, stage in enumerate(classifier.stages):
        is_open = number >= frozen_stages
        for layer in stage:
            layer.trainable = is_open
            for part in layer._flatten_layers():  # a layer may be a small network of its own (ConvNeXt)
                if isinstance(part, keras.layers.BatchNormalization):
                    part.trainable = False
                _set_random_drops(part, is_open)
    for layer in classifier.head:
        layer.trainable = True


def _set_random_drops(layer: keras.Layer, is_on: bool) -> None:
    """Switch the random drops of a layer (EfficientNet has some) on, to what they were built with, or off."""
    if isinstance(layer, keras.layers.Dropout):
        layer._thaw_built_with = getattr(layer, "_thaw_built_with", layer.rate)
        layer.rate = layer._thaw_built_with if is_on else 0.0


@contextlib.contextmanager
def statistics_taken_over(model: keras.Model) -> Iterator[None]:
    """Let BatchNormalization layers take over the statistics of what passes through them inside the block.

    The one exception from stillness, for random weights before training (see ``calibration.py``).
    """
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    before = [(layer.momentum, layer.trainable) for layer in layers]
    for layer in layers:
        layer.momentum, layer.trainable = 0.0, True
    try:
        yield
    finally:
        for layer, (momentum, trainable) in zip(layers, before, strict=True):
            layer.momentum, layer.trainable = momentum, trainable


def count_learning(model: keras.Model) -> tuple[int, int]:
    """Return the number of learning weights and of all weights of a model."""
    learning = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    return learning, model.count_params()
