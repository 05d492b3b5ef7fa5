"""What the small copy of a picture says of it: its look, and whether it is dark, bright, blurry or grey.

No TensorFlow here.
"""

from dataclasses import dataclass

import imagehash
import numpy as np
from PIL import Image

TILE_SIDE = 32

DARK = 32
"""Of 255. Hardly anything can be seen where 19 of 20 pixels are darker: that is true of 1 in 5,000 ordinary photos."""
BRIGHT = 243
"""Of 255. The same where 19 of 20 pixels are brighter."""
BLURRY = (0.33, 0.35)
"""Limits of ``_blur``. Of 2,500 photos none is below; nearly all are once they are blurred by a hundredth of their
width (Gaussian, standard deviation)."""
COLOURFUL = 6
"""Of 255. A picture counts as grey if the colours of 19 of 20 pixels differ by less."""
FLAT = 3.0
"""Standard deviation, of 255, below which a picture has no look of its own: nearly one colour."""


@dataclass(frozen=True, eq=False)
class Impression:
    """What one look at a small copy gave.

    Args:
        look: Perceptual hash (pHash, 64 bit, hex); "" for a picture of nearly one colour.
        remarks: What stands out, of "dark", "bright", "blurry", "grey".
        tile: (32, 32, 3) uint8, the whole picture squeezed to a square; to compare pictures with.
    """

    look: str
    remarks: tuple[str, ...]
    tile: np.ndarray


def impression(small: np.ndarray) -> Impression:
    """Look at a small copy: (h, w, 3) uint8, uncropped. Its size should always be the same, or the look differs."""
    image = Image.fromarray(small)
    tile = np.asarray(image.resize((TILE_SIDE, TILE_SIDE), Image.Resampling.BOX))
    grey = image.convert("L")
    look = str(imagehash.phash(grey)) if tile.std() >= FLAT else ""
    return Impression(look, _remarks(np.asarray(grey), tile), tile)


def _remarks(grey: np.ndarray, tile: np.ndarray) -> tuple[str, ...]:
    """Return what stands out in (h, w) uint8 and in its tile."""
    darkest, brightest = np.quantile(grey, (0.05, 0.95))
    spread = tile.max(axis=-1) - tile.min(axis=-1)
    smooth, faint = _blur(grey)
    said = {
        "dark": brightest < DARK,
        "bright": darkest > BRIGHT,
        "blurry": bool(smooth < BLURRY[0] and faint < BLURRY[1]),
        "grey": np.quantile(spread, 0.95) < COLOURFUL,
    }
    return tuple(remark for remark, holds in said.items() if holds)


def _blur(grey: np.ndarray) -> tuple[float, float]:
    """Return how quickly brightness turns from pixel to pixel, compared with how much it changes over two pixels, and
    how strong its strongest turns are, compared with the contrast of the picture. Both are small where it is blurry."""
    values = grey.astype(np.int16)
    if min(values.shape) < 3:
        return 1.0, 1.0
    turns, changes = [], []
    for line in (values, values.T):
        turns.append(np.abs(line[:, 2:] - 2 * line[:, 1:-1] + line[:, :-2]).ravel())
        changes.append(np.abs(line[:, 2:] - line[:, :-2]).mean())
    strongest = float(np.quantile(np.concatenate(turns), 0.99))
    turning = sum(float(each.mean()) for each in turns)
    return turning / (float(sum(changes)) + 0.2), strongest / (float(values.std()) + 3)
