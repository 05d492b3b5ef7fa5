"""How much near-copies would have flattered the score of a plain random split: measured. No TensorFlow here.

What is measured: a program that knows nothing but small copies (16 x 16 pixels) names each exam picture after the
one picture outside of the exam that is most like it. Exam pictures are drawn at random several times, as is usual,
and each is named twice: once with everything outside of the exam to learn from, and once without the pictures that
look the same. The program learns by heart like no trained network does, so it shows whether copies help, and how many
exam pictures they reach; not by how many points a network would be too good.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tlcore import atomic
from tlcore.images.dataset import Dataset

DRAWS = 10
_EXAM_SHARE = 0.15
_AT_MOST = 8000  # pictures that are measured; of more, whole groups are taken by chance


@dataclass(frozen=True)
class Flattery:
    """What was measured; shares from 0 to 1.

    Args:
        pictures: Pictures that have at least one other that looks the same, to the last byte or nearly.
        groups: Groups that they form.
        twins: Share of the exam pictures of a plain random draw that have such a twin outside of the exam.
        plain: Exam pictures named rightly after their nearest picture, twins among them.
        honest: The same exam pictures named rightly after their nearest picture that is no twin.
        draws: Number of draws of which these are the means.
    """

    pictures: int = 0
    groups: int = 0
    twins: float = 0.0
    plain: float = 0.0
    honest: float = 0.0
    draws: int = 0


def save(flattery: Flattery, file: Path) -> None:
    """Write what was measured as JSON."""
    atomic.write_json(file, asdict(flattery))


def load(file: Path) -> Flattery:
    """Read what ``save`` wrote; nothing measured where there is no file."""
    return Flattery(**atomic.read_json(file)) if file.is_file() else Flattery()


def measure(dataset: Dataset, tiles: np.ndarray) -> Flattery:
    """Count the near-copies and measure what they would do.

    Args:
        dataset: Looked-over pictures.
        tiles: (N, S, S, 3) uint8, in the order of its pictures.
    """
    sizes = Counter(picture.kin for picture in dataset.pictures)
    alike = {kin for kin, size in sizes.items() if size > 1}
    if not alike:
        return Flattery()
    rows = _rows(dataset)
    kin = np.unique([dataset.pictures[row].kin for row in rows], return_inverse=True)[1]
    labels = np.array([dataset.pictures[row].label for row in rows])
    values = _evened(tiles[rows])
    sums = np.zeros(3)
    for seed in range(DRAWS):
        order = np.random.default_rng(seed).permutation(len(rows))
        n_exam = max(1, round(_EXAM_SHARE * len(rows)))
        exam, others = order[:n_exam], order[n_exam:]
        likeness = values[exam] @ values[others].T
        is_twin = kin[exam][:, None] == kin[others][None]
        plain = labels[others][likeness.argmax(axis=1)] == labels[exam]
        likeness[is_twin] = -2
        honest = labels[others][likeness.argmax(axis=1)] == labels[exam]
        sums += (is_twin.any(axis=1).mean(), plain.mean(), honest.mean())
    shares = (sums / DRAWS).tolist()
    return Flattery(sum(sizes[name] for name in alike), len(alike), *shares, draws=DRAWS)


def _rows(dataset: Dataset) -> np.ndarray:
    """Return all rows, or of a large dataset those of groups taken by chance: the names of groups are hashes."""
    ranked = sorted(range(len(dataset.pictures)), key=lambda row: dataset.pictures[row].kin)
    return np.array(sorted(ranked[:_AT_MOST]), int)


def _evened(tiles: np.ndarray) -> np.ndarray:
    """Return (N, 768) float32: 16 x 16 pixels of each picture, brightness and contrast taken out."""
    count, side = tiles.shape[:2]
    rough = tiles.reshape(count, 16, side // 16, 16, side // 16, 3).mean(axis=(2, 4), dtype=np.float32)
    values = rough.reshape(count, -1)
    values -= values.mean(axis=1, keepdims=True)
    return values / (np.linalg.norm(values, axis=1, keepdims=True) + 1e-3)
