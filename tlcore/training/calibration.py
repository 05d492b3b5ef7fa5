"""Statistics for a backbone with random weights."""

import keras
import numpy as np


def calibrate(model: keras.Model, pictures: np.ndarray) -> None:
    """Set the statistics of every BatchNormalization layer to those of some pictures, once, before training.

    BatchNormalization stays still in Thaw at every depth. With pretrained weights its statistics are right from the
    start; with random weights they say nothing, and the signal fades to zero on its way through a deep network
    (MobileNet 0.25 answers the same for every picture). One pass in training mode with momentum 0 mends that.

    Args:
        model: Its weights are random; only statistics are changed.
        pictures: (N, S, S, 3) uint8 or float, 0 to 255; some dozens.
    """
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    before = [(layer.momentum, layer.trainable) for layer in layers]
    for layer in layers:
        layer.momentum, layer.trainable = 0.0, True
    model(pictures, training=True)
    for layer, (momentum, trainable) in zip(layers, before, strict=True):
        layer.momentum, layer.trainable = momentum, trainable
