"""Pictures as rows of numbers: what a backbone sees, averaged over the picture. Imports Keras."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from tlcore.backbones import scaling, stages
from tlcore.backbones.backbone import Backbone

Progress = Callable[[int, int], None]
BATCH_SIZE = 64


def embed(
    backbone: Backbone,
    pixels: np.ndarray,
    weights: Path | None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return the pooled features of pictures: (N, D) float32, D the channels of the backbone's last tensor.

    Args:
        backbone: A row of the table.
        pixels: (N, S, S, 3) uint8, 0 to 255; may be memory-mapped, of which one batch is read at a time.
        weights: The file of the pretrained weights, or None for random ones.
        seed: Makes random weights repeatable.
        progress: Called with pictures done and pictures in all.

    Raises:
        RecipeError: The pictures are too small for the backbone.
        WeightsError: The file does not fit the network.
    """
    model = pooled(backbone, pixels.shape[1], weights, seed)
    features = np.empty((len(pixels), model.output_shape[-1]), "float32")
    for start in range(0, len(pixels), BATCH_SIZE):
        batch = np.asarray(pixels[start : start + BATCH_SIZE], "float32")
        features[start : start + len(batch)] = model.predict_on_batch(batch)
        if progress is not None:
            progress(start + len(batch), len(pixels))
    return features


def pooled(backbone: Backbone, side: int, weights: Path | None, seed: int | None = None) -> keras.Model:
    """Return the backbone with its scaling before it and the mean over the picture behind it.

    Returns:
        A model from (N, side, side, 3) float32, 0 to 255, to (N, D) float32, D as in ``embed``.

    Raises:
        RecipeError, WeightsError: As in ``embed``.
    """
    network = stages.build(backbone, side, weights, seed)
    pictures = keras.Input((side, side, 3), name="pictures")
    x = pictures
    for layer in scaling.scale_layers(backbone):
        x = layer(x)
    model = keras.Model(pictures, keras.layers.GlobalAveragePooling2D()(network(x)))
    model.jit_compile = False  # XLA made depthwise networks ten times slower on a CPU
    return model
