"""Statistics for a backbone with random weights."""

import keras
import numpy as np

from tlcore.training import device, freezing


def calibrate(model: keras.Model, pictures: np.ndarray) -> None:
    """Set the statistics of every BatchNormalization layer to those of some pictures, once, before training.

    BatchNormalization stays still in Thaw at every depth. With pretrained weights its statistics are right from the
    start; with random weights they say nothing, and the signal fades to zero on its way through a deep network
    (MobileNet 0.25 answers the same for every picture). One pass in training mode with momentum 0 mends that.

    The pass is traced first, so that what one layer answers is let go once the next ones have it: of 64 pictures of 128
    pixels MobileNetV2 else keeps 1.9 GB, and the process does not give them back (our measurement).

    Args:
        model: Its weights are random; only statistics are changed.
        pictures: (N, S, S, 3) uint8 or float, 0 to 255; some dozens.
    """
    with freezing.statistics_taken_over(model):
        device.traced(model)(pictures, training=True)
