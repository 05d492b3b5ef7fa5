"""What a model is worth: numbers with intervals, per class, confusion. No TensorFlow here."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic


@dataclass(frozen=True)
class ClassScore:
    """Scores of one class on the exam pictures, each 0 to 1. ``n_test`` is its number of exam pictures."""

    precision: float
    recall: float
    f1: float
    n_test: int


@dataclass(frozen=True)
class Mistake:
    """An exam picture that the model got wrong.

    Args:
        file: Path below the dataset's root.
        content: SHA-256 of its bytes, which also names its thumbnail.
        class_name: What it is.
        predicted: What the model says.
        probability: How sure the model is of that, 0 to 1.
    """

    file: str
    content: str
    class_name: str
    predicted: str
    probability: float


@dataclass(frozen=True)
class Report:
    """Scores of one model on exam pictures that its training never saw.

    Args:
        test_accuracy: Share of exam pictures that the model got right, 0 to 1.
        test_accuracy_interval: 95 % Wilson interval of it.
        n_test: Number of exam pictures.
        majority_accuracy: Accuracy of always naming the class with the most exam pictures.
        class_names: In the order of labels, and of rows and columns of ``confusion``.
        per_class: Scores by class name.
        confusion: ``confusion[i][j]`` exam pictures of class i were named j.
        mistakes: The wrong ones, most confident first.
    """

    test_accuracy: float
    test_accuracy_interval: tuple[float, float]
    n_test: int
    majority_accuracy: float
    class_names: tuple[str, ...]
    per_class: dict[str, ClassScore]
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...]


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    19 of 20 gives 0.764 to 0.991.
    """
    if total == 0:
        return 0.0, 1.0
    z = 1.959964  # two-sided 95 % point of the normal distribution
    share = correct / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, centre - half), min(1.0, centre + half)


def save(report: Report, file: Path) -> None:
    """Write a report as JSON."""
    atomic.write_json(file, asdict(report), durable=True)


def load(file: Path) -> Report:
    """Read a report that ``save`` wrote."""
    value = atomic.read_json(file)
    return Report(
        test_accuracy=value["test_accuracy"],
        test_accuracy_interval=tuple(value["test_accuracy_interval"]),
        n_test=value["n_test"],
        majority_accuracy=value["majority_accuracy"],
        class_names=tuple(value["class_names"]),
        per_class={name: ClassScore(**scores) for name, scores in value["per_class"].items()},
        confusion=tuple(tuple(row) for row in value["confusion"]),
        mistakes=tuple(Mistake(**mistake) for mistake in value["mistakes"]),
    )
