"""The confusion matrix as a plot, and the pictures behind its cells."""

from dataclasses import replace

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


def report(correct: int = 6, total: int = 9, majority: float = 1 / 3, class_names: tuple[str, ...] = NAMES) -> Report:
    scores = {name: ClassScore(0.5, 0.5, 0.5, 3) for name in class_names}
    interval = wilson_interval(correct, total)
    return Report(correct / total, interval, total, majority, class_names, scores, COUNTS, MISTAKES)


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


def test_names_of_classes_are_never_read_as_html():
    figure = confusion.figure(report(class_names=("<b>x</b>", "a&lt;b", "owl")), "black")
    heat, cells = figure.data
    assert list(heat.x) == list(heat.y) == ["&lt;b&gt;x&lt;/b&gt;", "a&amp;lt;b", "owl"]
    assert (cells.y[1], cells.x[1]) == (heat.y[0], heat.x[1])
    assert cells.text[1] == "It is &lt;b&gt;x&lt;/b&gt;,<br>the model says a&amp;lt;b"
    assert list(figure.layout.xaxis.ticktext) == list(figure.layout.xaxis.tickvals) == list(heat.x)
    assert {note.x for note in figure.layout.annotations} <= set(heat.x)


def test_a_long_name_is_cut_at_the_edge_and_whole_in_the_hover():
    long = "a very long name & " + "w" * 90
    figure = confusion.figure(report(class_names=(long, long + "!", "owl")), "black")
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert list(axis.ticktext) == ["a very long name &amp; wwww…"] * 2 + ["owl"]
        assert len(set(axis.tickvals)) == 3
    lines = figure.data[1].text[2].split("<br>")
    assert "".join(lines).replace(" ", "") == f"It is {long}, the model says owl".replace(" ", "").replace("&", "&amp;")
    assert max(map(len, lines)) < 90


def test_of_very_many_classes_only_some_have_their_name_at_the_edge():
    names = tuple(f"class {number}" for number in range(100))
    many = replace(report(class_names=names), confusion=((0,) * 100,) * 100)
    assert list(confusion.figure(many, "black").layout.xaxis.ticktext) == list(names[::3])


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
