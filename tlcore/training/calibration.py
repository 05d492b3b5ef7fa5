"""Statistics for a backbone with random weights."""

import keras
import numpy as np

from tlcore.training import freezing


def calibrate(model: keras.Model, pictures: np.ndarray) -> None:
    """Set the statistics of every BatchNormalization layer to those of some pictures, once, before training.

    BatchNormalization stays still in Thaw at every depth. With pretrained weights its statistics are right from the
    start; with random weights they say nothing, and the signal fades to zero on its way through a deep network
    (MobileNet 0.25 answers the same for every picture). One pass in training mode with momentum 0 mends that.

    Args:
        model: Its weights are random; only statistics are changed.
        pictures: (N, S, S, 3) uint8 or float, 0 to 255; some dozens.
    """
    with freezing.statistics_taken_over(model):
        model(pictures, training=True)
