"""The program in the zip, run as a stranger runs it: another folder, another process, nothing of Thaw."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tlcore.export import package
from tlcore.results import prediction


def unzip(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def unzipped(finished_run, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("a folder with spaces")
    return unzip(package.write(finished_run, folder / "keras.zip"), folder / "model")


def call(folder: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run predict.py from another folder; the environment has no way to Thaw's code."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TEMP") if name in os.environ}
    command = [sys.executable, "-s", str(folder / "predict.py"), *arguments]
    environment = keep | {"PYTHONIOENCODING": "ascii"}  # a console that cannot show class names by itself
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture
def spoiled(unzipped, tmp_path) -> Path:
    return Path(shutil.copytree(unzipped, tmp_path / "spoiled"))


def test_the_selftest_passes_on_a_good_copy(unzipped, tmp_path):
    done = call(unzipped, "--selftest", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("OK: 8 example pictures give the expected answers")


def test_the_selftest_fails_when_a_weight_was_changed(spoiled, tmp_path):
    model = prediction.load(spoiled / "model.keras")
    kernel, bias = model.layers[-1].get_weights()
    kernel[0, 0] += 0.05
    model.layers[-1].set_weights([kernel, bias])
    model.save(spoiled / "model.keras")
    done = call(spoiled, "--selftest", cwd=tmp_path)
    assert done.returncode == 1
    assert "NOT OK: largest difference" in done.stdout


def test_the_selftest_fails_when_a_picture_was_changed(spoiled, tmp_path):
    shutil.copy(spoiled / "examples" / "02.png", spoiled / "examples" / "01.png")
    done = call(spoiled, "--selftest", cwd=tmp_path)
    assert done.returncode == 1
    assert "NOT OK" in done.stdout


def test_every_picture_gets_one_line_and_unreadable_ones_a_reason(unzipped, finished_run, tmp_path):
    source = finished_run.dataset().root
    shutil.copy(source / "قطط" / "3.png", tmp_path / "صورة 猫.png")
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    done = call(unzipped, "صورة 猫.png", "broken.jpg", "missing.png", cwd=tmp_path)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    answer = prediction.predict(finished_run, [source / "قطط" / "3.png"])[0]
    best = int(np.argmax(answer.probabilities))
    assert line == f"صورة 猫.png: {finished_run.dataset().class_names[best]} {answer.probabilities[best]:.4f}"
    reasons = [line for line in done.stderr.splitlines() if line.startswith(("broken.jpg", "missing.png"))]
    assert reasons[0] == "broken.jpg is not a picture that Thaw can read (the file begins like a text file)"
    assert reasons[1].startswith("missing.png could not be read from disk")
    assert "Traceback" not in done.stderr


def test_a_sigmoid_model_answers_with_both_classes(make_run, tmp_path):
    run = make_run(("no", "yes"), "sigmoid")
    unzip(package.write(run, tmp_path / "out.zip"), tmp_path / "model")
    example = tmp_path / "model" / "examples" / "01.png"
    done = call(tmp_path / "model", "--json", str(example), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(done.stdout)["predictions"]
    shares = {answer["class"]: answer["probability"] for answer in entry["answers"]}
    expected = json.loads((tmp_path / "model" / "examples" / "expected.json").read_text(encoding="utf-8"))
    assert [shares["no"], shares["yes"]] == pytest.approx(expected["01.png"], abs=1e-6)
    assert entry["file"] == str(example)


def test_a_call_without_pictures_explains_itself(unzipped, tmp_path):
    done = call(unzipped, cwd=tmp_path)
    assert done.returncode == 2
    assert "give at least one picture" in done.stderr


def test_without_its_packages_it_says_how_to_install_them(unzipped, tmp_path):
    command = [sys.executable, "-S", str(unzipped / "predict.py"), "--selftest"]  # -S hides installed packages
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert "python -m pip install -r requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_was_cut_short_is_said_plainly(spoiled, tmp_path):
    whole = (spoiled / "model.keras").read_bytes()
    (spoiled / "model.keras").write_bytes(whole[: len(whole) // 2])
    done = call(spoiled, "--selftest", cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot be opened" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_copy_without_its_examples_does_not_pass(spoiled, tmp_path):
    shutil.rmtree(spoiled / "examples")
    done = call(spoiled, "--selftest", cwd=tmp_path)
    assert done.returncode == 1
    assert "nothing to compare with" in done.stdout
