"""How alike two pictures are once one is laid over the other: shifted and scaled a little, brighter or darker.

No TensorFlow here. Follows Lucas and Kanade (1981), for many pairs at once: the picture's own slopes tell how far and
in which direction the difference would shrink.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

REACH = 0.12
"""How far a picture may be scaled or shifted, as a share of its side: about a tenth cut off."""

Limits = tuple[tuple[float, float, float, float], tuple[float, float, float, float]]
NEAR: Limits = ((-REACH,) * 4, (REACH,) * 4)
PART: Limits = ((-0.6, -0.6, -0.6, -0.6), (0.05, 0.6, 0.05, 0.6))
"""Scale and shift of a part: down to two fifths of the side, and anywhere."""

_ROUGH_STEPS = ((0.8, 6),)  # blur in pixels of the halved picture, rounds
_EXACT_STEPS = ((0.6, 4),)
_WITHIN_STEPS = ((1.0, 3), (0.6, 4))
_TILES_AT_ONCE = 1024
_CELLS = 8  # cells per side in which the difference is looked at by itself


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike pairs of pictures are, one number per pair.

    Args:
        whole: Correlation of the colours of both pictures, -1 to 1.
        worst: Mean difference in the cell where they differ most, as a share of the picture's contrast. A different
            needle on the same dial is small on the whole and large here.
        fine: Correlation of what is left without the large shapes, -1 to 1. Other shirts on the same table are alike on
            the whole and differ here.
        moved: (N, 4): scale and shift along x, scale and shift along y that lay the first over the second; 0 for none,
            1 for half of the picture's side.
    """

    whole: np.ndarray
    worst: np.ndarray
    fine: np.ndarray
    moved: np.ndarray


def roughly(first: np.ndarray, second: np.ndarray) -> Likeness:
    """Do what ``likeness`` does on half as many pixels per side: four times quicker, for a first sifting."""
    return _laid_over(shrunk(first, 2), shrunk(second, 2), _ROUGH_STEPS, np.zeros((len(first), 4), np.float32))


def likeness(first: np.ndarray, second: np.ndarray) -> Likeness:
    """Lay each picture over its partner and compare them.

    Args:
        first: (N, S, S, 3), uint8 or float32.
        second: The partners, likewise.
    """
    return _laid_over(first, second, _EXACT_STEPS, roughly(first, second).moved)


def within(whole: np.ndarray, part: np.ndarray, moved: np.ndarray) -> Likeness:
    """Lay a part of each picture over its partner and compare them.

    Args:
        whole: (N, S, S, 3), uint8 or float32.
        part: (N, T, T, 3): the partners, perhaps cropped. The comparison takes place on their grid.
        moved: (N, 4): about where the partner lies within the whole, as in ``Likeness``.
    """
    return _laid_over(whole, part, _WITHIN_STEPS, moved, PART)


def _laid_over(
    first: np.ndarray,
    second: np.ndarray,
    steps: tuple[tuple[float, int], ...],
    moved: np.ndarray,
    limits: Limits = NEAR,
) -> Likeness:
    """Find out how each picture has to be moved, beginning with a guess, and compare."""
    grey_first, grey_second = (_grey(tiles.astype(np.float32)) for tiles in (first, second))
    for blur, rounds in steps:
        smooth_first, smooth_second = (
            _even(ndimage.gaussian_filter(grey, (0, blur, blur))) for grey in (grey_first, grey_second)
        )
        for _ in range(rounds):
            moved = _closer(smooth_first, smooth_second, moved, limits)
    laid, inside = _sampled(first.astype(np.float32), moved, second.shape[1])
    whole, worst = _compared(laid, second.astype(np.float32), inside)
    return Likeness(whole, worst, _fine(_grey(laid), grey_second, inside), moved)


def _grey(tiles: np.ndarray) -> np.ndarray:
    """Average (N, S, S, 3) over the colours; by hand, because NumPy is slow over an axis as short as this."""
    return (tiles[..., 0] + tiles[..., 1] + tiles[..., 2]) / np.float32(3)


def shrunk(tiles: np.ndarray, by: int) -> np.ndarray:
    """Average (N, S, S, 3) over ``by`` x ``by`` pixels; by hand, as in ``_grey``.

    Returns:
        (N, S / by, S / by, 3) float32.
    """
    side = tiles.shape[1] // by
    found = np.empty((len(tiles), side, side, 3), np.float32)
    for start in range(0, len(tiles), _TILES_AT_ONCE):
        some = tiles[start : start + _TILES_AT_ONCE]
        rows = sum(some[:, number::by].astype(np.float32) for number in range(by))
        found[start : start + len(some)] = sum(rows[:, :, number::by] for number in range(by))
    found /= by * by
    return found


