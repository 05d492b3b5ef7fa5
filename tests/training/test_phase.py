"""Phases on a tiny network: steps in parts, or with too little memory for whole ones, learn what whole steps learn."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tlcore.images import pixels, split
from tlcore.runs import events
from tlcore.runs import run as runs
from tlcore.training import augmentation, calibration, classifier, phase, recipe, step, timings
from tlcore.training.callbacks import KeepBest
from tlcore.training.classifier import Classifier
from tlcore.training.features import Source
from tlcore.training.phase import Phase
from tlcore.training.recipe import Recipe
from tlcore.training.supply import Material, Supplier


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


class Greedy(keras.layers.Layer):
    """Needs more memory than there is for more than some pictures at a time."""

    most = 4

    def call(self, x, training=None):
        def needs(values):
            if len(values) > self.most:
                raise MemoryError
            return values

        return tf.ensure_shape(tf.py_function(needs, [x], x.dtype), x.shape) if training else x


@pytest.fixture
def learned(drawn_dataset, tmp_path):
    """Return a function that trains one phase; it returns the learned weights, and the run."""

    def learn(frozen: int, change=lambda parts: parts, **choices) -> tuple[list[np.ndarray], runs.Run]:
        usual = {"backbone": "mobilenet_025", "image_size": 32, "batch_size": 8, "epochs": 2, "dropout": 0.0,
                 "head_lr": 1e-2, "backbone_lr": 1e-3, "weights": "random", "augment": "none"}  # fmt: skip
        asked = Recipe(**usual | choices)
        parts = split.draw(drawn_dataset, 0.2, 0.3, 0)
        folder = tmp_path / f"run {len(list(tmp_path.iterdir()))}"
        run = runs.create(folder, asked, drawn_dataset, parts)
        array = pixels.pixels(drawn_dataset, 32)
        network = classifier.build(asked, 2, weights=None)
        calibration.calibrate(network.model, array[:8])
        network = change(network)
        source = Source(drawn_dataset, array, "crop", augmentation.from_recipe(asked), 0)
        labels = np.array([picture.label for picture in drawn_dataset.pictures])
        material = Material(source, parts, labels, network, asked.backbone)
        supplier = Supplier(material, asked, lambda done, total: None, lambda said: None, run.folder)
        phase.fit(run, Phase("fine-tuning", frozen, 2), material, supplier, KeepBest(run, None, network.model))
        return [np.array(variable) for variable in network.model.variables], run

    return learn


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    """Return whether weights agree but for the order in which sums were made."""
    return all(np.allclose(a, b, rtol=1e-4, atol=2e-5) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    "choices",
    [
        {"optimizer": "adamw", "step_parts": 2},
        # Slowly enough not to diverge: what diverges makes much of the smallest rounding.
        {
            "optimizer": "sgd",
            "head_lr": 1e-4,
            "backbone_lr": 1e-5,
            "augment": "light",
            "class_weights": True,
            "step_parts": 3,
        },
    ],
)
def test_steps_in_parts_learn_the_same_as_whole_ones(learned, choices):
    whole, _ = learned(0, **choices | {"step_parts": 1})
    in_parts, run = learned(0, **choices)
    assert same(whole, in_parts)
    history = run.events.all()
    started = events.last(history, events.PhaseStarted)
    assert events.last(history, events.BatchEnd).step == started.steps_per_epoch
    assert started.steps_per_epoch == choices["step_parts"] * math.ceil(len(run.split().train) / 8)


def test_a_step_that_memory_is_too_small_for_is_computed_in_parts_and_the_run_says_so(learned):
    def greedy(parts: Classifier) -> Classifier:
        pooling, answer = parts.head
        head = (pooling, Greedy(name="greedy"), answer)
        model = keras.Model(parts.model.input, classifier.through(head, parts.backbone(
            classifier.through(parts.scaling, parts.model.input))))  # fmt: skip
        return Classifier(model, parts.stages, head, parts.backbone, parts.cuts, parts.scaling)

    expected, _ = learned(3)
    found, run = learned(3, greedy)
    assert recipe.load(run.resolved_file).step_parts == 2
    said = [note.message for note in events.of_type(run.events.all(), events.Note)]
    assert any("memory was too small" in sentence and "2 parts" in sentence for sentence in said)
    assert same(expected, found)


def test_a_training_whose_steps_turn_out_to_be_long_begins_once_more_in_parts_and_learns_the_same(learned, monkeypatch):
    monkeypatch.setattr(step, "TRIAL_FROM_S", 0.0)  # whatever the work is guessed to be
    expected, whole = learned(3, precision="float32")
    assert recipe.load(whole.resolved_file).step_parts == 1
    (timings.workspace.home() / "timings.json").unlink()
    monkeypatch.setattr(step, "LONGEST_S", 0.0)  # however short they are, and few
    monkeypatch.setattr(step, "WORTH_S", 0.0)
    found, run = learned(3, precision="float32")
    assert recipe.load(run.resolved_file).step_parts == 2
    assert len(events.of_type(run.events.all(), events.PhaseStarted)) == 2
    assert same(expected, found)
    again, run = learned(3, precision="float32")
    assert len(events.of_type(run.events.all(), events.PhaseStarted)) == 1  # known by now
    assert same(expected, again)


def test_a_phase_in_reduced_precision_learns_much_the_same_and_leaves_float32_behind(learned):
    expected, full = learned(3, head_lr=1e-3, backbone_lr=1e-4)
    found, run = learned(3, head_lr=1e-3, backbone_lr=1e-4, precision="bfloat16")
    assert not all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))
    losses = [events.last(one.events.all(), events.EpochEnd).loss for one in (full, run)]
    assert losses[1] == pytest.approx(losses[0], rel=0.2)
    assert {array.dtype.name for array in found} <= {"float32", "uint32", "int64"}


def test_the_guess_of_work_counts_open_stages_three_times_and_frozen_ones_only_with_pictures():
    asked = Recipe(backbone="mobilenet_025", image_size=224)
    pictures, features = np.zeros((1, 32, 32, 3), "uint8"), np.zeros((1, 4, 4, 8), "float16")
    guess = phase.guessed_s
    assert guess(asked, 0, pictures, 10) == pytest.approx(10 * guess(asked, 0, pictures, 1))
    assert guess(asked, 5, features, 10) == 0 < guess(asked, 5, pictures, 10) < guess(asked, 3, pictures, 10)
    assert guess(asked, 3, features, 10) < guess(asked, 3, pictures, 10)
