"""Features kept at the cut: made once, found again, never stale, and as exact as they are stored."""

import dataclasses

import keras
import numpy as np
import pytest

from tlcore import cache
from tlcore.images import pixels
from tlcore.training import augmentation, boundary, calibration, classifier, features, freezing
from tlcore.training.features import Features, Source
from tlcore.training.recipe import Recipe

BACKBONES = ("mobilenet_025", "vgg16", "efficientnet_b0", "convnext_tiny")
ROWS = (0, 3, 4, 7, 11)


class Counted:
    """The frozen stages, and how many batches passed them."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.batches = 0

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        self.batches += 1
        return self.model.predict_on_batch(pictures)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


@pytest.fixture
def source(drawn_dataset):
    array = pixels.pixels(drawn_dataset, 32)
    return Source(drawn_dataset, array, "crop", augmentation.PRESETS["strong"], seed=1)


def halves(source, name="mobilenet_025", frozen=3, **choices):
    parts = classifier.build(Recipe(backbone=name, image_size=32, **choices), 3, weights=None)
    calibration.calibrate(parts.model, source.array[:8])
    freezing.freeze(parts, frozen)
    return parts, boundary.cut(parts, frozen)


def kept(source, cut, **choices) -> tuple[Features, Counted]:
    counted = Counted(cut.frozen)
    return Features(source, cut, counted, **choices), counted


@pytest.mark.parametrize("name", BACKBONES)
def test_kept_features_give_the_same_logits_within_the_stored_precision_at_every_stage(source, name, monkeypatch):
    monkeypatch.setattr(features, "BATCH_SIZE", 8)  # what fills a batch up costs as much as pictures
    parts, _ = halves(source, name)
    parts.head[-1].activation = keras.activations.linear
    pictures = source.array[list(ROWS)].astype("float32")
    whole = computed(parts.model, pictures)
    near = 1e-4 * max(1.0, np.abs(whole).max())
    for frozen in range(1, 6):
        cut = boundary.cut(parts, frozen)
        found = Features(source, cut, lambda batch, cut=cut: computed(cut.frozen, batch)).of(ROWS)
        assert found.dtype == np.float16 and found.shape == (len(ROWS), *cut.shape)
        exact = computed(cut.frozen, pictures)
        assert np.abs(found - exact).max() <= np.abs(exact).max() * 2**-11  # half a step of float16
        crossing = np.concatenate([exact, exact.astype("float16"), found]).astype("float32")
        from_exact, from_rounded, from_kept = np.split(computed(cut.learning, crossing), 3)
        assert np.abs(from_exact - whole).max() <= near, frozen
        rounding = np.abs(from_rounded - whole).max()  # what float16 costs at all
        assert np.abs(from_kept - whole).max() <= 2 * rounding + near, frozen


def computed(model: keras.Model, values: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(values, training=False))


def test_the_frozen_pass_happens_once(source):
    _, cut = halves(source)
    first, counted = kept(source, cut)
    there = first.of(ROWS)
    again, counted_again = kept(source, cut)
    assert np.array_equal(again.of(ROWS), there)
    assert (counted.batches, counted_again.batches) == (1, 0)


def test_another_head_finds_what_is_there_and_another_depth_or_weight_does_not(source):
    _, cut = halves(source)
    kept(source, cut)[0].of(ROWS)
    other_head, counted = kept(source, halves(source, hidden_units=8, dropout=0.5, seed=0)[1])
    other_head.of(ROWS)
    assert counted.batches == 0
    deeper, counted = kept(source, halves(source, frozen=4)[1])
    deeper.of(ROWS)
    assert counted.batches == 1
    _, changed = halves(source)
    kernel = next(weight for weight in changed.frozen.weights if weight.name == "kernel")
    kernel.assign(kernel * 1.0001)
    nudged, counted = kept(source, changed)
    nudged.of(ROWS)
    assert counted.batches == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda source: dataclasses.replace(source, resize="pad"),
        lambda source: dataclasses.replace(source, seed=2),
        lambda source: dataclasses.replace(source, strengths=augmentation.PRESETS["light"]),
    ],
)
def test_views_are_made_anew_where_anything_about_them_changes(source, change):
    _, cut = halves(source)
    there = kept(source, cut)[0].of(ROWS, view=1)
    other, counted = kept(change(source), cut)
    found = other.of(ROWS, view=1)
    assert counted.batches == 1
    assert change(source).resize == "pad" or not np.array_equal(found, there)


def test_a_view_of_a_picture_does_not_depend_on_the_others(source):
    _, cut = halves(source)
    together = kept(source, cut)[0].of(ROWS, view=2)
    alone = kept(source, cut)[0].of(ROWS[2:3], view=2)
    assert np.array_equal(together[2], alone[0])
    assert not np.array_equal(kept(source, cut)[0].of(ROWS, view=1), together)


def test_numbers_too_large_for_float16_are_kept_in_float32(source):
    _, cut = halves(source)
    large = Features(source, cut, lambda pictures: cut.frozen.predict_on_batch(pictures) * 1e6)
    found = large.of(ROWS)
    assert found.dtype == np.float32
    assert np.isfinite(found).all() and np.abs(found).max() > 65504


def test_a_damaged_file_is_made_anew(source):
    _, cut = halves(source)
    there = np.array(kept(source, cut)[0].of(ROWS))
    (entry,) = [entry for entry in cache.entries() if entry.path.parent.name == "features"]
    entry.path.write_bytes(entry.path.read_bytes()[:-100])
    again, counted = kept(source, cut)
    assert np.array_equal(again.of(ROWS), there)
    assert counted.batches == 1


def test_stopping_in_the_middle_leaves_nothing_behind(source):
    _, cut = halves(source)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(source, cut, progress=stop)[0].of(ROWS)
    assert not list(cache.folder("features").glob("*.npy"))
    assert not list(cache.folder("features").glob(".*"))


def test_more_pictures_than_a_batch_come_in_their_order(source, monkeypatch):
    monkeypatch.setattr(features, "BATCH_SIZE", 4)
    _, cut = halves(source)
    rows = range(len(source.dataset.pictures))
    told = []
    found = kept(source, cut, progress=lambda *said: told.append(said))[0].of(rows)
    exact = cut.frozen.predict_on_batch(source.array[:].astype("float32"))
    assert np.allclose(found, exact, rtol=2e-3, atol=2e-3 * np.abs(exact).max())
    assert told[-1] == (len(rows), len(rows)) and len(told) > 1
