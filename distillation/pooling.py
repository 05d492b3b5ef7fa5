"""Averaging a tensor to a grid of few cells, whatever its size. Imports Keras."""

import keras
import numpy as np


class GridPooling(keras.layers.Layer):
    """Average (N, H, W, C) to (N, G, G, C), every cell over its exact area; H and W need not be multiples of G.

    So that a teacher that sees 128 pixels and a student that sees 96 can be compared place by place.
    """

    def __init__(self, grid: int, **arguments: object) -> None:
        super().__init__(**arguments)
        self.grid = grid

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Average over the area of each cell."""
        rows = keras.ops.cast(_areas(x.shape[1], self.grid), x.dtype)
        columns = keras.ops.cast(_areas(x.shape[2], self.grid), x.dtype)
        return keras.ops.einsum("jw,niwc->nijc", columns, keras.ops.einsum("ih,nhwc->niwc", rows, x))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (N, G, G, C)."""
        return (shape[0], self.grid, self.grid, shape[3])


def _areas(length: int, cells: int) -> np.ndarray:
    """Return how much of each cell each row fills: (cells, length) float32, 0 to 1; a cell's shares sum to 1."""
    edges, width = np.arange(cells + 1) * length / cells, length / cells
    starts = np.arange(length)
    overlap = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return (np.maximum(overlap, 0) / width).astype("float32")
