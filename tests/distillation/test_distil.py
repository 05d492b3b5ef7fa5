"""A distillation as its user starts it: in processes of its own, with a teacher that has learned nothing."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from drawing import draw_folder

from distillation import finish
from distillation.distil import Distillation
from distillation.plan import Plan
from distillation.teacher import Teacher
from tlcore.backbones import stages, table, thawnet

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--rounds", "32,64", "--shard-views", "8", "--bank-shards", "2", "--batch-size", "4", "--warmup-steps", "2",
         "--averaging-every", "1")  # fmt: skip


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A file with random weights, as ``keras.applications`` writes it."""
    file = tmp_path_factory.mktemp("teacher") / "teacher.h5"
    keras.utils.set_random_seed(0)
    keras.applications.MobileNetV2(weights=None).save_weights(file.with_suffix(".weights.h5"))
    return file.with_suffix(".weights.h5")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return draw_folder(tmp_path_factory.mktemp("pictures"), ("a", "b"), 6)


def begin(*arguments, teacher, pictures, out):
    command = [sys.executable, "-m", "distillation", "--teacher", teacher, "--pictures", pictures, "--out", out]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [str(each) for each in (*command, *arguments)], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_distillation_that_is_killed_and_started_again_ends_with_the_same_weights(teacher, pictures, tmp_path):
    given = {"teacher": teacher, "pictures": pictures}
    whole = begin(*SMALL, **given, out=tmp_path / "whole")  # beside the other one: both mostly trace on one core
    killed = begin(*SMALL, **given, out=tmp_path / "killed")
    assert any(line.startswith("round=0 ") for line in killed.stdout)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    again = begin(**given, out=tmp_path / "killed")
    assert again.wait() == 0, again.stderr.read()
    assert "12 pictures, 1 of 2 rounds done" in again.stdout.read()
    assert whole.wait() == 0, whole.stderr.read()

    one, other = (Distillation(tmp_path / name, None).averages() for name in ("whole", "killed"))
    assert one.keys() == other.keys() and all(np.array_equal(one[path], other[path]) for path in one)
    lines = list(csv.DictReader((tmp_path / "killed" / "rounds.csv").read_text().splitlines()))
    assert [(line["round"], line["picture_size"], line["views_seen"]) for line in lines] == [
        ("0", "32", "16"),
        ("1", "64", "32"),
    ]

    file = tmp_path / "thawnet.npz"
    finish = [sys.executable, "-m", "distillation.finish", str(tmp_path / "whole"), str(file)]
    assert subprocess.run(finish, cwd=ROOT, capture_output=True).returncode == 0
    model = stages.build(table.get("thawnet"), 64, file)
    np.testing.assert_allclose(
        model.get_layer("stem_conv").kernel.numpy(), one["stem_conv/kernel"], rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "A new distillation needs its rounds"),
        (("--rounds", "banana"), "rounds are written as SIZExCOUNT"),
        (("--seed", "3"), "give --rounds too"),
        (("--rounds", "64", "--engine", "quill"), "invalid choice: 'quill'"),
        (("--rounds", "64", "--shard-views", "100"), "multiple of batch_size"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(arguments, said, teacher, pictures, tmp_path):
    begun = begin(*arguments, teacher=teacher, pictures=pictures, out=tmp_path / "out")

    assert begun.wait() != 0
    error = begun.stderr.read()
    assert said in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_a_folder_begun_with_other_settings_is_refused(tmp_path):
    Distillation(tmp_path, Plan((64,)))

    with pytest.raises(ValueError, match="begun with other settings"):
        Distillation(tmp_path, Plan((96,)))


def test_evened_weights_compute_the_same_but_for_the_scale_of_each_channel():
    keras.utils.set_random_seed(1)
    model = thawnet.build(128)
    before = {variable.path: np.array(variable) for variable in model.variables}
    before["features_bn/gamma"] = np.random.default_rng(0).uniform(0.001, 0.1, thawnet.CHANNELS).astype("float32")
    views = np.random.default_rng(0).integers(0, 256, (64, 128, 128, 3), "uint8")
    after = finish.evened(before, views)

    def pooled(weights):
        for variable in model.variables:
            variable.assign(weights[variable.path])
        return np.asarray(model(views / 127.5 - 1)).mean((1, 2))

    faint, even = pooled(before), pooled(after)
    scale = even.mean(0) / np.maximum(faint.mean(0), 1e-9)  # some channels never answer
    np.testing.assert_allclose(even, faint * scale, rtol=1e-3, atol=1e-4)
    assert np.median(even.std(0)) == pytest.approx(1, abs=1e-3) and even.std(0).max() < 1.001


def test_the_teacher_answers_the_same_in_any_company(teacher):
    views = np.random.default_rng(0).integers(0, 256, (70, 128, 128, 3), "uint8")
    asked = Teacher(teacher)
    together, alone = asked.answer(views), asked.answer(views[66:67])

    assert [values.shape[1:] for values in (together.middle, together.final, together.scores)] == [
        (4, 4, 96), (2, 2, 1280), (1000,),
    ]  # fmt: skip
    np.testing.assert_allclose(together.final[66], alone.final[0], atol=2e-2)
