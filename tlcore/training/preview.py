"""Random views of a few pictures for the page, drawn by the very function that training uses. No TensorFlow here."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tlcore.training import augmentation
from tlcore.training.recipe import Recipe

SIDE_PX = 128


def views(thumbnail: Path, recipe: Recipe, count: int) -> list[str]:
    """Return a picture and random views of it as JPEG addresses (``data:``) that a page can show.

    Args:
        thumbnail: A small copy that Thaw itself wrote.
        recipe: Its augmentation.
        count: Number of views, the unchanged picture first.
    """
    with Image.open(thumbnail) as opened:
        square = np.asarray(ImageOps.fit(opened.convert("RGB"), (SIDE_PX, SIDE_PX)))
    strengths = augmentation.from_recipe(recipe)
    rng = np.random.default_rng(recipe.seed)
    return [_address(square)] + [_address(augmentation.view(square, strengths, rng)) for _ in range(count - 1)]


def _address(picture: np.ndarray) -> str:
    """Return (S, S, 3) uint8 as the address of a JPEG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
