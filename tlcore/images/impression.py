"""What the small copy of a picture says of it: its look, and whether it is dark, bright, blurry or grey.

No TensorFlow here. The first half runs in a decoder for each picture by itself, so it is Pillow's own C code and little
else; what can wait is done for many pictures at once.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageChops, ImageFilter

TILE_SIDE, LARGER_SIDE = 32, 96

DARK = 32
"""Of 255. Hardly anything can be seen where 19 of 20 pixels are darker: that is true of 1 in 5,000 ordinary photos."""
BRIGHT = 243
"""Of 255. The same where 19 of 20 pixels are brighter."""
BLURRY = (0.26, 0.3)
"""Limits of ``_blur``. Of 1,200 photos none is below both; nearly all are once they are blurred by a hundredth of their
width (Gaussian, standard deviation)."""
COLOURFUL = 6
"""Of 255. A picture counts as grey if the colours of 19 of 20 pixels differ by less."""
FLAT = 3.0
"""Standard deviation, of 255, below which a picture has no look of its own: nearly one colour."""

_TURNS = ImageFilter.Kernel((3, 3), (0, -1, 0, -1, 4, -1, 0, -1, 0), scale=2)
_EDGE = 1.5  # of the picture's contrast; blurred ones stay below half of that
_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Impression:
    """What one look at a small copy gave.

    Args:
        tile: (32, 32, 3) uint8, the whole picture squeezed to a square; to compare pictures with.
        remarks: What stands out, of "dark", "bright", "blurry".
        larger: (96, 96, 3) uint8, the same as ``tile``, but larger; None once it was handed on.
    """

    tile: np.ndarray
    remarks: tuple[str, ...]
    larger: np.ndarray | None = None


def impression(small: Image.Image) -> Impression:
    """Look at a small copy: RGB, uncropped. Its size should always be the same, or the look differs."""
    tile = np.asarray(small.resize((TILE_SIDE, TILE_SIDE), Image.Resampling.BOX))
    grey = small.convert("L")
    counts, total = grey.histogram(), grey.width * grey.height
    said = {
        "dark": sum(counts[:DARK]) > 0.95 * total,
        "bright": sum(counts[: BRIGHT + 1]) < 0.05 * total,
        "blurry": not _has_edge(grey) and all(value < limit for value, limit in zip(_blur(grey), BLURRY, strict=True)),
    }
    larger = np.asarray(small.resize((LARGER_SIDE, LARGER_SIDE), Image.Resampling.BICUBIC))
    return Impression(tile, tuple(remark for remark, holds in said.items() if holds), larger)


def _has_edge(grey: Image.Image) -> bool:
    """Return whether a few rows already show an edge so sharp that the picture cannot be blurry. Nearly all do."""
    values = np.asarray(grey)
    rows = values[3::8].astype(np.int16)
    if min(rows.shape) < 3:
        return False
    turns = 2 * rows[:, 1:-1] - rows[:, 2:] - rows[:, :-2]
    return bool(turns.max() - turns.min() > _EDGE * (values[::4, ::4].std() + 3))


def _blur(grey: Image.Image) -> tuple[float, float]:
    """Return how quickly brightness turns from pixel to pixel, compared with how much it changes over two pixels, and
    how strong its strongest turns are, compared with the contrast of the picture. Both are small where it is blurry."""
    width, height = grey.size
    if min(width, height) < 5:
        return 1.0, 1.0
    inner = (width - 2) * (height - 2)
    turning = grey.filter(_TURNS).crop((1, 1, width - 1, height - 1))  # turns towards the dark count as 0
    changing = ImageChops.difference(grey.crop((2, 2, width, height)), grey.crop((0, 0, width - 2, height - 2)))
    turns, changes = (np.array(each.histogram()) / inner for each in (turning, changing))
    levels = np.arange(256)
    strongest = float(np.searchsorted(np.cumsum(turns), 0.995))
    return float(2 * turns @ levels / (changes @ levels + 0.2)), strongest / (np.asarray(grey).std() + 3)


def looks(tiles: np.ndarray) -> list[str]:
    """Return the perceptual hash (pHash, 64 bit, hex) of each tile; "" for a picture of nearly one colour.

    The lowest 8 x 8 waves of the brightness, each above the median or not, as ``imagehash.phash`` does for one picture.

    Args:
        tiles: (N, 32, 32, 3) uint8.
    """
    found = []
    for start in range(0, len(tiles), _AT_ONCE):
        part = tiles[start : start + _AT_ONCE].astype(np.float32)
        grey = np.floor(part @ np.array([0.299, 0.587, 0.114], np.float32) + 0.5)
        waves = (_waves() @ grey @ _waves().T).reshape(len(part), 64)
        bits = np.packbits(waves > np.median(waves, axis=1, keepdims=True), axis=1)
        flat = part.reshape(len(part), -1).std(axis=1) < FLAT
        found += ["" if is_flat else row.tobytes().hex() for row, is_flat in zip(bits, flat, strict=True)]
    return found


@cache
def _waves() -> np.ndarray:
    """Return the lowest waves of the DCT-II, (8, 32) float32."""
    from scipy import fft  # only here: a decoder does without, and starts in half the time

    return fft.dct(np.eye(TILE_SIDE, dtype=np.float32), axis=0)[:8]


def are_grey(tiles: np.ndarray) -> np.ndarray:
    """Return (N,) bool: whether nobody would see colour on (N, 32, 32, 3) uint8."""
    red, green, blue = (tiles[..., channel].reshape(len(tiles), -1) for channel in range(3))
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return np.count_nonzero(spread >= COLOURFUL, axis=1) < 0.05 * spread.shape[1]
