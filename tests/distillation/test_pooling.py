import numpy as np
import pytest

from distillation.pooling import GridPooling


def pooled(values, grid):
    return np.asarray(GridPooling(grid)(values.astype("float32")))


def test_even_cells_are_plain_means():
    values = np.random.default_rng(0).random((2, 4, 6, 3))
    expected = values.reshape(2, 2, 2, 2, 3, 3).mean((2, 4))

    np.testing.assert_allclose(pooled(values, 2), expected, rtol=1e-5)


def test_a_row_between_two_cells_counts_half_in_each():
    values = np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1)

    np.testing.assert_allclose(pooled(values, 2).ravel()[::2], [(1 + 5) / 1.5, (100 + 5) / 1.5], rtol=1e-6)


@pytest.mark.parametrize("side", [2, 3, 4, 5, 7])
def test_the_mean_of_the_whole_stays_the_same(side):
    values = np.random.default_rng(0).random((2, side, side, 3))

    np.testing.assert_allclose(pooled(values, 2).mean((1, 2)), values.mean((1, 2)), rtol=1e-5)
