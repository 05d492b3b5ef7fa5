"""Probabilities and true classes in, a ``Report`` out. No TensorFlow here (``evaluate_run`` has it opened)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tlcore.errors import DatasetError, TrainingError
from tlcore.images.dataset import Dataset, Picture
from tlcore.results import prediction
from tlcore.results.report import ClassScore, Mistake, Report, wilson_interval
from tlcore.runs.run import Run


def evaluate(probabilities: np.ndarray, pictures: Sequence[Picture], class_names: Sequence[str]) -> Report:
    """Score a model's answers against what the pictures are.

    A score that has nothing to count (a class without exam pictures, or one that is never named) is 0.

    Args:
        probabilities: (N, C) float, each row adding up to 1; of equal ones the first class counts as the answer.
        pictures: The N pictures, in the order of the rows.
        class_names: The C names in the order of labels.

    Raises:
        DatasetError: There is no picture to score.
        TrainingError: An answer is not a number.
    """
    if not pictures:
        raise DatasetError(
            "There is no exam picture, so nothing can be said about the model.",
            "Add pictures, or keep a larger share of them for the exam.",
        )
    if not np.isfinite(probabilities).all():
        raise TrainingError(
            "The model's answers are not numbers: its training became unstable.",
            "Lower the learning rates (try a tenth) and train again.",
        )
    labels = np.array([picture.label for picture in pictures])
    predicted = probabilities.argmax(axis=1)
    correct = int((labels == predicted).sum())
    return Report(
        test_accuracy=correct / len(labels),
        test_accuracy_interval=wilson_interval(correct, len(labels)),
        n_test=len(labels),
        majority_accuracy=int(np.bincount(labels).max()) / len(labels),
        class_names=tuple(class_names),
        per_class=_scores(labels, predicted, class_names),
        confusion=_confusion(labels, predicted, len(class_names)),
        mistakes=_mistakes(probabilities, pictures, class_names),
    )


def _scores(labels: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> dict[str, ClassScore]:
    """Return the scores of every class by its name."""
    from sklearn import metrics  # only here and below: whoever trains is to wait for it at the exam, not before

    columns = metrics.precision_recall_fscore_support(
        labels, predicted, labels=range(len(class_names)), average=None, zero_division=0
    )
    rows = zip(class_names, *(column.tolist() for column in columns), strict=True)
    return {name: ClassScore(precision, recall, f1, int(n)) for name, precision, recall, f1, n in rows}


def _confusion(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> tuple[tuple[int, ...], ...]:
    """Return how many pictures of class i were named j, for every i (rows) and j (columns)."""
    from sklearn import metrics

    counts = metrics.confusion_matrix(labels, predicted, labels=range(n_classes))
    return tuple(tuple(row) for row in counts.tolist())


def _mistakes(
    probabilities: np.ndarray, pictures: Sequence[Picture], class_names: Sequence[str]
) -> tuple[Mistake, ...]:
    """Return the pictures that were named wrongly, most confident first, equal ones by file."""
    wrong = [
        Mistake(
            file=picture.file,
            content=picture.content,
            class_name=class_names[picture.label],
            predicted=class_names[int(row.argmax())],
            probability=float(row.max()),
        )
        for row, picture in zip(probabilities, pictures, strict=True)
        if int(row.argmax()) != picture.label
    ]
    return tuple(sorted(wrong, key=lambda mistake: (-mistake.probability, mistake.file)))


def exam_pictures(run: Run) -> list[Picture]:
    """Return the pictures that the training of a run never saw, in the order of the split."""
    pictures = run.dataset().pictures
    return [pictures[row] for row in run.split().test]


def in_the_order_of(class_names: Sequence[str], dataset: Dataset) -> list[Picture]:
    """Return the pictures of a dataset with the labels that a model gives to these class names.

    Where the folder itself says which pictures are for the exam (``test/``), only those are returned.

    Raises:
        DatasetError: The dataset has a class that the model does not know.
    """
    unknown = [name for name in dataset.class_names if name not in class_names]
    if unknown:
        raise DatasetError(
            f"The model does not know the class {', '.join(f'“{name}”' for name in unknown)}.",
            f"Name the folders as the model's classes: {', '.join(class_names)}.",
        )
    labels = [list(class_names).index(name) for name in dataset.class_names]
    pictures = [replace(picture, label=labels[picture.label]) for picture in dataset.pictures]
    return [picture for picture in pictures if picture.part == "test"] or pictures


def seen_in_training(run: Run, pictures: Sequence[Picture]) -> list[Picture]:
    """Return those pictures whose very bytes the run learned from or was chosen by; they flatter a score."""
    split, known = run.split(), run.dataset().pictures
    contents = {known[row].content for row in (*split.train, *split.validation)}
    return [picture for picture in pictures if picture.content in contents]


def evaluate_run(run: Run, dataset: Dataset, progress: prediction.Progress | None = None) -> Report:
    """Score the model of a finished run on a folder of labelled pictures (its ``test/`` part where it has one).

    Args:
        run: A run with a finished model.
        dataset: Its classes are matched with the model's by name; it need not have all of them.
        progress: Called with pictures done and pictures in all.

    Raises:
        DatasetError: A class is not known to the model, or a picture has vanished since the folder was looked over.
        ExportError: The run has no finished model.
    """
    class_names = run.dataset().class_names
    pictures = in_the_order_of(class_names, dataset)
    answers = prediction.predict(run, [dataset.root / picture.file for picture in pictures], progress)
    for answer in answers:
        if answer.problem:
            raise DatasetError(
                f"A picture that could be read a moment ago now cannot: {answer.file} {answer.problem}.",
                "Check that nothing changes the folder, and try again.",
            )
    probabilities = np.array([answer.probabilities for answer in answers], dtype=np.float32)
    return evaluate(probabilities, pictures, class_names)
