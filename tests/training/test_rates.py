"""Learning rates: falling towards the input side, and real for Adam, which undoes scaled gradients."""

import itertools

import keras
import numpy as np
import pytest

from tlcore.training import calibration, classifier, freezing, rates
from tlcore.training.recipe import OPTIMIZERS, Recipe

STEPS = 40


def recipe_for(optimizer: str) -> Recipe:
    return Recipe(backbone="mobilenet_025", image_size=32, optimizer=optimizer, head_lr=1e-2, backbone_lr=1e-3,
                  rate_falloff=0.1, weight_decay=0.0)  # fmt: skip


def test_rates_fall_by_the_same_share_from_stage_to_stage():
    recipe = recipe_for("adamw")
    falling = [rates.rate_of_stage(recipe, stage, 4) for stage in range(4)]
    assert falling == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3])
    assert rates.head_rate(recipe, "fine-tuning") == pytest.approx(1e-2)
    assert rates.head_rate(recipe, "head") == pytest.approx(1e-2)


def test_the_schedule_rises_to_its_rate_and_falls_to_zero():
    plan = rates.schedule(0.5, STEPS)
    values = [float(plan(step)) for step in range(STEPS + 1)]
    assert max(values) == pytest.approx(0.5)
    assert values[0] < 0.1
    assert values[-1] == pytest.approx(0.0, abs=1e-6)
    assert values.index(max(values)) == STEPS * rates.WARM_UP_SHARE


def test_a_phase_of_one_step_has_a_rate_too():
    assert float(rates.schedule(0.5, 1)(0)) == pytest.approx(0.5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_moves_early_stages_less_than_late_ones(name):
    recipe = recipe_for(name)
    parts = classifier.build(recipe, 2, weights=None)
    pictures = np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3)).astype("uint8")
    calibration.calibrate(parts.model, pictures)
    freezing.freeze(parts, 0)
    kernels = [next(w for layer in stage for w in layer.weights if w.name == "kernel") for stage in parts.stages]
    before = [keras.ops.convert_to_numpy(kernel).copy() for kernel in kernels]
    optimizer = rates.optimizer(recipe, parts, "fine-tuning", 1)
    # One of them as a graph, as in a real training: tracing it takes many times as long as its only step.
    parts.model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=name != OPTIMIZERS[0])
    parts.model.fit(pictures, np.arange(8) % 2, epochs=1, verbose=0)
    moved = [
        float(np.abs(keras.ops.convert_to_numpy(kernel) - old).max())
        for kernel, old in zip(kernels, before, strict=True)
    ]
    assert all(late > early > 0 for early, late in itertools.pairwise(moved))


def test_with_everything_frozen_the_head_has_one_plain_optimizer():
    recipe = recipe_for("adamw")
    parts = classifier.build(recipe, 2, weights=None)
    freezing.freeze(parts, len(parts.stages))
    assert isinstance(rates.optimizer(recipe, parts, "head", STEPS), keras.optimizers.AdamW)
