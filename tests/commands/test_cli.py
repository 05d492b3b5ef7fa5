"""The command line as its users call it: real processes, exit codes, one plain line when it did not work."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import drawing
import pytest
from commands_called import ROOT, call

TINY = ("--backbone", "mobilenet_025", "--weights", "random", "--image-size", "32", "--freeze", "all", "--epochs", "1")


def one_plain_line(ended: subprocess.CompletedProcess) -> str:
    """Return the only line on standard error, which must not be a trace."""
    assert ended.returncode != 0 and ended.stdout == ""
    assert ended.stderr.count("\n") == 1 and "Traceback" not in ended.stderr
    return ended.stderr


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return drawing.draw_folder(tmp_path_factory.mktemp("pictures") / "猫 و قطط", ("猫", "قطط"))


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory) -> tuple[Path, dict]:
    """The folder of a run that the command made, and the JSON object that it printed."""
    out = tmp_path_factory.mktemp("runs") / "r1"
    ended = call("train", pictures, "--out", out, *TINY, "--json")
    assert ended.returncode == 0, ended.stderr
    return out, json.loads(ended.stdout)


def test_train_prints_one_json_object_and_leaves_a_run(trained):
    out, value = trained
    assert value["state"] == "finished" and value["recipe"]["backbone"] == "mobilenet_025"
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["test_accuracy"] == value["test_accuracy"] and set(report["per_class"]) == {"猫", "قطط"}
    lines = [json.loads(line) for line in (out / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["type"] for line in lines if line["type"] == "epoch_end"] == ["epoch_end"]
    assert (out / "model.keras").is_file()


def test_predict_names_what_is_on_pictures_and_fails_if_one_cannot_be_read(trained, pictures, tmp_path):
    good, bad = pictures / "猫" / "0.png", tmp_path / "page.jpg"
    bad.write_text("<html></html>")
    fine = call("predict", trained[0], good, "--json")
    assert fine.returncode == 0
    (prediction,) = json.loads(fine.stdout)["predictions"]
    assert prediction["class_name"] in {"猫", "قطط"} and set(prediction["probabilities"]) == {"猫", "قطط"}
    mixed = call("predict", trained[0], good, bad)
    assert mixed.returncode == 1
    assert mixed.stdout.startswith(f"{good}\t") and mixed.stderr.count("\n") == 1 and "page.jpg" in mixed.stderr


def test_evaluate_scores_a_folder_and_says_when_its_pictures_were_learned_from(trained, pictures):
    ended = call("evaluate", trained[0], pictures, "--json")
    assert ended.returncode == 0
    value = json.loads(ended.stdout)
    assert value["n_test"] == 40 and value["seen_in_training"] > 20


def test_export_writes_a_zip_that_holds_the_model(trained, tmp_path):
    ended = call("export", trained[0], "--format", "keras", "--out", tmp_path / "mine.zip")
    assert ended.returncode == 0
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert {"model.keras", "predict.py", "metadata.json", "labels.txt"} <= set(archive.namelist())


def test_check_lists_classes_what_was_set_aside_and_what_was_found(pictures, tmp_path):
    target = drawing.draw_folder(tmp_path / "mine", ("a", "b"), 12)
    (target / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (target / "b" / "again.png").write_bytes((target / "b" / "0.png").read_bytes())
    value = json.loads(call("check", target, "--json").stdout)
    assert value["classes"] == {"a": 12, "b": 13}
    assert [entry["file"] for entry in value["set_aside"]] == ["a/broken.png"]
    assert set(value["set_aside"][0]) == {"file", "reason"}
    assert {"unreadable", "duplicate"} <= {finding["kind"] for finding in value["findings"]}
    assert all(set(finding) == {"kind", "message", "files"} for finding in value["findings"])


def test_split_writes_who_is_in_the_exam_and_keeps_to_it_when_pictures_are_added(tmp_path):
    target = drawing.draw_scenes(tmp_path / "mine", per_class=10)
    first = call("split", target, "--out", tmp_path / "one.csv", "--json")
    assert json.loads(first.stdout) == {"file": str(tmp_path / "one.csv"), "train": 12, "validation": 4, "test": 4,
                                        "left_out": 0}  # fmt: skip
    for number in range(10):
        drawing.scene(500 + number).save(target / "a" / f"new {number}.jpg")
    assert call("split", target, "--out", tmp_path / "two.csv", "--before", tmp_path / "one.csv").returncode == 0
    exams = [
        {line for line in (tmp_path / name).read_text(encoding="utf-8").splitlines() if line.endswith(",exam")}
        for name in ("one.csv", "two.csv")
    ]
    assert exams[0] < exams[1]
    assert "0.02" in one_plain_line(call("split", target, "--out", tmp_path / "three.csv", "--test-share", "3"))


def test_backbones_says_which_weights_are_on_this_computer(tmp_path):
    value = json.loads(call("backbones", "--json", KERAS_HOME=str(tmp_path)).stdout)
    by_name = {row["name"]: row for row in value["backbones"]}
    assert {"vgg16", "resnet50_v2", "mobilenet_v2_035", "efficientnet_v2_b0"} <= set(by_name)
    assert [name for name, row in by_name.items() if row["on_this_computer"]] == ["thawnet"]


def test_stages_lists_the_cuts():
    value = json.loads(call("stages", "mobilenet_v2_100", "--json").stdout)
    assert len(value["stages"]) == 5 and len(value["cuts"]) > 5


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--backbone", "mobilenet_v2_100", "--freeze", "6"), "0 (everything learns) to 5"),
        (("--backbone", "mobilnet_v2"), "no backbone"),
        (("--epochs", "0"), "out of range"),
        (("--no-such-flag",), "--no-such-flag"),
        (("--optimizer", "magic"), "magic"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_plain_line_before_anything_is_written(pictures, tmp_path, flags, words):
    assert words in one_plain_line(call("train", pictures, "--out", tmp_path / "run", *flags))
    assert not (tmp_path / "run").exists()


def test_a_path_that_cannot_be_written_is_said_in_one_plain_line(trained, pictures, tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path) in one_plain_line(call("train", pictures, "--out", tmp_path / "file" / "run", *TINY))
    assert str(tmp_path) in one_plain_line(call("export", trained[0], "--out", tmp_path))


def test_a_run_inside_its_own_pictures_is_refused(pictures):
    assert "inside the pictures" in one_plain_line(call("train", pictures, "--out", pictures / "run", *TINY))
    assert not (pictures / "run").exists()


def test_pictures_that_are_not_there_are_said_plainly(tmp_path):
    assert "nowhere" in one_plain_line(call("train", tmp_path / "nowhere", "--out", tmp_path / "run"))


def test_a_run_folder_that_is_in_use_is_never_overwritten(pictures, trained):
    assert "is there already" in one_plain_line(call("train", pictures, "--out", trained[0], *TINY))


def test_missing_weights_without_a_network_name_the_file_and_where_to_put_it(pictures, tmp_path):
    out, keras_home = tmp_path / "run", tmp_path / "keras"
    ended = call("train", pictures, "--out", out, "--backbone", "vgg16", KERAS_HOME=str(keras_home),
                 THAW_WEIGHTS_URL="http://127.0.0.1:9")  # fmt: skip
    assert ended.returncode == 1 and ended.stdout == "" and "Traceback" not in ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5" in last and str(keras_home / "models") in last


def test_check_says_when_pictures_could_only_be_compared_by_their_hashes(tmp_path):
    many = drawing.draw_folder(tmp_path / "many", per_class=155, side=24)
    (tmp_path / "home" / "nearest.lock").mkdir(parents=True)  # nobody can hold it, so the process cannot work
    ended = call("check", many, "--json", THAW_HOME=str(tmp_path / "home"))
    assert ended.returncode == 0, ended.stderr
    (said,) = [each for each in json.loads(ended.stdout)["findings"] if each["kind"] == "hash_only"]
    assert said["message"].startswith("The pictures were compared by their perceptual hashes only, because ")
    assert f"hash_only: {said['message']}" in call("check", many, THAW_HOME=str(tmp_path / "home")).stdout


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to a group like this on Windows")
def test_ctrl_c_stops_like_the_button_and_keeps_the_best_model_and_resume_goes_on_to_the_end(pictures, tmp_path):
    out = tmp_path / "run"
    long = [*TINY[:-1], "60", "--no-early-stop", "--json"]
    process = subprocess.Popen([sys.executable, "-m", "tlcore", "train", str(pictures), "--out", str(out), *long],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                               cwd=ROOT)  # fmt: skip
    deadline = time.monotonic() + 90
    while not (out / "checkpoints" / "best.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does: the whole group gets it, the worker too
    printed, said = process.communicate(timeout=90)
    assert process.returncode == 0, said
    value = json.loads(printed)
    assert value["stopped"] and value["kept_epoch"] >= 0 and (out / "model.keras").is_file()
    resumed = call("resume", out, "--json")
    assert resumed.returncode == 0, resumed.stderr
    value = json.loads(resumed.stdout)
    assert not value["stopped"] and value["epochs"] == 60 and value["state"] == "finished"
    assert "cannot go on: it is finished" in one_plain_line(call("resume", out))
    assert "is no run" in one_plain_line(call("resume", tmp_path))


def test_sample_lists_the_sets_and_draws_one(tmp_path):
    listed = call("sample", "--list")
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert listed.returncode == 0 and len(names) >= 3
    drawn = call("sample", names[0], "--out", tmp_path / "s")
    assert drawn.returncode == 0 and len(list((tmp_path / "s").iterdir())) >= 2
    assert "is there already" in one_plain_line(call("sample", names[0], "--out", tmp_path / "s"))
    assert "needs its name" in one_plain_line(call("sample"))
