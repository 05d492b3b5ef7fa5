"""The engine of the frozen stages: as fast as it gets, never another answer, and said when it changes."""

import importlib.util
import sys

import numpy as np
import pytest

from tlcore.training import boundary, calibration, classifier, engine, freezing, timings
from tlcore.training.engine import Engine
from tlcore.training.recipe import Recipe

MUCH = 10**9  # pictures: any other engine pays
HAS_OPENVINO = importlib.util.find_spec("openvino") is not None
needs_openvino = pytest.mark.skipif(not HAS_OPENVINO, reason="OpenVINO is not installed on this kind of computer")
PICTURES = np.random.default_rng(0).integers(0, 256, (engine.BATCH_SIZE, 32, 32, 3)).astype("uint8")
BATCH = PICTURES.astype("float32")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def cut():
    parts = classifier.build(Recipe(backbone="mobilenet_025", image_size=32), 3, weights=None)
    calibration.calibrate(parts.model, PICTURES[:8])
    freezing.freeze(parts, 5)
    return boundary.cut(parts, 5)


def engine_of(cut, passes: int) -> tuple[Engine, list[str]]:
    said: list[str] = []
    return Engine(cut, "mobilenet_025", passes, said.append), said


def test_little_work_is_done_in_keras_and_its_speed_is_remembered(cut):
    runs, said = engine_of(cut, passes=200)
    assert runs.pictures_per_s is None
    expected = cut.frozen.predict_on_batch(BATCH)
    for _ in range(3):
        assert np.array_equal(runs(BATCH), expected)
    assert said == []
    assert engine_of(cut, 200)[0].pictures_per_s == runs.pictures_per_s > 0


@needs_openvino
def test_openvino_tells_its_maker_nothing(cut, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    engine.ENGINES["openvino"](cut.frozen)
    assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
    assert not (tmp_path / "intel").exists()  # where it would keep the number that it gives this computer


@needs_openvino
def test_another_engine_takes_over_only_with_the_same_answers(cut, monkeypatch):
    expected = cut.frozen.predict_on_batch(BATCH)
    monkeypatch.setattr(engine, "GAIN", 0.0)  # however slow it is here
    runs, said = engine_of(cut, MUCH)
    for _ in range(4):
        assert np.abs(runs(BATCH) - expected).max() <= engine.FLOAT32_ERROR * np.abs(expected).max()
    assert ["OpenVINO" in sentence for sentence in said] == [True]
    assert runs.precision == "float32"
    again, said = engine_of(cut, MUCH)
    again(BATCH)
    assert again._pass is not None and said == []
    assert np.abs(again(BATCH) - expected).max() <= engine.FLOAT32_ERROR * np.abs(expected).max()


@needs_openvino
def test_a_remembered_engine_is_built_only_where_it_saves_more_than_its_building_takes(cut, monkeypatch):
    built = []
    ours = engine.ENGINES["keras"]
    monkeypatch.setitem(engine.ENGINES, "openvino", lambda model: built.append(model) or ours(model))
    runs, _ = engine_of(cut, passes=1000)
    known = {"engine": "openvino", "keras": 100.0, "openvino": 200.0, "build": 7.0}  # pictures per second; seconds
    timings.put(known, *runs._what)  # 1,000 pictures: 5 s saved, and one more by not tracing Keras
    engine_of(cut, passes=1000)[0](BATCH)
    assert built == []
    engine_of(cut, passes=1400)[0](BATCH)
    assert built == [cut.frozen]


@needs_openvino
def test_an_engine_with_other_answers_never_takes_over(cut, monkeypatch):
    monkeypatch.setattr(engine, "GAIN", 0.0)
    monkeypatch.setitem(
        engine.ENGINES, "openvino", lambda model: lambda pictures: model.predict_on_batch(pictures) * 1.01
    )
    expected = cut.frozen.predict_on_batch(BATCH)
    runs, said = engine_of(cut, MUCH)
    for _ in range(4):
        assert np.array_equal(runs(BATCH), expected)
    assert said == []


@needs_openvino
def test_a_remembered_engine_that_answers_otherwise_now_gives_way_and_that_is_said(cut, monkeypatch):
    monkeypatch.setattr(engine, "GAIN", 0.0)
    runs, _ = engine_of(cut, MUCH)
    for _ in range(2):
        runs(BATCH)
    monkeypatch.setitem(engine.ENGINES, "openvino", lambda model: lambda pictures: model.predict_on_batch(pictures) + 9)
    again, said = engine_of(cut, MUCH)
    assert np.array_equal(again(BATCH), cut.frozen.predict_on_batch(BATCH))
    assert "answered otherwise than Keras" in said[0]


def test_reduced_precision_has_to_keep_direction_and_class():
    rng = np.random.default_rng(0)
    labels = np.arange(256) % 3
    features = (
        rng.normal(size=(256, 4, 4, 16)).astype("float32") + np.eye(16, dtype="float32")[labels][:, None, None] * 3
    )
    slightly = features * (1 + rng.uniform(-0.004, 0.004, features.shape)).astype("float32")  # a step of bfloat16
    assert engine.is_sound(features, slightly, labels)
    assert not engine.is_sound(features, features + rng.normal(0, 3, features.shape).astype("float32"), labels)
    swapped = features[np.r_[3:6, 0:3, 6:256]]
    assert engine.is_sound(features, swapped[np.r_[3:6, 0:3, 6:256]], labels)
    assert not engine.is_sound(features, features[rng.permutation(256)], labels)
    broken = features.copy()
    broken[7, 0, 0, 0] = np.nan
    assert not engine.is_sound(features, broken, labels)


@needs_openvino
def test_reduced_precision_is_tried_once_and_used_only_if_sound(cut, monkeypatch):
    monkeypatch.setattr(engine, "GAIN", 0.0)
    monkeypatch.setattr(engine, "installed", lambda: ("keras", "openvino", "openvino bfloat16"))
    pictures, labels = np.concatenate([PICTURES] * 4), np.arange(256) % 3
    monkeypatch.setitem(engine.ENGINES, "openvino bfloat16", lambda model: lambda batch: -model.predict_on_batch(batch))
    unsound, said = engine_of(cut, MUCH)
    unsound.try_reduced(pictures, labels)
    assert (unsound.precision, said) == ("float32", [])
    (timings.workspace.home() / "timings.json").unlink()
    monkeypatch.setitem(engine.ENGINES, "openvino bfloat16", lambda model: model.predict_on_batch)
    sound, said = engine_of(cut, MUCH)
    sound.try_reduced(pictures, labels)
    assert sound.precision == "bfloat16" and "bfloat16" in said[0]
    again, said = engine_of(cut, MUCH)
    again.try_reduced(pictures, labels)
    assert again.precision == "bfloat16" and said == []
    monkeypatch.setattr(engine, "GAIN", 1e9)  # another time it may not look faster: the run keeps it all the same
    for settled, expected in ((None, "float32"), (engine.REDUCED, "bfloat16")):
        (timings.workspace.home() / "timings.json").unlink()
        later, _ = engine_of(cut, MUCH)
        later.settled = settled
        later.try_reduced(pictures, labels)
        assert later.precision == expected


def test_timings_survive_and_a_broken_file_only_means_timing_anew(tmp_path):
    timings.put({"keras": 5.0}, "this computer", 224)
    assert timings.get("this computer", 224)["keras"] == 5.0
    assert timings.get("this computer", 96) is None
    (timings.workspace.home() / "timings.json").write_text("{")
    assert timings.get("this computer", 224) is None
    timings.put({"keras": 6.0}, "this computer", 224)
    assert timings.get("this computer", 224)["keras"] == 6.0
