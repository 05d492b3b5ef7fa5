"""Which pictures are a part of another: cropped on any side, or put into a frame. No TensorFlow here.

About two hundred windows of each picture are shrunk to 8 x 8 coloured points and compared with its partners, as they
are and mirrored. Where one fits, the partner is laid over that place exactly, as in ``alignment``, and compared over
its whole area.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from tlcore.images import alignment
from tlcore.images.alignment import Likeness
from tlcore.images.folder import Progress

FIT = 0.85
"""Correlation of a picture with the best window of another from which on it is laid over that window. Of photos of
which up to a quarter was cut off each side, or that were framed, more than 9 of 10 reach it; of unlike pairs 1 in 600
(cats and dogs) to 1 in 25 (hands before one wall)."""
_SIFT = ((4, 6, 0.91, 0.75), (2, 3, 0.93, 0.84))
# How far the whole and the part are shrunk, and the least ``whole`` and ``fine`` of ``alignment.Likeness``: nearly all
# unlike pairs end here, before the exact comparison, which costs ten times as much as the first of these.
EXACT = (0.95, 0.5, 0.93)
"""A part: ``whole`` and ``fine`` at least the first and last, ``worst`` at most the second, on 48 x 48 pixels. Of 2,240
pairs of photos and their cropped, framed or mirrored copies that were laid over each other 19 of 20 have a ``fine`` of
0.965 or more; of all pairs among 10,000 photos (flowers, pets, hands, clothes, small things) the unlike ones have 0.83
or less, trousers of the same cut."""
LARGEST = 0.9
"""Share of the area that a part has at most: 2.6 % cut off each side. A larger one is the whole picture, which
``twins`` compares in its own way."""

_SHARES = (0.5, 0.57, 0.65, 0.73, 0.81, 0.9)  # of both sides
_ONE_WAY = (0.6, 0.67, 0.75, 0.85)  # of one side, the other is whole: a photo cut to a square
_GRAIN = 8
_BASE = 24  # pixels per side from which windows are made
_ROWS_AT_ONCE = 32
_FEW = 64
_PAIRS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Parts:
    """Pictures by row, of which the second may be a part of the first; arrays of one length.

    Args:
        whole: Rows.
        part: Rows of their partners.
        mirrored: Whether the partner has to be mirrored.
        moved: (N, 4): about where it lies, as in ``alignment.Likeness``.
    """

    whole: np.ndarray
    part: np.ndarray
    mirrored: np.ndarray
    moved: np.ndarray

    def __getitem__(self, which: np.ndarray | slice) -> "Parts":
        return Parts(self.whole[which], self.part[which], self.mirrored[which], self.moved[which])


def every_pair(count: int) -> list[np.ndarray]:
    """Return as partners of each row all other rows."""
    rows = np.arange(count)
    return [rows[rows != row] for row in range(count)]


def find(squares: np.ndarray, partners: Sequence[np.ndarray], progress: Progress) -> np.ndarray:
    """Return the pairs of rows of which one is a part of the other; (M, 2).

    Args:
        squares: (N, 96, 96, 3) uint8, may be memory-mapped: whole pictures squeezed to a square.
        partners: For each row the rows that may be a part of it.
        progress: Told how many rows are done, of how many.
    """
    parts = _fitting(squares, partners, progress)
    for whole_by, part_by, least_whole, least_fine in _SIFT:
        found = _laid_over(squares, parts, whole_by, part_by)
        alike = (found.whole >= least_whole) & (found.fine >= least_fine)
        parts = replace(parts, moved=found.moved)[alike]
    found = _laid_over(squares, parts, 1, 2)
    area = (1 + found.moved[:, 0]) * (1 + found.moved[:, 2])
    alike = (found.whole >= EXACT[0]) & (found.worst <= EXACT[1]) & (found.fine >= EXACT[2])
    parts = parts[alike & (area <= LARGEST)]
    return np.stack([parts.whole, parts.part], axis=1)


def _fitting(squares: np.ndarray, partners: Sequence[np.ndarray], progress: Progress) -> Parts:
    """Return the pairs in which a picture fits onto a window of the other."""
    base = alignment.shrunk(squares, squares.shape[1] // _BASE)
    whole = [_seen(base[start : start + 1024], _windows()[:1])[:, 0] for start in range(0, len(base), 1024)]
    ends = np.concatenate(whole) - np.concatenate(whole).mean(axis=1, keepdims=True)
    ends /= _spread(ends)[:, None]
    mirrored_ends = ends.reshape(-1, _GRAIN, _GRAIN)[:, :, ::-1].reshape(ends.shape)
    found = [Parts(np.empty(0, int), np.empty(0, int), np.empty(0, bool), np.empty((0, 4), np.float32))]
    for row, others in enumerate(partners):
        progress(row, len(partners))
        if row % _ROWS_AT_ONCE == 0:
            views = _seen(base[row : row + _ROWS_AT_ONCE], _windows())
            spreads = _spread(views)
        there, spread = views[row % _ROWS_AT_ONCE], spreads[row % _ROWS_AT_ONCE]
        fits = np.stack([_products(there, some[others]) for some in (ends, mirrored_ends)]) / spread[:, None]
        close = np.flatnonzero(fits.max(axis=(0, 1)) >= FIT)  # of (2, windows, others)
        best = fits[:, :, close].reshape(2 * fits.shape[1], -1).argmax(axis=0)
        mirrored, window = np.divmod(best, fits.shape[1])
        found.append(Parts(np.full(len(close), row), others[close], mirrored == 1, _windows()[window]))
    fields = ("whole", "part", "mirrored", "moved")
    return Parts(*(np.concatenate([getattr(each, field) for each in found]) for field in fields))


def _laid_over(squares: np.ndarray, parts: Parts, whole_by: int, part_by: int) -> Likeness:
    """Lay parts over their pictures, each shrunk by a number, a few hundred pairs at a time."""
    found = [Likeness(*np.empty((3, 0), np.float32), np.empty((0, 4), np.float32))]
    for start in range(0, len(parts.whole), _PAIRS_AT_ONCE):
        some = parts[slice(start, start + _PAIRS_AT_ONCE)]
        whole, part = alignment.shrunk(squares[some.whole], whole_by), alignment.shrunk(squares[some.part], part_by)
        part[some.mirrored] = part[some.mirrored][:, :, ::-1]
        found.append(alignment.within(whole, part, some.moved))
    return Likeness(*(np.concatenate([getattr(each, field) for each in found]) for field in Likeness.__annotations__))


def _seen(base: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Return what is seen through windows, (N, windows, 192) float32, of (N, 24, 24, 3)."""
    colours = np.ascontiguousarray(base.transpose(0, 3, 1, 2))
    seen = []
    for (scale_x, scale_y), some in itertools.groupby(windows.tolist(), key=lambda window: (window[0], window[2])):
        places = list(some)
        xs, ys = (list(dict.fromkeys(place[axis] for place in places)) for axis in (1, 3))
        across, down = (
            np.concatenate([_line(scale, shift) for shift in shifts])
            for scale, shifts in ((scale_x, xs), (scale_y, ys))
        )
        points = (down @ (colours @ across.T)).reshape(len(base), 3, len(ys), _GRAIN, len(xs), _GRAIN)
        seen.append(points.transpose(0, 4, 2, 1, 3, 5).reshape(len(base), len(places), -1))
    return np.concatenate(seen, axis=1)


