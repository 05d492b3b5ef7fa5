"""The zip: what is in it, that it is proven, that it is the same every time."""

import hashlib
import json
import shutil
import zipfile
from importlib import metadata as installed
from pathlib import Path

import keras
import numpy as np
import pytest

from tlcore.errors import ExportError
from tlcore.export import formats, keras_file, metadata, package, parity
from tlcore.images import picture
from tlcore.results import prediction
from tlcore.results import report as reports
from tlcore.runs.run import Run


@pytest.fixture(scope="module")
def archive(finished_run, tmp_path_factory):
    return package.write(finished_run, tmp_path_factory.mktemp("out") / "keras.zip")


@pytest.fixture
def run_copy(finished_run, tmp_path) -> Run:
    """A copy of the run to spoil; its pictures stay where they are."""
    shutil.copytree(finished_run.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("lock"))
    return Run(tmp_path / "copy")


def json_in(archive, name):
    with zipfile.ZipFile(archive) as opened:
        return json.loads(opened.read(name))


def test_everything_a_stranger_needs_is_in_the_zip(archive):
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
        assert opened.testzip() is None
    assert names >= {
        "model.keras", "labels.txt", "metadata.json", "predict.py", "picture.py", "requirements.txt", "README.txt",
        "parity.json", "examples/expected.json",
    }  # fmt: skip
    assert len([name for name in names if name.startswith("examples/")]) == 9
    assert all(name.isascii() for name in names)


def test_picture_reading_is_the_very_file_that_training_used(archive):
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("picture.py") == Path(picture.__file__).read_bytes()
        assert b"tlcore" not in opened.read("predict.py")


def test_requirements_pin_what_is_installed(archive):
    with zipfile.ZipFile(archive) as opened:
        pins = opened.read("requirements.txt").decode().split()
    assert pins == [f"{name}=={installed.version(name)}" for name in ("tensorflow", "keras", "numpy", "pillow")]


def test_metadata_says_what_the_model_is_and_what_it_is_worth(archive, finished_run):
    described = json_in(archive, "metadata.json")
    report = reports.load(finished_run.report_file)
    assert described["class_names"] == list(finished_run.dataset().class_names)
    assert described["name"] == "my pictures"
    assert (described["image_size"], described["resize"], described["output"]) == (32, "crop", "softmax")
    assert described["backbone"] == {"name": "mobilenet_v2_035", "title": "MobileNetV2 0.35"}
    assert described["scores"]["test_accuracy"] == report.test_accuracy
    assert described["scores"]["n_test"] == 40
    assert described["picture_counts"]["قطط"] == {"train": 2, "validation": 2, "test": 8}
    assert described["recipe"]["seed"] == 0
    assert described["versions"]["keras"] == keras.__version__
    assert described["created"].endswith("+00:00")


def test_class_names_in_any_script_survive(archive, finished_run):
    with zipfile.ZipFile(archive) as opened:
        labels = opened.read("labels.txt").decode("utf-8").split("\n")
        readme = opened.read("README.txt").decode("utf-8")
    assert labels == [*finished_run.dataset().class_names, ""]
    assert all(f"    {name}\n" in readme for name in finished_run.dataset().class_names)


@pytest.mark.parametrize(
    ("file", "name"),
    [('{"name": "Herbarium"}', "Herbarium"), ('{"version": 1}', "my pictures")],
)
def test_a_model_is_called_by_the_name_of_its_project_and_not_by_another_tools_file(
    run_copy, tmp_path, monkeypatch, file, name
):
    is_ours = name == "Herbarium"
    home = tmp_path / "home"
    monkeypatch.setenv("THAW_HOME", str(home))
    project = (home / "projects" if is_ours else tmp_path / "work") / "0123456789abcdef"
    (project / "runs").mkdir(parents=True)
    (project / "project.json").write_text(file, encoding="utf-8")
    run = Run(shutil.move(run_copy.folder, project / "runs" / "1"))
    assert metadata.of_run(run)["name"] == name


