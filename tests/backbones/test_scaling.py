import importlib

import keras
import numpy as np
import pytest

from tlcore.backbones import scaling, table

KERAS_ROWS = [row for row in table.BACKBONES.values() if not row.bundled]
# Every value a channel can have, and each pixel with three different ones.
RGB = (
    np.random.default_rng(1).permuted(np.tile(np.arange(256, dtype="float32"), (3, 1)), axis=1).T.reshape(1, 16, 16, 3)
)


def scaled(row, pictures):
    x = pictures
    for layer in scaling.scale_layers(row):
        x = layer(x)
    return np.asarray(x)


@pytest.mark.parametrize("row", KERAS_ROWS, ids=[row.name for row in KERAS_ROWS])
def test_pixels_become_what_keras_own_preprocessing_makes_of_them(row):
    builder = getattr(keras.applications, row.builder)
    expected = importlib.import_module(builder.__module__).preprocess_input(RGB.copy())

    np.testing.assert_allclose(scaled(row, RGB), expected, rtol=0, atol=2e-6)


def test_the_scaling_of_vgg_and_resnet_is_exact():
    expected = keras.applications.vgg16.preprocess_input(RGB.copy())

    assert np.abs(scaled(table.get("vgg16"), RGB) - expected).max() == 0.0


@pytest.mark.parametrize("name", ["vgg16", "densenet121", "mobilenet_v2_100"])
def test_scaling_is_exact_under_reduced_precision_too(name):
    row = table.get(name)
    full = scaled(row, RGB)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        reduced = scaled(row, RGB)
    finally:
        keras.config.set_dtype_policy(before)

    assert np.array_equal(reduced, full)


@pytest.mark.parametrize("name", ["vgg16", "densenet121", "mobilenet_v2_100"])
def test_scaling_survives_saving_and_has_nothing_to_learn(name, tmp_path):
    pictures = keras.Input((16, 16, 3))
    x = pictures
    for layer in scaling.scale_layers(table.get(name)):
        x = layer(x)
    model = keras.Model(pictures, x)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")

    assert np.array_equal(loaded(RGB), model(RGB))
    assert loaded.trainable_weights == []
    assert np.array_equal(loaded(RGB.astype("uint8")), model(RGB))
