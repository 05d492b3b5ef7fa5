"""A classifier cut in two at the freeze depth: what stays as it is, and what learns. Imports Keras.

Both halves share their layers with the whole, so training the second one trains the whole, and
``learning(frozen(pictures))`` is what the whole answers. ``features.py`` keeps what crosses the cut.
"""

from dataclasses import dataclass

import keras

from tlcore.backbones import graph
from tlcore.training import device
from tlcore.training.classifier import Classifier, through


@dataclass(frozen=True)
class Boundary:
    """Both sides of the cut.

    Args:
        frozen: (N, S, S, 3) RGB, 0 to 255 -> the features that cross the cut.
        learning: Features -> (N, C) probabilities, or (N, 1) for sigmoid.
        place: How the cut is named: "stage 3", or "stage 5, average" where the pooled vector crosses.
    """

    frozen: keras.Model
    learning: keras.Model
    place: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one picture's features."""
        return tuple(self.frozen.output_shape[1:])


def cut(parts: Classifier, frozen_stages: int) -> Boundary:
    """Cut a classifier behind its frozen stages.

    With all stages frozen the cut lies behind the pooling, which has nothing to learn: one number per channel crosses,
    one H x W-th of what the backbone gives. Not so with "flatten", which makes nothing smaller.

    Args:
        parts: The classifier.
        frozen_stages: 1 to the number of its stages; with 0 nothing is frozen and there is nothing to cut.
    """
    n_stages = len(parts.stages)
    if not 1 <= frozen_stages <= n_stages:
        raise ValueError(f"frozen_stages must be 1 to {n_stages}. Received: {frozen_stages}")
    pictures = keras.Input(parts.model.input_shape[1:], dtype="float32", name="pictures")
    scaled = through(parts.scaling, pictures)
    if frozen_stages < n_stages:
        before, after = graph.split(parts.backbone, parts.cuts[frozen_stages - 1])
        frozen = keras.Model(pictures, before(scaled), name="frozen")
        crossing = keras.Input(frozen.output_shape[1:], dtype="float32", name="features")
        learning = keras.Model(crossing, through(parts.head, after(crossing)), name="learning")
        return Boundary(_compiled(frozen), learning, f"stage {frozen_stages}")
    pooling, rest = parts.head[:1], parts.head[1:]
    is_pooled = not isinstance(pooling[0], keras.layers.Flatten)
    before, after = (pooling, rest) if is_pooled else ((), parts.head)
    frozen = keras.Model(pictures, through(before, parts.backbone(scaled)), name="frozen")
    crossing = keras.Input(frozen.output_shape[1:], dtype="float32", name="features")
    learning = keras.Model(crossing, through(after, crossing), name="learning")
    kind = type(pooling[0]).__name__ if is_pooled else ""
    return Boundary(_compiled(frozen), learning, f"stage {n_stages} {kind}".strip())


def _compiled(model: keras.Model) -> keras.Model:
    """Return the frozen side, compiled as this backend is quickest."""
    model.jit_compile = device.uses_xla()
    return model
