"""The classifier cut at the freeze depth: both sides together are the whole, and only the second one learns."""

import functools

import keras
import numpy as np
import pytest

from tlcore.backbones import table
from tlcore.training import boundary, calibration, classifier, freezing
from tlcore.training.recipe import Recipe

BACKBONES = {
    "mobilenet_025": 32,
    "vgg16": 32,
    "efficientnet_b0": 32,
    "convnext_tiny": 32,
    "resnet50": 32,
    "thawnet": 96,
}


@functools.cache
def build(name: str, **choices):
    """Build a network once for all tests; each says anew what of it is frozen."""
    size = BACKBONES[name]
    pictures = np.random.default_rng(3).integers(0, 256, (6, size, size, 3)).astype("uint8")
    parts = classifier.build(Recipe(backbone=name, image_size=size, **choices), 3, weights=None)
    calibration.calibrate(parts.model, pictures)
    return parts, pictures


def answers(model: keras.Model, values: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(values, training=False))


@pytest.mark.parametrize("name", BACKBONES)
def test_at_every_stage_both_sides_together_answer_exactly_as_the_whole(name):
    parts, pictures = build(name)
    whole = answers(parts.model, pictures)
    for frozen in range(1, table.get(name).stage_count + 1):
        freezing.freeze(parts, frozen)
        halves = boundary.cut(parts, frozen)
        crossing = answers(halves.frozen, pictures.astype("float32"))
        assert crossing.shape[1:] == halves.shape
        assert np.array_equal(answers(halves.learning, crossing), whole), frozen


@pytest.mark.parametrize("name", BACKBONES)
def test_exactly_what_learns_in_the_whole_learns_behind_the_cut(name):
    parts, _ = build(name)
    for frozen in range(1, table.get(name).stage_count + 1):
        freezing.freeze(parts, frozen)
        halves = boundary.cut(parts, frozen)
        learning = {id(variable) for variable in halves.learning.trainable_variables}
        assert learning == {id(variable) for variable in parts.model.trainable_variables}, frozen
        assert not halves.frozen.trainable_variables, frozen


@pytest.mark.parametrize(("pooling", "shape"), [("average", (256,)), ("max", (256,)), ("flatten", (1, 1, 256))])
def test_with_everything_frozen_one_number_per_channel_crosses_unless_the_head_wants_places(pooling, shape):
    parts, pictures = build("mobilenet_025", pooling=pooling, hidden_units=4)
    freezing.freeze(parts, len(parts.stages))
    halves = boundary.cut(parts, len(parts.stages))
    assert halves.shape == shape
    assert np.array_equal(
        answers(halves.learning, answers(halves.frozen, pictures.astype("float32"))), answers(parts.model, pictures)
    )


def test_two_ways_of_pooling_are_two_places():
    places = set()
    for pooling in ("average", "max"):
        parts, _ = build("mobilenet_025", pooling=pooling)
        places |= {boundary.cut(parts, frozen).place for frozen in (4, 5)}
    assert len(places) == 3  # behind stage 4 it makes no difference


@pytest.mark.parametrize("frozen", [0, 6, -1])
def test_where_nothing_can_be_cut_it_is_said(frozen):
    parts, _ = build("mobilenet_025")
    with pytest.raises(ValueError, match=f"1 to 5. Received: {frozen}"):
        boundary.cut(parts, frozen)
