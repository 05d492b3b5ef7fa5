"""A backbone as a Keras model, and its stages. Imports Keras.

In: a row of the table. Out: the network without its top, the cuts between its stages, the layers of each stage.
"""

import itertools
import zipfile
from pathlib import Path

import keras
import numpy as np

from tlcore.backbones import graph, thawnet
from tlcore.backbones.backbone import Backbone
from tlcore.backbones.graph import cuts, split
from tlcore.backbones.stage_table import Anatomy, Cut, Stage
from tlcore.errors import RecipeError, WeightsError

__all__ = ["anatomy", "build", "cuts", "split", "stage_cuts", "stage_layers"]

# Source: keras.applications.efficientnet (deviation) and imagenet_utils (mean), of pixels between 0 and 1.
_IMAGENET_MEAN = np.array((0.485, 0.456, 0.406), dtype="float32")
_IMAGENET_DEVIATION = np.array((0.229, 0.224, 0.225), dtype="float32")


def build(backbone: Backbone, image_size: int, weights: Path | None, seed: int | None = None) -> keras.Model:
    """Build a backbone without top and without pooling.

    Args:
        backbone: A row of the table.
        image_size: Side of the square pictures, in pixels.
        weights: The file with the pretrained weights; None gives random weights.
        seed: Makes random weights repeatable (sets the seeds of Python, NumPy and TensorFlow).

    Returns:
        A model from (N, S, S, 3) float32, already scaled (see ``scaling.scale_layers``), to (N, H, W, C) float32.

    Raises:
        RecipeError: The pictures are too small for this backbone.
        WeightsError: The file does not fit the network.
    """
    if image_size < backbone.min_size:
        raise RecipeError(
            f"{backbone.title} cannot work on pictures of {image_size} pixels; it needs at least {backbone.min_size}.",
            f"Choose a picture size of {backbone.min_size} or more, or another backbone.",
        )
    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = _network(backbone, image_size)
    # Always by path, never weights="imagenet": Keras would choose another file by picture size for MobileNet V1/V2.
    if weights is not None:
        _load(model, weights, backbone)
    if backbone.family == "EfficientNet":
        _mend_normalization(model, is_loaded=weights is not None)
    return model


def _network(backbone: Backbone, image_size: int) -> keras.Model:
    """Build the network with random weights."""
    if backbone.bundled:
        return thawnet.build(image_size)
    builder = getattr(keras.applications, backbone.builder)
    shape = (image_size, image_size, 3)
    return builder(include_top=False, weights=None, input_shape=shape, **dict(backbone.arguments))


def stage_cuts(backbone: Backbone, model: keras.Model) -> tuple[Cut, ...]:
    """Return the boundaries between the stages, from the picture on: one less than there are stages."""
    every = cuts(model)
    positions = {layer.name: index for index, layer in enumerate(model.layers)}
    return tuple(
        max((cut for cut in every if cut.index < positions[start]), key=lambda cut: cut.index)
        for start in backbone.stage_starts
    )


def stage_layers(backbone: Backbone, model: keras.Model) -> tuple[tuple[keras.Layer, ...], ...]:
    """Return the layers of each stage in the order of ``model.layers``; the input layer belongs to none.

    A layer can be a ``Sequential`` with layers of its own (ConvNeXt).
    """
    edges = [0, *(cut.index for cut in stage_cuts(backbone, model)), len(model.layers) - 1]
    return tuple(tuple(model.layers[first + 1 : last + 1]) for first, last in itertools.pairwise(edges))


def anatomy(backbone: Backbone, model: keras.Model) -> Anatomy:
    """Measure the stages and cuts of a built backbone; ``generate.py`` writes them down."""
    every = cuts(model)
    parts = stage_layers(backbone, model)
    boundaries = stage_cuts(backbone, model)
    costs = [0, *(cut.multiply_adds_before for cut in boundaries), graph.total_multiply_adds(model)]
    starts = ["", *backbone.stage_starts]
    starts[0] = next((name for layer in parts[0] if (name := graph.fixed_name(layer))), "")
    shapes = [*(cut.shape for cut in boundaries), model.output_shape[1:]]
    rows, first = [], 1
    for number, layers in enumerate(parts, start=1):
        rows.append(
            Stage(
                number=number,
                starts_at=starts[number - 1],
                first_index=first,
                layers=len(layers),
                parameters=sum(layer.count_params() for layer in layers),
                learnable=sum(_learnable(layer) for layer in layers),
                multiply_adds=costs[number] - costs[number - 1],
                shape=shapes[number - 1],
            )
        )
        first += len(layers)
    return Anatomy(tuple(rows), every)


def _learnable(layer: keras.Layer) -> int:
    still = {
        id(weight)
        for part in layer._flatten_layers()
        if isinstance(part, keras.layers.BatchNormalization)
        for weight in part.weights
    }
    return sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights if id(weight) not in still)


def _load(model: keras.Model, path: Path, backbone: Backbone) -> None:
    try:
        if backbone.bundled:
            thawnet.load(model, path)
        else:
            model.load_weights(str(path))
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"The file {path} does not hold the weights of {backbone.title}.",
            "Get Thaw anew, or choose another backbone."
            if backbone.bundled
            else f"Delete it; Thaw fetches {backbone.weights_file} again when it is needed.",
            detail=str(error),
        ) from error


def _mend_normalization(model: keras.Model, is_loaded: bool) -> None:
    """Give EfficientNet the pixel scaling it was trained with.

    The published files hold the deviation where the layer expects its square. ``keras.applications`` makes up for it
    with one more layer, but only under ``weights="imagenet"``: by path the network would see colours twice as faint.
    Here the layer's own numbers are put right, so that the graph is the same with and without weights.
    """
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.Normalization))
    if is_loaded:
        layer.adapt_variance.assign(layer.adapt_variance.numpy() * _IMAGENET_DEVIATION)
    else:
        layer.adapt_mean.assign(_IMAGENET_MEAN)
        layer.adapt_variance.assign(_IMAGENET_DEVIATION**2)
    layer.finalize_state()
