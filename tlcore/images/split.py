"""Training, check and exam pictures. No TensorFlow here."""

from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic
from tlcore.images.dataset import Dataset


@dataclass(frozen=True)
class Split:
    """Row numbers into ``Dataset.pictures``; the parts do not overlap and each is sorted.

    Args:
        train: Training pictures.
        validation: Check pictures, looked at after every epoch.
        test: Exam pictures, looked at once after training.
        left_out: Pictures of a given ``train/`` folder whose bytes also lie in ``validation/`` or ``test/``: learning
            from them would flatter the score.
        seed: Seed of the draw.
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    left_out: tuple[int, ...] = ()
    seed: int = 0


def save(split: Split, file: Path) -> None:
    """Write a split as JSON."""
    atomic.write_json(file, asdict(split))


def load(file: Path) -> Split:
    """Read a split that ``save`` wrote."""
    value = atomic.read_json(file)
    parts = {name: tuple(value[name]) for name in ("train", "validation", "test", "left_out")}
    return Split(**parts, seed=value["seed"])


def draw(dataset: Dataset, validation_share: float, test_share: float, seed: int) -> Split:
    """Divide the pictures (to be written by the images room)."""
    raise NotImplementedError
