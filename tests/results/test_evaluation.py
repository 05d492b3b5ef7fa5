"""Scores: against numbers worked out by hand, and laws that hold for any answers."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tlcore.errors import DatasetError, TrainingError
from tlcore.images.dataset import Dataset, Picture
from tlcore.results import evaluation
from tlcore.results import report as reports

NAMES = ("ant", "bee", "cat")


def picture(number: int, label: int, part: str = "") -> Picture:
    return Picture(
        file=f"{label}/{number:03d}.png", label=label, content=f"{number:064x}", width=9, height=9, part=part
    )


def answers_for(named: list[int], sure: list[float], n_classes: int = 3) -> np.ndarray:
    table = np.zeros((len(named), n_classes), dtype=np.float32)
    for row, (label, share) in enumerate(zip(named, sure, strict=True)):
        table[row] = (1 - share) / (n_classes - 1)
        table[row, label] = share
    return table


def random_case(seed: int) -> tuple[np.ndarray, list[Picture], tuple[str, ...]]:
    draw = np.random.default_rng(seed)
    n_classes, n = int(draw.integers(2, 7)), int(draw.integers(1, 60))
    probabilities = draw.dirichlet(np.ones(n_classes), size=n).astype(np.float32)
    return probabilities, [picture(i, int(draw.integers(n_classes))) for i in range(n)], tuple("abcdefg"[:n_classes])


def test_scores_of_three_classes_are_those_worked_out_by_hand():
    # true:   ant ant ant ant | bee bee bee | cat
    # named:  ant ant ant bee | bee bee cat | bee
    labels, named = [0, 0, 0, 0, 1, 1, 1, 2], [0, 0, 0, 1, 1, 1, 2, 1]
    pictures = [picture(i, label) for i, label in enumerate(labels)]
    report = evaluation.evaluate(answers_for(named, [0.9] * 8), pictures, NAMES)
    assert report.confusion == ((3, 1, 0), (0, 2, 1), (0, 1, 0))
    assert report.test_accuracy == 5 / 8
    assert report.majority_accuracy == 4 / 8
    assert report.n_test == 8
    assert report.test_accuracy_interval == pytest.approx((0.3057, 0.8632), abs=1e-4)
    ant, bee, cat = (report.per_class[name] for name in NAMES)
    assert (ant.precision, ant.recall, ant.n_test) == (1.0, 0.75, 4)
    assert ant.f1 == pytest.approx(6 / 7)
    assert (bee.precision, bee.recall, bee.n_test) == (0.5, pytest.approx(2 / 3), 3)
    assert bee.f1 == pytest.approx(4 / 7)
    assert (cat.precision, cat.recall, cat.f1, cat.n_test) == (0.0, 0.0, 0.0, 1)


def test_the_most_confident_mistake_comes_first():
    pictures = [picture(i, 0) for i in range(4)]
    report = evaluation.evaluate(answers_for([1, 0, 2, 1], [0.6, 0.9, 0.8, 0.8]), pictures, NAMES)
    assert [(m.file, m.predicted) for m in report.mistakes] == [
        ("0/002.png", "cat"),
        ("0/003.png", "bee"),
        ("0/000.png", "bee"),
    ]
    assert report.mistakes[0].probability == pytest.approx(0.8)
    assert report.mistakes[0].class_name == "ant"
    assert report.mistakes[0].content == pictures[2].content


def test_a_class_without_exam_pictures_scores_zero_and_stops_nothing():
    report = evaluation.evaluate(answers_for([0, 1], [0.9, 0.9]), [picture(0, 0), picture(1, 1)], NAMES)
    assert report.per_class["cat"] == reports.ClassScore(precision=0.0, recall=0.0, f1=0.0, n_test=0)
    assert len(report.confusion) == 3
    assert report.test_accuracy == 1.0
    assert report.mistakes == ()


@pytest.mark.parametrize("seed", range(25))
def test_the_parts_of_any_report_agree_with_each_other(seed):
    probabilities, pictures, names = random_case(seed)
    report = evaluation.evaluate(probabilities, pictures, names)
    confusion = np.array(report.confusion)
    low, high = report.test_accuracy_interval
    assert confusion.sum() == report.n_test == len(pictures)
    assert np.trace(confusion) / len(pictures) == pytest.approx(report.test_accuracy)
    assert 0 <= low <= report.test_accuracy <= high <= 1
    assert len(report.mistakes) == len(pictures) - np.trace(confusion)
    assert [report.per_class[name].n_test for name in names] == confusion.sum(axis=1).tolist()
    assert report.majority_accuracy == confusion.sum(axis=1).max() / len(pictures)
    sure = [mistake.probability for mistake in report.mistakes]
    assert sure == sorted(sure, reverse=True)


@pytest.mark.parametrize("seed", range(5))
def test_scores_do_not_depend_on_the_order_of_the_pictures(seed):
    probabilities, pictures, names = random_case(seed)
    order = np.random.default_rng(seed).permutation(len(pictures))
    shuffled = evaluation.evaluate(probabilities[order], [pictures[i] for i in order], names)
    assert shuffled == evaluation.evaluate(probabilities, pictures, names)


def test_a_report_comes_back_from_its_file_as_it_was(tmp_path):
    probabilities, pictures, _ = random_case(3)
    names = tuple(f"日本 {i}/../قط" for i in range(probabilities.shape[1]))
    report = evaluation.evaluate(probabilities, pictures, names)
    reports.save(report, tmp_path / "report.json")
    assert reports.load(tmp_path / "report.json") == report


def test_no_exam_picture_at_all_is_said_plainly():
    with pytest.raises(DatasetError, match="no exam picture"):
        evaluation.evaluate(np.zeros((0, 3), dtype=np.float32), [], NAMES)


def test_answers_that_are_not_numbers_are_not_scored():
    with pytest.raises(TrainingError, match="not numbers"):
        evaluation.evaluate(np.full((1, 3), np.nan, dtype=np.float32), [picture(0, 0)], NAMES)


def test_labels_of_another_folder_are_matched_by_class_name():
    folder = Dataset(Path("elsewhere"), ("cat", "ant"), (picture(0, 0), picture(1, 1)))
    matched = evaluation.in_the_order_of(NAMES, folder)
    assert [p.label for p in matched] == [2, 0]
    assert [dataclasses.replace(p, label=0) for p in matched] == [
        dataclasses.replace(p, label=0) for p in folder.pictures
    ]


def test_only_the_exam_part_of_a_folder_counts_where_it_has_one():
    folder = Dataset(Path("elsewhere"), NAMES, (picture(0, 0, "train"), picture(1, 1, "test"), picture(2, 2, "test")))
    assert [p.label for p in evaluation.in_the_order_of(NAMES, folder)] == [1, 2]


def test_a_class_that_the_model_does_not_know_is_named():
    folder = Dataset(Path("elsewhere"), ("ant", "dog"), (picture(0, 0), picture(1, 1)))
    with pytest.raises(DatasetError, match="“dog”"):
        evaluation.in_the_order_of(NAMES, folder)
