"""Which pictures are a part of another: cropped on any side, or put into a frame. No TensorFlow here.

About two hundred windows of each picture are shrunk to 8 x 8 coloured points and compared with its partners, as they
are and mirrored. Where one fits, the partner is laid over that place exactly, as in ``alignment``, and compared over
its whole area, under the limits that hold for other near-copies.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tlcore.images import alignment
from tlcore.images.alignment import Likeness
from tlcore.images.folder import Progress

FIT = 0.87
"""Correlation of a picture with the best window of another from which on it is laid over that window. Of the copies
that we made of photos (a quarter cut off each side or less, framed) 9 of 10 and more reach it, of unlike pairs 1 in
1,000 (cats and dogs) to 1 in 30 (hands before one wall)."""
ROUGH = 0.88
"""Least ``Likeness.whole`` on half of the pixels per side; below it the exact comparison is not worth its time."""
LARGEST = 0.87
"""Share of the area that a part has at most: about 3.5 % cut off each side. A larger one is the whole picture, which
``twins`` compares in its own way."""

_SHARES = (0.5, 0.57, 0.65, 0.73, 0.81, 0.9)  # of both sides
_ONE_WAY = (0.6, 0.67, 0.75, 0.85)  # of one side, the other is whole: a photo cut to a square
_GRAIN = 8
_BASE = 24  # pixels per side from which windows are made
_ROWS_AT_ONCE = 32
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


def find(
    squares: np.ndarray, partners: Sequence[np.ndarray], limits: tuple[float, float, float], progress: Progress
) -> np.ndarray:
    """Return the pairs of rows of which one is a part of the other; (M, 2).

    Args:
        squares: (N, 96, 96, 3) uint8, may be memory-mapped: whole pictures squeezed to a square.
        partners: For each row the rows that may be a part of it.
        limits: Least ``whole``, most ``worst`` and least ``fine`` of ``alignment.Likeness``.
        progress: Told how many rows are done, of how many.
    """
    parts = _fitting(squares, partners, progress)
    roughly = _laid_over(squares, parts, 4, 6)
    parts = parts[roughly.whole >= ROUGH]
    exactly = _laid_over(squares, parts, 2, 3)
    area = (1 + exactly.moved[:, 0]) * (1 + exactly.moved[:, 2])
    alike = (exactly.whole >= limits[0]) & (exactly.worst <= limits[1]) & (exactly.fine >= limits[2])
    parts = parts[alike & (area <= LARGEST)]
    return np.stack([parts.whole, parts.part], axis=1)


def _fitting(squares: np.ndarray, partners: Sequence[np.ndarray], progress: Progress) -> Parts:
    """Return the pairs in which a picture fits onto a window of the other."""
    base = _shrunk(squares, squares.shape[1] // _BASE)
    ends = np.concatenate([_views(base[start : start + 1024])[:, 0] for start in range(0, len(base), 1024)])
    mirrored_ends = ends.reshape(-1, _GRAIN, _GRAIN, 3)[:, :, ::-1].reshape(ends.shape)
    found = [Parts(np.empty(0, int), np.empty(0, int), np.empty(0, bool), np.empty((0, 4), np.float32))]
    for row, others in enumerate(partners):
        progress(row, len(partners))
        if row % _ROWS_AT_ONCE == 0:
            views = _views(base[row : row + _ROWS_AT_ONCE], all_windows=True)
        if not len(others):
            continue
        there = views[row % _ROWS_AT_ONCE]
        fits = np.stack([there @ ends[others].T, there @ mirrored_ends[others].T])  # (2, windows, others)
        best = fits.max(axis=(0, 1))
        close = np.flatnonzero(best >= FIT)
        mirrored, window = np.divmod(fits[:, :, close].reshape(2 * fits.shape[1], -1).argmax(axis=0), fits.shape[1])
        found.append(Parts(np.full(len(close), row), others[close], mirrored == 1, _windows()[window]))
    fields = ("whole", "part", "mirrored", "moved")
    return Parts(*(np.concatenate([getattr(each, field) for each in found]) for field in fields))


def _laid_over(squares: np.ndarray, parts: Parts, whole_by: int, part_by: int) -> Likeness:
    """Lay parts over their pictures, each shrunk by a number, a few hundred pairs at a time."""
    found = [Likeness(*np.empty((3, 0), np.float32), np.empty((0, 4), np.float32))]
    for start in range(0, len(parts.whole), _PAIRS_AT_ONCE):
        some = parts[slice(start, start + _PAIRS_AT_ONCE)]
        whole, part = _shrunk(squares[some.whole], whole_by), _shrunk(squares[some.part], part_by)
        part[some.mirrored] = part[some.mirrored][:, :, ::-1]
        found.append(alignment.within(whole, part, some.moved))
    return Likeness(*(np.concatenate([getattr(each, field) for each in found]) for field in Likeness.__annotations__))


def _shrunk(squares: np.ndarray, by: int) -> np.ndarray:
    """Average (N, S, S, 3) over ``by`` x ``by`` pixels; float32."""
    side = squares.shape[1] // by
    found = np.empty((len(squares), side, side, 3), np.float32)
    for start in range(0, len(squares), 1024):
        some = squares[start : start + 1024]
        found[start : start + 1024] = some.reshape(len(some), side, by, side, by, 3).mean(axis=(2, 4), dtype=np.float32)
    return found


def _views(base: np.ndarray, all_windows: bool = False) -> np.ndarray:
    """Return windows as unit vectors, (N, windows, 192) float32; only the first, the whole picture, or all."""
    weights = _weights() if all_windows else _weights()[:, : _GRAIN**2]
    flat = base.reshape(len(base), _BASE**2, 3)
    views = np.stack([flat[..., colour] @ weights for colour in range(3)], axis=-1)
    views = views.reshape(len(base), -1, 3 * _GRAIN**2)
    views -= views.mean(axis=-1, keepdims=True)
    views /= np.sqrt((views**2).sum(axis=-1, keepdims=True)) + 8.0
    return views


@cache
def _windows() -> np.ndarray:
    """Return the windows, (219, 4): scale and shift along x and y, the whole picture first."""
    found = [(0.0, 0.0, 0.0, 0.0)]
    for share in _SHARES:
        found += [(share - 1, x, share - 1, y) for x, y in itertools.product(_shifts(share), repeat=2)]
    for share in _ONE_WAY:
        found += [each for x in _shifts(share) for each in ((share - 1, x, 0.0, 0.0), (0.0, 0.0, share - 1, x))]
    return np.array(found, np.float32)


def _shifts(share: float) -> list[float]:
    """Return places for a window, from edge to edge, at most about one of its eight points apart."""
    steps = max(1, round((1 - share) * _GRAIN / share))
    return np.linspace(share - 1, 1 - share, steps + 1).tolist()


@cache
def _weights() -> np.ndarray:
    """Return (24 * 24, windows * 64): what each pixel gives to the points of each window."""
    each = [np.einsum("ij,kl->jlik", _line(*window[2:]), _line(*window[:2])) for window in _windows()]
    return np.concatenate([one.reshape(_BASE**2, -1) for one in each], axis=1).astype(np.float32)


def _line(scale: float, shift: float) -> np.ndarray:
    """Return (8, 24): which share of each point is which pixel, along one side."""
    edges = ((1 + scale) * np.linspace(-1, 1, _GRAIN + 1) + shift + 1) * _BASE / 2
    pixels = np.arange(_BASE)
    covered = (np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)).clip(0)
    return covered / covered.sum(axis=1, keepdims=True)
