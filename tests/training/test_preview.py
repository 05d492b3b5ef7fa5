"""Random views for the page."""

import base64
import io

import numpy as np
from PIL import Image

from tlcore.training import augmentation, preview
from tlcore.training.recipe import Recipe


def decoded(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/jpeg;base64,")))))


def drawn(folder):
    pixels = np.kron(np.random.default_rng(1).integers(0, 256, (6, 10, 3)), np.ones((16, 16, 1))).astype("uint8")
    Image.fromarray(pixels).save(folder / "small.jpg", quality=95)
    return folder / "small.jpg"


def test_the_first_is_the_picture_and_the_others_differ(tmp_path):
    shown = [decoded(address) for address in preview.views(drawn(tmp_path), Recipe(augment="strong"), 5)]
    assert {picture.shape for picture in shown} == {(preview.SIDE_PX, preview.SIDE_PX, 3)}
    assert all(np.abs(shown[0].astype(int) - other).mean() > 3 for other in shown[1:])


def test_without_augmentation_all_are_the_picture(tmp_path):
    assert len(set(preview.views(drawn(tmp_path), Recipe(augment="none"), 4))) == 1


def test_views_are_those_of_the_function_that_training_uses(tmp_path):
    recipe = Recipe(augment="none", brightness=0.5, seed=3)
    plain, view = (decoded(address).astype(int) for address in preview.views(drawn(tmp_path), recipe, 2))
    rng = np.random.default_rng(3)
    expected = augmentation.view(plain.astype("uint8"), augmentation.from_recipe(recipe), rng)
    assert np.abs(view - expected).mean() < 4  # two JPEGs apart
