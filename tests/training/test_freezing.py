"""Freezing at every depth: what must stay still stays still to the last bit."""

import keras
import numpy as np
import pytest

from tlcore.backbones import table
from tlcore.training import calibration, classifier, freezing, rates
from tlcore.training.recipe import Recipe

# One of each kind: plain BatchNormalization, none at all, random drops, LayerNormalization in nested networks.
BACKBONES = ("mobilenet_025", "vgg16", "efficientnet_b0", "convnext_tiny")


PICTURES = np.random.default_rng(3).integers(0, 255, (6, 32, 32, 3)).astype("uint8")


def build(name: str):
    recipe = Recipe(backbone=name, image_size=32, epochs=1, head_lr=1e-2, backbone_lr=1e-2, optimizer="sgd")
    parts = classifier.build(recipe, 3, weights=None)
    calibration.calibrate(parts.model, PICTURES)
    return recipe, parts


def fit_two_steps(recipe, parts, as_graph: bool):
    optimizer = rates.optimizer(recipe, parts, "fine-tuning", 1)
    parts.model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=not as_graph)
    parts.model.fit(PICTURES, np.arange(6) % 3, epochs=1, batch_size=3, verbose=0)


def is_batch_normalization(variable, parts) -> bool:
    return any(
        variable is weight
        for layer in parts.model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
        for weight in layer.weights
    )


def depths(name: str) -> range:
    return range(table.get(name).stage_count + 1)


def test_frozen_weights_and_statistics_are_byte_identical_after_training_at_every_depth():
    for frozen in depths("mobilenet_025"):
        recipe, parts = build("mobilenet_025")
        freezing.freeze(parts, frozen)
        frozen_layers = [layer for stage in parts.stages[:frozen] for layer in stage]
        still = [weight for layer in frozen_layers for weight in layer.weights]
        still += [weight for weight in parts.model.variables if is_batch_normalization(weight, parts)]
        open_kernels = [
            weight
            for stage in parts.stages[frozen:]
            for layer in stage
            for weight in layer.weights
            if weight.name == "kernel"
        ]
        before = [keras.ops.convert_to_numpy(weight).tobytes() for weight in still]
        kernels = [keras.ops.convert_to_numpy(weight).copy() for weight in open_kernels]
        # Tracing the graph takes five times as long as the two steps; whatever is still is so by the same Python code.
        fit_two_steps(recipe, parts, as_graph=frozen == 3)
        assert [keras.ops.convert_to_numpy(weight).tobytes() for weight in still] == before
        assert all(
            (keras.ops.convert_to_numpy(weight) != old).any() for weight, old in zip(open_kernels, kernels, strict=True)
        )


@pytest.mark.parametrize("name", BACKBONES)
def test_exactly_the_open_stages_and_the_head_learn(name):
    _, parts = build(name)
    for frozen in depths(name):
        freezing.freeze(parts, frozen)
        learning = {id(weight) for weight in parts.model.trainable_variables}
        for number, stage in enumerate(parts.stages):
            for weight in (weight for layer in stage for weight in layer.trainable_variables):
                assert number >= frozen
                assert not is_batch_normalization(weight, parts)
                assert id(weight) in learning
        assert all(id(weight) in learning for layer in parts.head for weight in layer.trainable_variables)
        assert (len(learning) > 2) == (frozen < len(parts.stages))


def test_going_back_to_a_deeper_freeze_closes_the_stages_again():
    _, parts = build("mobilenet_025")
    freezing.freeze(parts, 0)
    freezing.freeze(parts, len(parts.stages))
    assert freezing.count_learning(parts.model)[0] == sum(
        int(np.prod(weight.shape)) for layer in parts.head for weight in layer.trainable_variables
    )


def test_a_frozen_backbone_answers_the_same_in_training_and_in_use():
    _, parts = build("efficientnet_b0")
    backbone = next(layer for layer in parts.model.layers if isinstance(layer, keras.Model))
    pictures = np.random.default_rng(5).random((2, 32, 32, 3), dtype="float32") * 255
    freezing.freeze(parts, len(parts.stages))
    assert np.array_equal(backbone(pictures, training=True), backbone(pictures, training=False))
    freezing.freeze(parts, 0)
    assert not np.array_equal(backbone(pictures, training=True), backbone(pictures, training=False))


def test_a_depth_that_does_not_exist_is_refused():
    _, parts = build("mobilenet_025")
    with pytest.raises(ValueError, match="Received: 9"):
        freezing.freeze(parts, 9)
