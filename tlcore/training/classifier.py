"""A backbone and a new head as one Keras model that takes plain pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from tlcore.backbones import scaling, stages, table
from tlcore.backbones.stage_table import Cut
from tlcore.training.recipe import Recipe


@dataclass(frozen=True)
class Classifier:
    """A model and its parts.

    Args:
        model: (N, S, S, 3) RGB, uint8 or float, 0 to 255 -> (N, C) probabilities, or (N, 1) for sigmoid.
        stages: The backbone's layers, grouped by stage, image side first.
        head: The new layers, in order.
        backbone: The pretrained network by itself: scaled pictures (N, S, S, 3) -> (N, H, W, C).
        cuts: The boundaries between its stages, image side first: one less than there are stages.
        scaling: The layers between pictures and backbone, in order.
    """

    model: keras.Model
    stages: tuple[tuple[keras.Layer, ...], ...]
    head: tuple[keras.Layer, ...]
    backbone: keras.Model
    cuts: tuple[Cut, ...]
    scaling: tuple[keras.Layer, ...]

    @property
    def backbone_layers(self) -> tuple[keras.Layer, ...]:
        """Return all layers of the backbone, image side first."""
        return tuple(layer for stage in self.stages for layer in stage)


def build(recipe: Recipe, n_classes: int, weights: Path | None) -> Classifier:
    """Build the model of a settled recipe; the same recipe gives the same weights each time.

    Pixel scaling is part of the graph, so that no user of the model can forget it.

    Args:
        recipe: Settled (no "auto" left).
        n_classes: 2 or more.
        weights: File of the backbone's weights, or None for random ones.
    """
    keras.utils.set_random_seed(recipe.seed)
    row = table.get(recipe.backbone)
    size = int(recipe.image_size or row.default_size)
    backbone = stages.build(row, size, weights, recipe.seed)
    pictures = keras.Input((size, size, 3), dtype="float32", name="pictures")
    scale, head = tuple(scaling.scale_layers(row)), _head(recipe, n_classes)
    model = keras.Model(pictures, through(head, backbone(through(scale, pictures))), name="thaw")
    layers, cuts = stages.stage_layers(row, backbone), stages.stage_cuts(row, backbone)
    return Classifier(model, layers, head, backbone, cuts, scale)


def through(layers: Sequence[keras.Layer], x: keras.KerasTensor) -> keras.KerasTensor:
    """Return what a tensor becomes on its way through layers."""
    for layer in layers:
        x = layer(x)
    return x


def _head(recipe: Recipe, n_classes: int) -> tuple[keras.Layer, ...]:
    """Return the new final layers in order."""
    poolings = {
        "average": keras.layers.GlobalAveragePooling2D,
        "max": keras.layers.GlobalMaxPooling2D,
        "flatten": keras.layers.Flatten,
    }
    layers = [poolings[recipe.pooling](name="pooling")]
    if recipe.hidden_units:
        layers.append(keras.layers.Dense(recipe.hidden_units, activation="relu", name="hidden"))
    if recipe.dropout:
        layers.append(keras.layers.Dropout(recipe.dropout, seed=recipe.seed, name="dropout"))
    units = 1 if recipe.activation == "sigmoid" else n_classes
    # The answer is computed in float32 whatever the rest uses: probabilities that sum to 1.
    layers.append(keras.layers.Dense(units, activation=recipe.activation, dtype="float32", name="answer"))
    return tuple(layers)
