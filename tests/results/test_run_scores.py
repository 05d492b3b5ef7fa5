"""A finished run is asked about folders of pictures and single files."""

import dataclasses
import shutil

import finished
import pytest

from tlcore.errors import DatasetError, ExportError
from tlcore.results import evaluation, prediction
from tlcore.results import report as reports


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return finished.make_run(tmp_path_factory.mktemp("finished"), ("اول", "二番", "third"))


def test_the_exam_pictures_score_as_the_report_says(run):
    exam = dataclasses.replace(run.dataset(), pictures=tuple(evaluation.exam_pictures(run)))
    assert evaluation.evaluate_run(run, exam) == reports.load(run.report_file)


def test_a_folder_that_lacks_a_class_can_be_scored(run):
    whole = run.dataset()
    part = dataclasses.replace(
        whole,
        class_names=("third", "اول"),
        pictures=tuple(dataclasses.replace(p, label=0 if p.label == 2 else 1) for p in whole.pictures if p.label != 1),
    )
    report = evaluation.evaluate_run(run, part)
    assert report.class_names == whole.class_names
    assert [report.per_class[name].n_test for name in whole.class_names] == [12, 0, 12]


def test_pictures_that_were_learned_from_are_found_again(run):
    dataset = run.dataset()
    seen = evaluation.seen_in_training(run, dataset.pictures)
    assert len(seen) == len(run.split().train) + len(run.split().validation)
    assert evaluation.seen_in_training(run, evaluation.exam_pictures(run)) == []


def test_a_picture_that_vanished_is_named(run, tmp_path):
    shutil.copytree(run.dataset().root, tmp_path / "copy")
    (tmp_path / "copy" / "third" / "4.png").unlink()
    with pytest.raises(DatasetError, match=r"third.4\.png could not be read"):
        evaluation.evaluate_run(run, dataclasses.replace(run.dataset(), root=tmp_path / "copy"))


def test_a_run_without_a_model_cannot_be_asked(run, tmp_path):
    unfinished = dataclasses.replace(run, folder=tmp_path)
    with pytest.raises(ExportError, match="no finished model"):
        prediction.predict(unfinished, [])
