"""The confusion matrix as a plot, and the pictures behind its cells."""

import pytest

from tlcore.images.dataset import Dataset, Picture
from tlcore.images.split import Split
from tlcore.results import confusion
from tlcore.results.report import ClassScore, Mistake, Report, wilson_interval

NAMES = ("cat", "dog", "owl")
MISTAKES = (
    Mistake("cat/1.jpg", "c1", "cat", "dog", 0.9),
    Mistake("owl/1.jpg", "o1", "owl", "cat", 0.8),
    Mistake("cat/2.jpg", "c2", "cat", "dog", 0.6),
)
COUNTS = ((1, 2, 0), (0, 3, 0), (1, 0, 2))


def report(correct: int = 6, total: int = 9, majority: float = 1 / 3) -> Report:
    scores = {name: ClassScore(0.5, 0.5, 0.5, 3) for name in NAMES}
    interval = wilson_interval(correct, total)
    return Report(correct / total, interval, total, majority, NAMES, scores, COUNTS, MISTAKES)


def test_every_cell_carries_its_row_and_column():
    cells = confusion.figure(report(), "black").data[1]
    assert [tuple(cell) for cell in cells.customdata] == [
        (row, column, COUNTS[row][column]) for row in range(3) for column in range(3)
    ]
    assert (cells.y[1], cells.x[1]) == ("cat", "dog")


def test_right_and_wrong_lie_on_both_sides_of_nothing():
    shares = confusion.figure(report(), "black").data[0].z
    assert [list(row) for row in shares] == [[1 / 3, -2 / 3, 0], [0, 1, 0], [-1 / 3, 0, 2 / 3]]


def test_numbers_stand_in_cells_that_are_not_empty_and_can_be_read():
    notes = confusion.figure(report(), "black").layout.annotations
    assert [note.text for note in notes] == ["1", "2", "3", "1", "2"]
    assert [note.font.color for note in notes] == ["black", "#ffffff", "#ffffff", "black", "#ffffff"]


def test_the_pictures_of_a_wrong_cell():
    assert [each.content for each in confusion.mistakes_in(report(), 0, 1)] == ["c1", "c2"]
    assert confusion.mistakes_in(report(), 1, 0) == ()


def test_the_pictures_of_a_right_cell_are_exam_pictures_only(tmp_path):
    pictures = tuple(Picture(f"cat/{number}.jpg", 0, f"c{number}", 9, 9) for number in range(5))
    exam = Split(train=(4,), validation=(), test=(0, 1, 2, 3))
    assert confusion.right_in(report(), Dataset(tmp_path, NAMES, pictures), exam, 0) == ("c0", "c3")


@pytest.mark.parametrize(("correct", "is_better"), [(30, False), (60, True)])
def test_the_verdict_compares_with_the_most_frequent_class(correct, is_better):
    words = confusion.verdict(report(correct, 90))
    assert f"named {correct} of 90 exam pictures correctly" in words
    assert ("not clearly better" in words) is not is_better
