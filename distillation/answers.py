"""What the teacher says of views, as a value. NumPy only."""

from dataclasses import dataclass

import numpy as np

MIDDLE_GRID, FINAL_GRID = 4, 2
"""Sides of the grids to which the two tensors are averaged: an area of 32 and of 64 pixels per cell."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What the teacher says of N views, float16.

    Args:
        middle: (N, 4, 4, 96): after the last block at a sixteenth of the side, averaged to a grid; linear.
        final: (N, 2, 2, 1280): after the last layer before the pooling, averaged to a grid; 0 to 6.
        scores: (N, 1000): before the softmax.
    """

    middle: np.ndarray
    final: np.ndarray
    scores: np.ndarray
