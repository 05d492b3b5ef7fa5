"""Random views of a picture: the same function for training and for the page's preview. No TensorFlow here.

A picture comes in, a picture of the same size goes out. All geometry is one affine transform and both colour changes
are one lookup table, so a view costs one pass each. NumPy and Pillow only; their C code lets other threads run.
"""

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from PIL import Image

from tlcore.training.recipe import Recipe


@dataclass(frozen=True)
class Augmentation:
    """How far a view may differ from its picture; every draw is uniform from minus to plus the strength.

    Args:
        rotation: Turn by up to this many degrees, 0 to 180.
        horizontal_flip: Mirror left and right, every second time.
        vertical_flip: Mirror top and bottom, every second time.
        zoom: Enlarge or shrink by up to this share: 0.25 gives 1/1.25 to 1.25 times the size.
        crop: Move the cut-out by up to this share of the side, in both directions.
        brightness: Multiply all values by 1 minus to 1 plus this share.
        contrast: Multiply the distance to middle grey by 1 minus to 1 plus this share.
    """

    rotation: float = 0.0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    zoom: float = 0.0
    crop: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0

    @property
    def moves(self) -> bool:
        """Return whether a view may differ in geometry."""
        return bool(self.rotation or self.horizontal_flip or self.vertical_flip or self.zoom or self.crop)

    @property
    def recolours(self) -> bool:
        """Return whether a view may differ in brightness or contrast."""
        return bool(self.brightness or self.contrast)


PRESETS = {
    "none": Augmentation(),
    "light": Augmentation(10.0, True, False, zoom=0.1, crop=0.05, brightness=0.1, contrast=0.1),
    "strong": Augmentation(25.0, True, False, zoom=0.3, crop=0.12, brightness=0.3, contrast=0.3),
}
"""Strengths by name, with the names of ``recipe.PRESETS``. None of them mirrors top and bottom: few things hang."""


def from_recipe(recipe: Recipe) -> Augmentation:
    """Return the strengths that a recipe asks for: its preset, changed by each strength that is not None."""
    chosen = {each.name: getattr(recipe, each.name) for each in fields(Augmentation)}
    return replace(PRESETS[recipe.augment], **{name: value for name, value in chosen.items() if value is not None})


def view(picture: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Return a random view of a picture.

    Where the view reaches beyond the picture, the picture goes on mirrored: black corners would be a mark that no
    picture has outside of training, and stretched edge pixels make streaks.

    Args:
        picture: (S, S, 3) uint8, 0 to 255; not changed.
        augmentation: How far the view may differ.
        rng: Source of the draws. Every call takes the same number of draws, whatever the strengths, so that a change
            of one strength leaves the other draws as they were.

    Returns:
        (S, S, 3) uint8. With no strength at all it is ``picture`` itself.
    """
    turn, grow, right, down, brighter, contrast = rng.uniform(-1.0, 1.0, 6)
    mirror, topple = rng.random(2) < 0.5
    if augmentation.moves:
        flips = (mirror and augmentation.horizontal_flip, topple and augmentation.vertical_flip)
        angle = math.radians(turn * augmentation.rotation)
        scale = (1.0 + augmentation.zoom) ** grow
        picture = _moved(picture, angle, scale, (right * augmentation.crop, down * augmentation.crop), flips)
    if augmentation.recolours:
        table = _table(1.0 + brighter * augmentation.brightness, 1.0 + contrast * augmentation.contrast)
        picture = table.take(picture)
    return picture


def _moved(
    picture: np.ndarray, angle: float, scale: float, shift: tuple[float, float], flips: tuple[bool, bool]
) -> np.ndarray:
    """Turn, enlarge, shift and mirror a picture in one bilinear transform.

    The matrix leads from a place in the view to a place in the picture, both measured from the middle.
    """
    side = picture.shape[0]
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    x_sign, y_sign = (-1.0 if flip else 1.0 for flip in flips)
    a, b, d, e = cosine * x_sign, sine * y_sign, -sine * x_sign, cosine * y_sign
    x_shift, y_shift = (side * share for share in shift)
    reach = max(abs(a) + abs(b), abs(d) + abs(e)) * side / 2 + max(abs(x_shift), abs(y_shift))
    margin = max(0, math.ceil(reach - side / 2))
    middle = side / 2
    matrix = (
        *(a, b, middle + margin + x_shift - (a + b) * middle),
        *(d, e, middle + margin + y_shift - (d + e) * middle),
    )
    source = Image.fromarray(_continued(picture, margin))
    return np.asarray(source.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))


def _continued(picture: np.ndarray, margin: int) -> np.ndarray:
    """Return a picture that goes on mirrored for ``margin`` pixels on every side: (S + 2 margin, ..., 3) uint8."""
    if margin == 0:
        return picture
    side = picture.shape[0]
    places = np.arange(-margin, side + margin) % (2 * side)
    places = np.minimum(places, 2 * side - 1 - places)
    return picture.take(places, axis=0).take(places, axis=1)


def _table(brightness: float, contrast: float) -> np.ndarray:
    """Return the new value of each of the 256 values: (256,) uint8."""
    values = ((np.arange(256) - 127.5) * contrast + 127.5) * brightness
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
