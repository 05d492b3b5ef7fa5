"""Runs that are interrupted, and what is left of them, beside runs that are not."""

import numpy as np
import pytest
from drawn_runs import random_weights

from tlcore.runs import events
from tlcore.runs import run as runs
from tlcore.training import training

SOME = {"backbone": "mobilenet_050", "weights": "imagenet", "epochs": 3, "frozen_stages": 4, "batch_size": 14}
"""Two batches an epoch, first of the head and then of the open stages too; random drops."""


@pytest.fixture(scope="module")
def small_keras_home(tmp_path_factory):
    return random_weights(tmp_path_factory.mktemp("keras_home"))


@pytest.fixture
def pair(new_run, tmp_path, small_keras_home, monkeypatch):
    """Return a function that makes two runs of the same recipe."""

    monkeypatch.setenv("KERAS_HOME", str(small_keras_home))

    def make(**choices):
        first = new_run(**SOME | choices)
        second = runs.create(tmp_path / "second", first.recipe(), first.dataset(), first.split())
        return first, second

    return make


def learn_with_pauses(run, most: int = 100) -> int:
    """Train a run that is asked to pause all the time: each try does one step. Return the number of pauses."""
    for pauses in range(most):
        runs.ask_to_pause(run)
        try:
            training.learn(run)
        except training.PauseAsked:
            continue
        return pauses
    raise AssertionError(f"It was not over after {most} pauses.")


def weights_of(run) -> dict[str, np.ndarray]:
    with np.load(run.best_checkpoint) as saved:
        return {name: saved[name] for name in saved.files}


def curve_of(run) -> dict[int, tuple[float, ...]]:
    """Return what the last word on each epoch says: whatever does not depend on the clock."""
    ends = events.of_type(run.events.all(), events.EpochEnd)
    return {
        end.epoch: (end.loss, end.accuracy, end.val_loss, end.val_accuracy, end.learning_rate, end.is_best)
        for end in ends
    }


def batches_of(run) -> dict[tuple[int, int], tuple[float, float]]:
    """Return loss and accuracy of each batch: differences of the means of its epoch."""
    ends = events.of_type(run.events.all(), events.BatchEnd)
    return {(end.epoch, end.step): (end.loss, end.accuracy) for end in ends}


def pause_until(run, happens) -> None:
    """Train a run step by step until something is so."""
    while not happens():
        runs.ask_to_pause(run)
        with pytest.raises(training.PauseAsked):
            training.learn(run)
    run.pause_file.unlink()


def last_went_on(run) -> events.WentOn:
    return events.of_type(run.events.read()[0], events.WentOn)[-1]
