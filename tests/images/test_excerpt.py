"""Which pictures are a part of another, on drawn pictures."""

from collections.abc import Callable

import numpy as np
import pytest
from drawing import scene
from PIL import Image, ImageOps

from tlcore.images import excerpt, squares

COUNT = 12
ORIGINAL = 5


def square(image: Image.Image) -> np.ndarray:
    image.thumbnail((160, 160), Image.Resampling.BICUBIC)
    return np.asarray(image.resize((squares.SIDE, squares.SIDE), Image.Resampling.BICUBIC))


def found_with(image: Image.Image) -> list[tuple[int, int]]:
    """Add a picture as the last one to a dozen others; return the pairs that are found, the smaller row first."""
    array = np.stack([*(square(scene(seed)) for seed in range(COUNT)), square(image)])
    told: list[tuple[int, int]] = []
    pairs = excerpt.find(array, excerpt.every_pair(len(array)), lambda done, total: told.append((done, total)))
    assert told[-1] == (COUNT, COUNT + 1)
    return sorted({(min(pair), max(pair)) for pair in pairs.tolist()})


def cut(left: float, top: float, right: float, bottom: float) -> Image.Image:
    image = scene(ORIGINAL)
    wide, high = image.size
    return image.crop((round(left * wide), round(top * high), round((1 - right) * wide), round((1 - bottom) * high)))


PARTS: dict[str, Callable[[], Image.Image]] = {
    "5 %": lambda: cut(*(0.05,) * 4),
    "10 %": lambda: cut(*(0.1,) * 4),
    "15 %": lambda: cut(*(0.15,) * 4),
    "25 %": lambda: cut(*(0.25,) * 4),
    "a corner": lambda: cut(0.3, 0, 0, 0.3),
    "to a square": lambda: cut(0.125, 0, 0.125, 0),
    "mirrored and darker": lambda: Image.eval(ImageOps.mirror(cut(*(0.15,) * 4)), lambda value: value * 2 // 3),
    "framed": lambda: ImageOps.expand(scene(ORIGINAL), 40, "white"),
}


@pytest.mark.parametrize("kind", PARTS)
def test_a_part_of_a_picture_is_found(kind: str) -> None:
    assert found_with(PARTS[kind]()) == [(ORIGINAL, COUNT)]


def test_other_pictures_are_no_parts() -> None:
    assert found_with(scene(COUNT)) == []


def test_a_picture_of_one_colour_is_a_part_of_nothing() -> None:
    assert found_with(Image.new("RGB", (240, 180), (90, 120, 60))) == []


def test_a_detail_that_differs_makes_another_picture() -> None:
    part = cut(*(0.15,) * 4)
    part.paste(scene(99).resize((50, 50)), (60, 40))
    assert found_with(part) == []


def test_only_the_partners_that_are_named_are_compared() -> None:
    array = np.stack([square(scene(ORIGINAL)), square(cut(*(0.15,) * 4)), square(cut(*(0.15,) * 4))])
    partners = [np.array([2]), np.array([], int), np.array([], int)]
    assert excerpt.find(array, partners, lambda done, total: None).tolist() == [[0, 2]]
