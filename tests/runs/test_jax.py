"""The same training with another backend of Keras: the results are made with TensorFlow all the same."""

import importlib.util

import pytest

from tlcore.results import report
from tlcore.runs import events, supervisor
from tlcore.runs import run as runs

needs_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")


@pytest.fixture
def with_jax(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


@needs_jax
def test_a_run_trains_with_jax_from_kept_features_and_ends_with_model_report_and_package(with_jax, new_run):
    run = new_run(epochs=2, frozen_stages=4, augment="light", batch_size=8)
    supervisor.supervise(run)
    history = run.events.all()
    assert runs.state(run) == "finished", run.worker_log.read_text()[-2000:]
    assert "jax" in events.last(history, events.Started).versions
    assert [event.epoch for event in events.of_type(history, events.EpochEnd)] == [1, 2]
    assert report.load(run.report_file).n_test == len(run.split().test)
    assert (run.exports / "keras.zip").is_file()
