from pathlib import Path

import numpy as np
import pytest

from tlcore.row_file import RowFile


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
def test_rows_read_back_as_they_were_written(tmp_path: Path, dtype: str) -> None:
    rows = np.arange(5 * 7 * 3).reshape(5, 7, 3).astype(dtype)
    with RowFile(tmp_path / "rows.npy", (7, 3), dtype) as file:
        file.append(0, rows[0])
        file.extend(rows[1:])
    found = np.load(tmp_path / "rows.npy", mmap_mode="r")
    assert found.dtype == rows.dtype and np.array_equal(found, rows)


def test_no_rows_are_an_empty_array(tmp_path: Path) -> None:
    with RowFile(tmp_path / "rows.npy", (2, 2, 5), "float16"):
        pass
    assert np.load(tmp_path / "rows.npy").shape == (0, 2, 2, 5)


def test_what_broke_off_has_no_head_and_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(KeyError), RowFile(tmp_path / "rows.npy", (2,), "float16") as file:
        file.append(0, np.zeros(2))
        raise KeyError
    with pytest.raises(ValueError):
        np.load(tmp_path / "rows.npy")


def test_rows_out_of_order_or_of_another_shape_are_refused(tmp_path: Path) -> None:
    with RowFile(tmp_path / "rows.npy", (4, 3), "uint8") as file:
        with pytest.raises(ValueError, match="row 1"):
            file.append(1, np.zeros((4, 3), np.uint8))
        with pytest.raises(ValueError, match=r"shape \(4,\)"):
            file.append(0, np.zeros(4, np.uint8))
        with pytest.raises(ValueError, match=r"Received: \(3, 4\)"):
            file.extend(np.zeros((2, 3, 4), np.uint8))
