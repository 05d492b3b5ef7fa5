"""What a finished run is worth."""

import json
import time

import filelock
import pytest
from visiting import words

from tlcore import http
from tlcore.results import report as reports
from tlcore.results.report import ClassScore, Mistake, Report, wilson_interval
from tlcore.runs import events


def report_on(run, correct: int) -> Report:
    """A report in which ``correct`` of nine exam pictures are right and the others are taken for the next class."""
    dataset, exam = run.dataset(), run.split().test
    names = dataset.class_names
    confusion = [[0] * len(names) for _ in names]
    mistakes = []
    for place, row in enumerate(exam):
        picture = dataset.pictures[row]
        said = picture.label if place < correct else (picture.label + 1) % len(names)
        confusion[picture.label][said] += 1
        if said != picture.label:
            mistakes.append(Mistake(picture.file, picture.content, names[picture.label], names[said], 0.75))
    return Report(
        test_accuracy=correct / len(exam),
        test_accuracy_interval=wilson_interval(correct, len(exam)),
        n_test=len(exam),
        majority_accuracy=1 / 3,
        class_names=names,
        per_class={name: ClassScore(0.5, 0.25, 1 / 3, 3) for name in names},
        confusion=tuple(tuple(row) for row in confusion),
        mistakes=tuple(mistakes),
    )


@pytest.fixture
def look(visit, filled, run):
    def open_results(correct: int):
        reports.save(report_on(run, correct), run.report_file)
        return visit("results.py", project=filled.id, run=run.id)

    return open_results


def test_accuracy_comes_with_its_interval_and_what_guessing_would_reach(look):
    said = words(look(8))
    assert "The model named 8 of 9 exam pictures correctly" in said
    assert "expect between 57% and 98%" in said
    assert "Always naming the most frequent class would reach 33%" in said


def test_a_model_no_better_than_guessing_is_called_so(look):
    assert "not clearly better than always naming the most frequent class" in words(look(4))


def test_every_class_has_its_scores(look):
    table = look(8).dataframe[0].value
    assert list(table["Class"]) == ["<moss>", "amber", "ice"]
    assert list(table["Precision"]) == [50, 50, 50] and list(table["Recall"]) == [25, 25, 25]


def test_the_wrong_ones_are_shown_with_what_they_were_taken_for(look, filled, run):
    page = look(7)
    wrong = report_on(run, 7).mistakes
    bodies = [each.proto.body for each in page.html if "<figure>" in each.proto.body]
    for mistake in wrong:
        assert any(http.thumbnail_path(filled, mistake.content) in body for body in bodies)
    assert all("75% sure" in body and "<moss>" not in body for body in bodies)


@pytest.mark.parametrize("cell", [[0, 0, 2], [0, 1, 1]])
def test_names_of_classes_below_a_chosen_cell_are_shown_as_they_are(look, filled, run, monkeypatch, cell):
    names = ("$a$ <b>x</b> :red[y]", "[x](https://example.org)", "*ice*")
    data = json.loads(run.dataset_file.read_text()) | {"class_names": names}
    run.dataset_file.write_text(json.dumps(data))
    chosen = {"selection": {"points": [{"customdata": cell}]}}
    monkeypatch.setattr("streamlit.plotly_chart", lambda *_, **__: chosen)
    page = look(8 if cell[0] == cell[1] else 0)
    (said,) = [each.proto.body for each in page.html if 'class="thaw-cell"' in each.proto.body]
    assert "<b>$a$ &lt;b&gt;x&lt;/b&gt; :red[y]</b>" in said
    assert not any(name in each.value for each in page.markdown for name in names)


def test_no_mistakes_are_good_news(look):
    assert "None: every exam picture was named correctly." in words(look(9))


def test_the_model_is_a_link_as_soon_as_it_is_packed(look, filled, run):
    run.events.write(events.Trained(1))
    with filelock.FileLock(run.lock_file):
        said = words(look(8))
        assert "The model is being packed" in said and "It has gone on since" not in said
    assert "The model was not packed to the end." in words(look(8))  # killed meanwhile
    http.model_file(run).parent.mkdir()
    http.model_file(run).write_bytes(b"x" * 2_500_000)
    said = words(look(8))
    assert f'href="{http.model_path(filled, run)}"' in said and "2.5 MB" in said


def test_results_of_an_earlier_end_are_said_to_be_that_until_the_next_one(look, run):
    run.events.write(events.Resumed())
    assert "It has gone on since" not in words(look(8))  # they are newer
    run.events.write(events.Resumed(time=time.time() + 60))
    assert "It has gone on since" in words(look(8))


def test_without_a_report_the_page_says_so(visit, filled, run):
    assert "This run has no results yet." in words(visit("results.py", project=filled.id, run=run.id))


def test_a_model_that_could_not_be_packed_says_why(look, run):
    run.events.write(events.NotPacked("The package for downloading could not be made: a picture is gone."))
    assert "a picture is gone" in words(look(8))
