from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tlcore.training import augmentation, recipe
from tlcore.training.augmentation import PRESETS, Augmentation
from tlcore.training.recipe import Recipe

SIDE = 64


def noise(side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def spot(row: int, column: int) -> np.ndarray:
    """Black with one white square around a place."""
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture[row - 3 : row + 4, column - 3 : column + 4] = 255
    return picture


def place_of(picture: np.ndarray) -> tuple[float, float]:
    """Return the centre of what is bright, as distance (down, right) from the middle."""
    bright = picture[:, :, 0].astype(float)
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]] - (picture.shape[0] - 1) / 2
    return float((rows * bright).sum() / bright.sum()), float((columns * bright).sum() / bright.sum())


def views(picture: np.ndarray, strengths: Augmentation, count: int = 200, seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [augmentation.view(picture, strengths, rng) for _ in range(count)]


def test_there_is_a_preset_for_every_name_of_the_recipe() -> None:
    assert tuple(PRESETS) == recipe.PRESETS


def test_none_gives_the_very_picture() -> None:
    picture = noise()
    assert augmentation.view(picture, PRESETS["none"], np.random.default_rng(0)) is picture


@pytest.mark.parametrize("preset", ["light", "strong"])
@pytest.mark.parametrize("side", [1, 2, 33, 96])
def test_a_view_has_the_form_of_its_picture_and_leaves_it_alone(preset: str, side: int) -> None:
    picture = noise(side)
    before = picture.copy()
    for view in views(picture, PRESETS[preset], 20):
        assert (view.shape, view.dtype) == (picture.shape, np.uint8)
    assert np.array_equal(picture, before)


def test_a_read_only_picture_can_be_viewed() -> None:
    picture = noise()
    picture.flags.writeable = False
    assert augmentation.view(picture, PRESETS["strong"], np.random.default_rng(0)).shape == picture.shape


def test_the_same_seed_gives_the_same_views_also_in_threads() -> None:
    picture = noise()
    first = views(picture, PRESETS["strong"], 20)
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda _: views(picture, PRESETS["strong"], 20), range(4)))
    assert all(np.array_equal(a, b) for other in again for a, b in zip(first, other, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, views(picture, PRESETS["strong"], 20, 2), strict=True))


def test_changing_one_strength_leaves_the_other_draws_as_they_were() -> None:
    with_flips = views(noise(), Augmentation(horizontal_flip=True, brightness=0.0), 30)
    with_more = views(noise(), Augmentation(horizontal_flip=True, vertical_flip=False, contrast=1e-9), 30)
    assert all(np.array_equal(a, b) for a, b in zip(with_flips, with_more, strict=True))


@pytest.mark.parametrize(
    ("strengths", "axis"), [(Augmentation(horizontal_flip=True), 1), (Augmentation(vertical_flip=True), 0)]
)
def test_a_flip_alone_is_exact_and_comes_every_second_time(strengths: Augmentation, axis: int) -> None:
    picture = noise()
    found = views(picture, strengths)
    flipped = [np.array_equal(view, np.flip(picture, axis)) for view in found]
    plain = [np.array_equal(view, picture) for view in found]
    assert all(a != b for a, b in zip(flipped, plain, strict=True))
    assert 70 < sum(flipped) < 130


def test_rotation_turns_around_the_middle_by_at_most_its_angle() -> None:
    angles = []
    for view in views(spot(32, 52), Augmentation(rotation=30)):
        down, right = place_of(view)
        assert abs(np.hypot(down, right) - 20.5) < 1.0, "the distance to the middle stays"
        angles.append(np.degrees(np.arctan2(down, right)))
    assert min(angles) < -25
    assert max(angles) > 25
    assert max(map(abs, angles)) < 32


def test_zoom_changes_the_size_between_one_over_and_one_plus_its_share() -> None:
    areas = [view[:, :, 0].sum() / spot(32, 32)[:, :, 0].sum() for view in views(spot(32, 32), Augmentation(zoom=0.5))]
    assert 1 / 1.5**2 * 0.9 < min(areas) < 0.6
    assert 1.8 < max(areas) < 1.5**2 * 1.1
    assert 0.8 < np.exp(np.log(areas).mean()) < 1.25, "as often larger as smaller"


def test_crop_moves_by_at_most_its_share_of_the_side() -> None:
    places = np.array([place_of(view) for view in views(spot(32, 32), Augmentation(crop=0.2))])
    assert np.abs(places).max() < 0.2 * SIDE + 1
    assert np.abs(places).max(axis=0).min() > 0.15 * SIDE
    assert np.abs(places.mean(axis=0)).max() < 2


def test_beyond_its_edge_a_picture_goes_on_mirrored_and_never_black() -> None:
    white = np.full((SIDE, SIDE, 3), 255, np.uint8)
    wild = Augmentation(180, True, True, zoom=0.9, crop=0.9)
    assert all((view == 255).all() for view in views(white, wild, 60))
    (moved,) = views(noise(), Augmentation(crop=0.0, rotation=0.0, zoom=0.9), 1, seed=4)
    assert moved.std() > 10


@pytest.mark.parametrize("margin", [0, 1, 5, 70, 200])
def test_the_mirrored_continuation_is_that_of_numpy(margin: int) -> None:
    picture = noise(20)
    wanted = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    assert np.array_equal(augmentation._continued(picture, margin), wanted)


def test_brightness_scales_and_stays_in_range() -> None:
    grey = np.full((8, 8, 3), 100, np.uint8)
    levels = [int(view[0, 0, 0]) for view in views(grey, Augmentation(brightness=0.3))]
    assert 70 <= min(levels) < 75
    assert 125 < max(levels) <= 130
    assert (
        max(int(view.max()) for view in views(np.full((8, 8, 3), 250, np.uint8), Augmentation(brightness=0.5))) == 255
    )


def test_contrast_spreads_around_middle_grey() -> None:
    picture = np.full((8, 8, 3), 128, np.uint8)
    picture[0] = 27
    for view in views(picture, Augmentation(contrast=0.5)):
        assert abs(int(view[4, 4, 0]) - 128) <= 1
        assert 0 <= int(view[0, 0, 0]) <= 78


def test_a_recipe_gives_its_preset_changed_by_its_strengths() -> None:
    assert augmentation.from_recipe(Recipe(augment="strong")) == PRESETS["strong"]
    changed = augmentation.from_recipe(Recipe(augment="light", rotation=0, vertical_flip=True, contrast=0.7))
    assert changed == replace(PRESETS["light"], rotation=0, vertical_flip=True, contrast=0.7)
    assert augmentation.from_recipe(Recipe(augment="strong", horizontal_flip=False)).horizontal_flip is False
