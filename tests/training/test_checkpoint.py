"""Checkpoints: what is saved is assigned back to the last bit."""

import numpy as np
import pytest

from tlcore.errors import TrainingError
from tlcore.runs import position
from tlcore.training import calibration, checkpoint, classifier
from tlcore.training.recipe import Recipe

PICTURES = np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3)).astype("uint8")


def build(seed: int, name: str = "mobilenet_025"):
    model = classifier.build(Recipe(backbone=name, image_size=32, seed=seed), 3, weights=None).model
    calibration.calibrate(model, PICTURES)
    return model


@pytest.mark.parametrize("name", ["mobilenet_025", "efficientnet_b0"])
def test_a_rebuilt_model_with_saved_variables_answers_exactly_the_same(tmp_path, name):
    first, second = build(1, name), build(2, name)
    checkpoint.save(first, 7, tmp_path / "best.npz")
    assert not np.array_equal(first(PICTURES), second(PICTURES))
    assert checkpoint.assign(second, tmp_path / "best.npz") == 7
    assert np.array_equal(first(PICTURES), second(PICTURES))


def test_the_epoch_can_be_read_without_the_network(tmp_path):
    checkpoint.save(build(1), 7, tmp_path / "best.npz")
    assert position.epoch_of(tmp_path / "best.npz") == 7
    assert position.epoch_of(tmp_path / "none.npz") is None


def test_variables_of_another_network_are_refused(tmp_path):
    checkpoint.save(build(1), 1, tmp_path / "best.npz")
    with pytest.raises(TrainingError, match="another network"):
        checkpoint.assign(build(1, "vgg16"), tmp_path / "best.npz")
