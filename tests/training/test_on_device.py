"""Features that lie on the device: a step is sent row numbers, and learns exactly what it learns from features."""

import keras
import numpy as np
import pytest

from tlcore.training import on_device
from tlcore.training.batches import Batches, FollowEpoch, ShuffledFeatures
from tlcore.training.supply import Supply

VIEWS = np.random.default_rng(0).normal(size=(3, 21, 5)).astype("float16")
LABELS = np.arange(21) % 2


def supply() -> Supply:
    """Return a phase that learns from three views of 21 rows of features."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, activation="softmax")])
    training = ShuffledFeatures(lambda view: VIEWS[view], LABELS, 8, views=3, seed=1, epoch=1, first_epoch=1)
    return Supply(model, training, Batches(VIEWS[0, :6] * 2, range(6), LABELS[:6], 4))


def learned(of: Supply) -> tuple[list[np.ndarray], dict[str, list[float]]]:
    """Train three epochs; return the weights and what was measured on the way."""
    of.model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = of.model.fit(of.training, validation_data=of.validation, epochs=3, shuffle=False, verbose=0,
                           callbacks=[FollowEpoch(of.training)])  # fmt: skip
    return [np.array(variable) for variable in of.model.trainable_variables], history.history


def test_what_is_learned_and_measured_is_the_same_to_the_last_bit():
    plain, held = learned(supply()), learned(on_device.hold(supply()))
    assert plain[1] == held[1]
    assert all(np.array_equal(a, b) for a, b in zip(plain[0], held[0], strict=True))


def test_a_batch_is_row_numbers_and_the_device_has_what_the_epoch_draws():
    found = on_device.hold(supply())
    numbers, targets = found.training[0]
    assert numbers.dtype == np.int32 and np.array_equal(targets, LABELS[numbers])
    values = found.model.get_layer("held").values
    assert values.dtype == "float16" and np.array_equal(np.array(values)[:21], VIEWS[0])
    found.training.begin(3)
    drawn = np.array(values)[:21]
    assert all(any(np.array_equal(drawn[row], view[row]) for view in VIEWS) for row in range(21))
    assert not np.array_equal(drawn, VIEWS[0])


def test_pictures_are_not_held_and_nothing_is_where_there_is_no_graphics_card():
    found = supply()
    assert on_device.fits(found) is False
    with pytest.raises(TypeError, match="Received: HeldFeatures"):
        on_device.hold(on_device.hold(found))
