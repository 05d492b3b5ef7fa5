"""A saved model is opened again and asked, about arrays and about files."""

import keras
import numpy as np
import pytest
from PIL import Image

from tlcore.errors import ExportError
from tlcore.images import picture
from tlcore.results import prediction


def model_of(units: int, activation: str) -> keras.Model:
    keras.utils.set_random_seed(1)
    pictures = keras.Input((32, 32, 3), name="pictures")
    x = keras.layers.Rescaling(1 / 255)(pictures)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(pictures, keras.layers.Dense(units, activation=activation)(x))


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)


def test_probabilities_are_those_of_the_network_whatever_the_batch(pixels):
    model = model_of(3, "softmax")
    whole = prediction.probabilities(model, pixels)
    assert whole.shape == (10, 3)
    assert whole.dtype == np.float32
    assert whole.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert np.abs(whole - np.asarray(model(pixels.astype("float32")))).max() < 1e-6
    assert np.abs(whole - prediction.probabilities(model, pixels, batch_size=4)).max() < 1e-6


def test_a_sigmoid_output_becomes_two_columns(pixels):
    model = model_of(1, "sigmoid")
    both = prediction.probabilities(model, pixels)
    assert both.shape == (10, 2)
    assert both[:, 1:] == pytest.approx(np.asarray(model(pixels.astype("float32"))), abs=1e-6)
    assert both.sum(axis=1) == pytest.approx(1)


def test_chosen_rows_come_in_the_order_asked(pixels):
    model = model_of(3, "softmax")
    chosen = prediction.probabilities(model, pixels, rows=(7, 2, 2))
    assert np.abs(chosen - prediction.probabilities(model, pixels)[[7, 2, 2]]).max() < 1e-6


def test_no_rows_give_no_answers(pixels):
    assert prediction.probabilities(model_of(1, "sigmoid"), pixels, rows=()).shape == (0, 2)
    assert prediction.probabilities(model_of(5, "softmax"), pixels[:0]).shape == (0, 5)


def test_a_memory_map_is_read_batch_by_batch(pixels, tmp_path):
    np.save(tmp_path / "pixels.npy", pixels)
    mapped, seen = np.load(tmp_path / "pixels.npy", mmap_mode="r"), []
    model = model_of(3, "softmax")
    found = prediction.probabilities(model, mapped, 4, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, 10), (8, 10), (10, 10)]
    assert np.array_equal(found, prediction.probabilities(model, pixels, 4))


def test_a_file_that_cannot_be_read_does_not_stop_the_others(pixels, tmp_path):
    files = [tmp_path / f"{number}.png" for number in range(6)]
    for number, file in enumerate(files):
        Image.fromarray(pixels[number]).resize((80, 50)).save(file)
    files[2].write_text("no picture")
    files[5].unlink()
    model = model_of(3, "softmax")
    answers = prediction.answers(model, files, "pad", batch_size=2)
    assert [answer.file for answer in answers] == files
    assert [bool(answer.problem) for answer in answers] == [False, False, True, False, False, True]
    assert [len(answer.probabilities) for answer in answers] == [3, 3, 0, 3, 3, 0]
    square = picture.read(files[4], 32, "pad")[np.newaxis]
    assert answers[4].probabilities == pytest.approx(prediction.probabilities(model, square)[0].tolist(), abs=1e-6)


def test_a_saved_model_answers_as_before_it_was_saved(pixels, tmp_path):
    model = model_of(3, "softmax")
    model.save(tmp_path / "model.keras")
    again = prediction.load(tmp_path / "model.keras")
    assert np.array_equal(prediction.probabilities(again, pixels), prediction.probabilities(model, pixels))
    assert prediction.side(again) == 32


def test_a_missing_model_is_said_plainly(tmp_path):
    with pytest.raises(ExportError, match="no finished model"):
        prediction.load(tmp_path / "model.keras")
