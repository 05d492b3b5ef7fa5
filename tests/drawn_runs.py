"""Run folders on drawn pictures."""

from collections.abc import Callable

import drawing
import numpy as np
import pytest

from tlcore.images import folder, split
from tlcore.runs import run as runs
from tlcore.runs.run import Run
from tlcore.training.recipe import Recipe

SMALL = {"backbone": "mobilenet_025", "weights": "random", "image_size": 32, "epochs": 2, "frozen_stages": "all"}


@pytest.fixture(scope="session")
def drawn_dataset(tmp_path_factory):
    """Forty pictures of two classes."""
    return folder.scan(drawing.draw_folder(tmp_path_factory.mktemp("drawn") / "pictures"))


@pytest.fixture
def new_run(drawn_dataset, tmp_path) -> Callable[..., Run]:
    """Return a function that makes a run on a tiny network with random weights; keywords change the recipe."""

    def make(**changes) -> Run:
        recipe = Recipe(**SMALL | changes)
        parts = split.draw(drawn_dataset, recipe.validation_share, recipe.test_share, recipe.seed)
        return runs.create(tmp_path / "run", recipe, drawn_dataset, parts)

    return make


def random_weights(keras_home):
    """Put a file with random weights and sensible statistics where Keras keeps weights, and return the home."""
    from tlcore.backbones import stages, table
    from tlcore.training import calibration

    row = table.get("mobilenet_050")
    model = stages.build(row, 32, None, seed=4)
    calibration.calibrate(model, np.random.default_rng(0).uniform(-1, 1, (8, 32, 32, 3)).astype("float32"))
    (keras_home / "models").mkdir()
    model.save(keras_home / "models" / row.weights_file)
    return keras_home