def _products(there: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return (windows, others). For a few others without BLAS, whose threads cost four times the work on two cores."""
    return np.einsum("wd,od->wo", there, ends) if len(ends) < _FEW else there @ ends.T


def _spread(seen: np.ndarray) -> np.ndarray:
    """Return how much there is to see: the length of the vectors (..., 192) without their mean, and a little."""
    length = np.einsum("...i,...i->...", seen, seen) - seen.sum(axis=-1) ** 2 / seen.shape[-1]
    return np.sqrt(length.clip(0)) + 8.0


@cache
def _windows() -> np.ndarray:
    """Return the windows, (219, 4): scale and shift along x and y, the whole picture first."""
    found = [(0.0, 0.0, 0.0, 0.0)]
    for share in _SHARES:
        found += [(share - 1, x, share - 1, y) for x, y in itertools.product(_shifts(share), repeat=2)]
    for share in _ONE_WAY:
        found += [(share - 1, x, 0.0, 0.0) for x in _shifts(share)]
        found += [(0.0, 0.0, share - 1, x) for x in _shifts(share)]
    return np.array(found, np.float32)


def _shifts(share: float) -> list[float]:
    """Return places for a window, from edge to edge, at most about one of its eight points apart."""
    steps = max(1, round((1 - share) * _GRAIN / share))
    return np.linspace(share - 1, 1 - share, steps + 1).tolist()


@cache
def _line(scale: float, shift: float) -> np.ndarray:
    """Return (8, 24): which share of each point is which pixel, along one side."""
    edges = ((1 + scale) * np.linspace(-1, 1, _GRAIN + 1) + shift + 1) * _BASE / 2
    pixels = np.arange(_BASE)
    covered = (np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)).clip(0)
    return (covered / covered.sum(axis=1, keepdims=True)).astype(np.float32)
