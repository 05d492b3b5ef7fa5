"""The layers that turn RGB of 0 to 255 into what a backbone was trained on. Imports Keras.

Plain Keras layers, so that the scaling travels inside every saved and exported model. They compute in float32
under every precision policy: 8 bits of bfloat16 cannot tell neighbouring pixel values apart once a mean is taken off.
"""

import keras
import numpy as np

from tlcore.backbones.backbone import Backbone

# Mean and deviation of ImageNet's pictures per channel. Source: keras.applications.imagenet_utils.
_MEAN_RGB = (0.485, 0.456, 0.406)  # of pixels between 0 and 1
_DEVIATION_RGB = (0.229, 0.224, 0.225)
_MEAN_BGR = (103.939, 116.779, 123.68)  # of pixels between 0 and 255


def scale_layers(backbone: Backbone) -> list[keras.Layer]:
    """Return the layers between the picture and the backbone, in order; empty where it scales for itself.

    They take (N, H, W, 3) float32 RGB, 0-255, and give (N, H, W, 3) float32 in the range and channel order of
    ``keras.applications.<module>.preprocess_input``. None of their weights learns.
    """
    if backbone.scaling == "minus_one_to_one":
        return [keras.layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="pixels_minus_one_to_one")]
    if backbone.scaling == "torch":
        scale = [1 / (255 * deviation) for deviation in _DEVIATION_RGB]
        offset = [-mean / deviation for mean, deviation in zip(_MEAN_RGB, _DEVIATION_RGB, strict=True)]
        return [keras.layers.Rescaling(scale, offset=offset, dtype="float32", name="pixels_standardized")]
    if backbone.scaling == "caffe":
        return [_blue_green_red_minus_mean()]
    return []


def _blue_green_red_minus_mean() -> keras.Layer:
    # A 1x1 convolution and not a reversed slice: every export format knows it, and zeros and ones keep it exact.
    layer = keras.layers.Conv2D(3, 1, trainable=False, dtype="float32", name="pixels_bgr_minus_mean")
    layer.build((None, None, None, 3))
    reversed_channels = np.eye(3, dtype="float32")[::-1].reshape(1, 1, 3, 3)
    layer.set_weights([reversed_channels, -np.array(_MEAN_BGR, dtype="float32")])
    return layer