def _even(grey: np.ndarray) -> np.ndarray:
    """Take brightness and contrast out of (N, S, S)."""
    centred = grey - grey.mean(axis=(1, 2), keepdims=True)
    return centred / np.maximum(centred.std(axis=(1, 2), keepdims=True), 1e-3)


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of every tile pixel, each (S, S), -1 to 1 from edge to edge."""
    line = (np.arange(side, dtype=np.float32) + 0.5) * 2 / side - 1
    return np.broadcast_to(line[None], (side, side)), np.broadcast_to(line[:, None], (side, side))


def _sampled(tiles: np.ndarray, moved: np.ndarray, grid_side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, T, T, ...) moved pictures, T the side of the grid, and (N, T, T) whether a place lies inside."""
    side = tiles.shape[1]
    x, y = _grid(grid_side)
    scale_x, shift_x, scale_y, shift_y = (part[:, None, None] for part in moved.T)
    to_x = ((1 + scale_x) * x + shift_x + 1) * side / 2 - 0.5
    to_y = ((1 + scale_y) * y + shift_y + 1) * side / 2 - 0.5
    inside = (to_x > -0.75) & (to_x < side - 0.25) & (to_y > -0.75) & (to_y < side - 0.25)
    to_x, to_y = to_x.clip(0, side - 1.001), to_y.clip(0, side - 1.001)
    left, top = to_x.astype(np.int32), to_y.astype(np.int32)
    wide = (slice(None), slice(None), slice(None)) + (None,) * (tiles.ndim - 3)
    part_x, part_y = (to_x - left)[wide], (to_y - top)[wide]
    # One number per place and pixel: three times quicker than an index for each axis.
    place = (np.arange(len(tiles))[:, None, None] * side + top) * side + left
    pixels = tiles.reshape(-1, *tiles.shape[3:])
    upper = pixels.take(place, axis=0) * (1 - part_x) + pixels.take(place + 1, axis=0) * part_x
    below = place + side
    lower = pixels.take(below, axis=0) * (1 - part_x) + pixels.take(below + 1, axis=0) * part_x
    return upper * (1 - part_y) + lower * part_y, inside


def _closer(first: np.ndarray, second: np.ndarray, moved: np.ndarray, limits: Limits) -> np.ndarray:
    """Return scale and shift after one step towards the smallest difference; (N, 4)."""
    side = second.shape[1]
    laid, inside = _sampled(first, moved, side)
    if limits is PART:
        laid = _even(laid)  # a part may be brighter than the whole it is from
    down, right = np.gradient(laid, axis=(1, 2))
    slope_x, slope_y = (
        slope * side / 2 / (1 + moved[:, column, None, None]) * inside for slope, column in ((right, 0), (down, 2))
    )
    x, y = _grid(side)
    slopes = np.stack([slope_x * x, slope_x, slope_y * y, slope_y], axis=-1).reshape(len(first), -1, 4)
    missing = ((second - laid) * inside).reshape(len(first), -1, 1)
    turned = slopes.transpose(0, 2, 1)
    normal = turned @ slopes + np.eye(4, dtype=np.float32) * 1e-2 * side
    return (moved + np.linalg.solve(normal, turned @ missing)[..., 0]).clip(*limits)


def _compared(laid: np.ndarray, second: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``whole`` and ``worst`` of the colours inside, after making brightness and contrast of the whole equal."""
    count, side = len(laid), laid.shape[1]
    weight = inside[..., None].astype(np.float32)
    total = np.maximum(weight.sum(axis=(1, 2, 3), keepdims=True) * 3, 1)
    a = (laid - (laid * weight).sum(axis=(1, 2, 3), keepdims=True) / total) * weight
    b = (second - (second * weight).sum(axis=(1, 2, 3), keepdims=True) / total) * weight
    of_a, of_b = (np.sqrt((part**2).sum(axis=(1, 2, 3), keepdims=True) / total) + 1e-3 for part in (a, b))
    whole = (a * b).sum(axis=(1, 2, 3), keepdims=True) / (of_a * of_b * total)
    difference = np.abs(a / of_a - b / of_b).mean(axis=-1)
    cell = side // _CELLS
    shape = (count, _CELLS, cell, _CELLS, cell)
    seen = inside.reshape(shape).sum(axis=(2, 4))
    worst = difference.reshape(shape).sum(axis=(2, 4)) / np.maximum(seen, cell)
    return whole.reshape(count), worst.reshape(count, -1).max(axis=1)


def _fine(laid: np.ndarray, second: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the correlation of the fine shapes inside; what is finer than a pixel is chance, so it is smoothed."""
    a, b = (
        (ndimage.gaussian_filter(grey, (0, 0.5, 0.5)) - ndimage.gaussian_filter(grey, (0, 2.0, 2.0))) * inside
        for grey in (laid, second)
    )
    return (a * b).sum(axis=(1, 2)) / (np.sqrt((a**2).sum(axis=(1, 2)) * (b**2).sum(axis=(1, 2))) + 1e-3)
