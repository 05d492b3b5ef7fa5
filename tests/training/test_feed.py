"""How batches get to Keras: the same ones, in the same order, those of each epoch in that epoch."""

import keras
import numpy as np

from tlcore.training import augmentation
from tlcore.training.batches import Batches, FollowEpoch, ShuffledFeatures, ShuffledViews
from tlcore.training.feed import feed

VIEWS = np.random.default_rng(0).normal(size=(3, 21, 5)).astype("float16")
LABELS = np.arange(21) % 2


def learned(give) -> tuple[list[np.ndarray], dict[str, list[float]]]:
    """Train three epochs on three views of 21 rows, in parts; return weights and what was measured."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, activation="softmax")])
    training = ShuffledFeatures(lambda view: VIEWS[view], LABELS, 8, views=3, seed=1, epoch=1, first_epoch=1)
    training.parts = 2
    check = Batches(VIEWS[0, :6] * 2, range(6), LABELS[:6], 4)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(give(training), validation_data=give(check), epochs=3, shuffle=False, verbose=0,
                        callbacks=[FollowEpoch(training)])  # fmt: skip
    return [np.array(variable) for variable in model.trainable_variables], history.history


def test_keras_learns_exactly_what_it_learns_from_the_batches_themselves():
    own, given = learned(lambda batches: batches), learned(feed)
    assert own[1] == given[1]
    assert all(np.array_equal(a, b) for a, b in zip(own[0], given[0], strict=True))


def test_nothing_is_prefetched_by_a_length_that_is_tuned_on_the_way():
    options = feed(Batches(VIEWS[0], range(21), LABELS, 8)).options()
    assert options.autotune.enabled is False


def test_batches_that_take_time_to_make_keep_their_threads():
    pictures = np.zeros((4, 8, 8, 3), "uint8")
    batches = ShuffledViews(pictures, range(4), LABELS, 2, strengths=augmentation.PRESETS["light"], seed=0, epoch=1)
    assert feed(batches) is batches
