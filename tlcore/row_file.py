"""A .npy file that grows row by row, because not everything fits into memory at once. No TensorFlow here."""

from pathlib import Path
from types import TracebackType

import numpy as np


class RowFile:
    """Rows of one shape, written one after the other; ``numpy.load(file, mmap_mode="r")`` opens what came of it.

    Written with ordinary writes, never through a memory map: on a full disk those fail with an error that can be
    explained, while a memory map takes the whole process down.

    Args:
        file: Where; written anew.
        row_shape: Shape of one row.
        dtype: NumPy's name of the numbers, "uint8", "float16".
    """

    HEAD_BYTES = 128  # of the .npy format with a short shape; NumPy pads it to a multiple of 64

    def __init__(self, file: Path, row_shape: tuple[int, ...], dtype: str) -> None:
        self.row_shape = row_shape
        self.dtype = np.dtype(dtype)
        self.rows = 0
        self._stream = file.open("wb")
        self._stream.write(bytes(self.HEAD_BYTES))

    def __enter__(self) -> "RowFile":
        return self

    def append(self, row: int, values: np.ndarray) -> None:
        """Write the next row; ``row`` is its number, from 0 without gaps."""
        if row != self.rows or values.shape != self.row_shape:
            raise ValueError(
                f"Rows come in order and have shape {self.row_shape}. Received: row {row}, shape {values.shape}"
            )
        self.extend(values[None])

    def extend(self, values: np.ndarray) -> None:
        """Write some more rows: (n, *row_shape)."""
        if values.shape[1:] != self.row_shape:
            raise ValueError(f"Rows have shape {self.row_shape}. Received: {values.shape[1:]}")
        self._stream.write(np.ascontiguousarray(values, self.dtype).data)
        self.rows += len(values)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the head, now that the number of rows is known, and close."""
        with self._stream:
            if kind is None:
                self._stream.seek(0)
                description = np.lib.format.dtype_to_descr(self.dtype)
                head = {"descr": description, "fortran_order": False, "shape": (self.rows, *self.row_shape)}
                np.lib.format.write_array_header_1_0(self._stream, head)
                assert self._stream.tell() == self.HEAD_BYTES
