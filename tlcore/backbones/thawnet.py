"""Thaw's own backbone as a Keras model: convolution, normalization, ReLU and addition, nothing else. Imports Keras.

Only these layers, so that every exporter knows them and every block boundary is a clean cut. Residual blocks after He
et al. 2015 (https://arxiv.org/abs/1512.03385): plain ones of two 3x3 convolutions where the picture is still large,
bottlenecks where channels are many. No depthwise convolutions: they need few multiply-adds but move much memory, and
on a processor the plain ones were about twice as fast as MobileNetV2 1.0 at the same picture size.

How its weights are learned: ``distillation/``.
"""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from tlcore import atomic

CHANNELS = 768
"""Channels of the last tensor, and so the length of the pooled features."""


def build(image_size: int) -> keras.Model:
    """Build the network with random weights.

    Args:
        image_size: Side of the square pictures, in pixels; 32 or more, made for 96 to 224.

    Returns:
        A model from (N, S, S, 3) float32, -1 to 1, to (N, ceil(S / 32), ceil(S / 32), 768) float32, 0 or more. Its
        stages work at a quarter, an eighth, a sixteenth and a thirty-second of the picture's side.
    """
    pictures = keras.Input((image_size, image_size, 3), name="pictures")
    x = _convolution(pictures, "stem", 32, 3, strides=2)
    x = _plain_block(x, "stage1_block1", 32, strides=2)
    x = _plain_block(x, "stage2_block1", 64, strides=2)
    x = _plain_block(x, "stage2_block2", 64)
    x = _plain_block(x, "stage3_block1", 128, strides=2)
    x = _plain_block(x, "stage3_block2", 128)
    x = _plain_block(x, "stage3_block3", 128)
    x = _bottleneck(x, "stage4_block1", 384, 192, strides=2)
    x = _bottleneck(x, "stage4_block2", 384, 192)
    x = _bottleneck(x, "stage4_block3", 384, 192)
    return keras.Model(pictures, _convolution(x, "features", CHANNELS, 1), name="thawnet")


def save(weights: Mapping[str, np.ndarray], file: Path) -> None:
    """Write weights, by their path in the model, as an uncompressed NumPy archive without pickled objects.

    Kernels become float16, which halves the file; the short vectors of BatchNormalization stay float32, because small
    variances would lose their digits.
    """
    stored = {path: values.astype("float16" if values.ndim > 1 else "float32") for path, values in weights.items()}
    with atomic.replacing(file) as beside:
        np.savez(beside, **stored)


def load(model: keras.Model, file: Path) -> None:
    """Read what ``save`` wrote into a model that ``build`` built.

    Raises:
        ValueError: The file holds the weights of another network; the model is unchanged then.
        OSError, zipfile.BadZipFile: The file cannot be read, or is damaged.
    """
    with np.load(file, allow_pickle=False) as stored:
        found = {path: stored[path].shape for path in stored.files}
        wanted = {variable.path: tuple(variable.shape) for variable in model.variables}
        if found != wanted:
            differing = sorted(path for path in found.keys() | wanted.keys() if found.get(path) != wanted.get(path))
            raise ValueError(f"{file} must hold the weights of thawnet. Received: others for {differing[:3]}")
        for variable in model.variables:
            variable.assign(stored[variable.path].astype("float32"))


def _plain_block(x: keras.KerasTensor, name: str, channels: int, strides: int = 1) -> keras.KerasTensor:
    y = _convolution(x, f"{name}_first", channels, 3, strides)
    y = _convolution(y, f"{name}_second", channels, 3, activated=False)
    return _joined(x, y, name, channels, strides)


def _bottleneck(x: keras.KerasTensor, name: str, channels: int, narrow: int, strides: int = 1) -> keras.KerasTensor:
    y = _convolution(x, f"{name}_first", narrow, 1)
    y = _convolution(y, f"{name}_second", narrow, 3, strides)
    y = _convolution(y, f"{name}_third", channels, 1, activated=False)
    return _joined(x, y, name, channels, strides)


def _joined(x: keras.KerasTensor, y: keras.KerasTensor, name: str, channels: int, strides: int) -> keras.KerasTensor:
    """Add a block's way around to what the block has made."""
    if strides != 1 or x.shape[-1] != channels:
        x = _convolution(x, f"{name}_around", channels, 1, strides, activated=False)
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_add")([x, y]))


def _convolution(
    x: keras.KerasTensor, name: str, channels: int, kernel_size: int, strides: int = 1, activated: bool = True
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        channels,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if activated else x