def test_every_class_has_an_example_with_its_original_bytes(archive, finished_run):
    expected = json_in(archive, "examples/expected.json")
    originals = {p.content: p.label for p in finished_run.dataset().pictures}
    with zipfile.ZipFile(archive) as opened:
        digests = [hashlib.sha256(opened.read(f"examples/{name}")).hexdigest() for name in expected]
    assert {originals[digest] for digest in digests} == {0, 1, 2, 3, 4}
    assert all(sum(shares) == pytest.approx(1, abs=1e-6) for shares in expected.values())


def test_the_written_file_was_checked_on_all_exam_pictures(archive):
    assert json_in(archive, "parity.json") == {"n_pictures": 40, "largest_difference": 0.0, "tolerance": 1e-5}


def test_expected_answers_are_those_of_the_run(archive, finished_run, tmp_path):
    expected = json_in(archive, "examples/expected.json")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    found = prediction.predict(finished_run, [tmp_path / "examples" / name for name in expected])
    difference = np.abs(np.array([a.probabilities for a in found]) - np.array(list(expected.values()))).max()
    assert difference < 1e-6
    assert np.ptp([a.probabilities[0] for a in found]) > 0.1  # the network tells the pictures apart


def test_the_same_run_gives_the_same_bytes(archive, finished_run, tmp_path):
    again = package.write(finished_run, tmp_path / "again.zip")
    assert again.read_bytes() == archive.read_bytes()


def test_nothing_is_left_beside_the_zip(archive, finished_run):
    assert list(archive.parent.iterdir()) == [archive]
    assert list(finished_run.exports.iterdir()) == []


def test_what_a_killed_check_has_left_unzipped_is_removed(tmp_path):
    left = tmp_path / ".unzipped-abc" / "thaw model"
    left.mkdir(parents=True)
    (left / "model.keras").touch()
    (tmp_path / "keras.zip").touch()
    parity.sweep(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["keras.zip"]


def test_progress_ends_at_all_steps(finished_run, tmp_path):
    steps = []
    package.write(finished_run, tmp_path / "out.zip", progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_a_file_that_answers_differently_is_not_handed_over(finished_run, tmp_path, make_run, monkeypatch):
    other = make_run(finished_run.dataset().class_names, per_class=2)
    model = prediction.load(other.model_file)
    model.layers[-1].set_weights([weights + 0.5 * np.arange(5) for weights in model.layers[-1].get_weights()])
    model.save(tmp_path / "other.keras")
    wrong = formats.Format("wrong", lambda _run: {"model.keras": tmp_path / "other.keras"}, keras_file.answers)
    monkeypatch.setitem(formats.FORMATS, "wrong", wrong)
    with pytest.raises(ExportError, match="answers differently"):
        package.write(finished_run, tmp_path / "out" / "model.zip", file_format="wrong")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unknown_format_is_answered_with_those_there_are(finished_run, tmp_path):
    with pytest.raises(ExportError, match=r"no format named “pickle”.*keras"):
        package.write(finished_run, tmp_path / "out.zip", file_format="pickle")


def test_a_run_without_a_model_cannot_be_exported(run_copy, tmp_path):
    run_copy.model_file.unlink()
    with pytest.raises(ExportError, match="no finished model"):
        package.write(run_copy, tmp_path / "out.zip")


def test_a_damaged_model_is_said_plainly(run_copy, tmp_path):
    run_copy.model_file.write_bytes(run_copy.model_file.read_bytes()[:5000])
    with pytest.raises(ExportError, match="damaged"):
        package.write(run_copy, tmp_path / "out.zip")


def test_exam_pictures_that_are_gone_are_named(make_run, tmp_path):
    run = make_run(("a", "b"), per_class=6)
    gone = run.dataset().root / "a" / "3.png"
    gone.unlink()
    with pytest.raises(ExportError, match="no longer there") as caught:
        package.write(run, tmp_path / "out.zip")
    assert str(gone) in str(caught.value)
