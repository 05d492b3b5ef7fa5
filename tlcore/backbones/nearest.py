"""The process that finds neighbours: ``python -m tlcore.backbones.nearest FOLDER``. It imports TensorFlow.

Thaw's own network looks at each picture twice, once whole and once at its middle. A picture whose whole is near
another's middle is perhaps that one cropped, or that one is this one in a frame. The questions come from
``tlcore.images.neighbours``.
"""

import os
import queue
import sys
import threading
import time
from pathlib import Path

import filelock
import numpy as np
from PIL import Image

from tlcore import sparing
from tlcore.errors import WeightsError
from tlcore.images import neighbours, squares

SIDE = 64
"""Pixels per side of what the network looks at. At 96 hardly more copies of flowers are among the five nearest of a
thousand, and of hands, which are hard to tell apart, a tenth more."""
MIDDLE = 0.72
"""The middle, as a share of the side: what is left of a picture of which 14 % are cut off each side."""
NEIGHBOURS = 5
"""Nearest ones that are named for each picture, of each kind."""
NEAR = 0.7
"""Least cosine of two neighbours. Of copies of 220 photos, cropped by 5 to 20 % on each side, in the middle or beside
it, cut to a square or framed by 10 %, 19 of 20 have more; of those cropped by 25 % nine of ten have 0.69 or more."""

_AT_ONCE = 64
_ROWS_AT_ONCE = 512


def main() -> int:
    """Answer one question, and end; at once if whoever asks is gone."""
    folder = Path(sys.argv[1])
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    held = filelock.FileLock(neighbours.lock_file())
    while True:
        try:
            held.acquire(timeout=0)
            break
        except filelock.Timeout:
            neighbours.tell(waiting=True)
            time.sleep(1.0)
    neighbours.tell(waiting=False)
    try:
        neighbours.answer(nearest(folder, asked), folder)
    except WeightsError as error:
        neighbours.tell(problem=error.problem.rstrip("."))
        return 1
    except MemoryError:
        neighbours.tell(problem="the memory of this computer ran out")
        return 1
    return 0


def _listen(asked: "queue.SimpleQueue[int]") -> None:
    """Wait for the question, then for whoever asked to go; then end this process at once."""
    line = b""
    while byte := os.read(0, 1):  # not sys.stdin: its lock would be in the way when Python ends
        line += byte
        if byte == b"\n":
            asked.put(int(line))
            line = b""
    os._exit(1)


def nearest(folder: Path, asked: "queue.SimpleQueue[int]") -> np.ndarray:
    """Return pairs of rows that are neighbours, (M, 2) int32; see ``neighbours.Search.ask``.

    Raises:
        WeightsError: The weights that come with Thaw are missing or damaged.
    """
    with sparing.quick_import():
        import keras  # noqa: F401
    from tlcore.backbones import embedding, table, weights

    row = table.get("thawnet")
    look = embedding.pooled(row, SIDE, weights.fetch(row))
    count = asked.get()
    pictures = squares.opened(folder, count)
    whole, middle = np.empty((2, count, look.output_shape[-1]), np.float32)
    for start in range(0, count, _AT_ONCE):
        batch = [Image.fromarray(square) for square in pictures[start : start + _AT_ONCE]]
        seen = np.stack([_cut(picture, share) for share in (1.0, MIDDLE) for picture in batch])
        both = look.predict_on_batch(seen).reshape(2, len(batch), -1)
        whole[start : start + len(batch)], middle[start : start + len(batch)] = both
        neighbours.tell(done=start + len(batch), total=count)
    return pairs(whole, middle)


def _cut(picture: Image.Image, share: float) -> np.ndarray:
    """Return the middle of a picture for the network, (64, 64, 3) float32."""
    rim = picture.width * (1 - share) / 2
    box = (rim, rim, picture.width - rim, picture.height - rim)
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box), np.float32)


def pairs(whole: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return for features (N, D) of whole pictures and of their middles the pairs that are near, (M, 2) int32.

    The second of a pair may be a part of the first: its whole is near the other's middle or near the other's whole.
    """
    whole, middle = (
        features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6) for features in (whole, middle)
    )
    found = []
    for start in range(0, len(whole), _ROWS_AT_ONCE):
        neighbours.tell(done=start, total=len(whole))
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(whole)))
        alike = _best(whole[rows] @ whole.T, rows)
        parts = _best(middle[rows] @ whole.T, rows)
        wholes = _best(whole[rows] @ middle.T, rows)
        found += [alike, alike[:, ::-1], parts, wholes[:, ::-1]]
    return np.unique(np.concatenate(found), axis=0).astype(np.int32)


def _best(cosines: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the nearest others of some rows, (M, 2), out of their cosines with all, (rows, N)."""
    cosines[np.arange(len(rows)), rows] = -1
    most = min(NEIGHBOURS, cosines.shape[1] - 1)
    others = np.argpartition(-cosines, most - 1, axis=1)[:, :most]
    one, place = np.nonzero(np.take_along_axis(cosines, others, axis=1) >= NEAR)
    return np.stack([rows[one], others[one, place]], axis=1)


if __name__ == "__main__":
    sys.exit(main())
