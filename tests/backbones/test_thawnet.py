"""Thaw's own network: its layers, its file, and that nothing else is ever taken in its place."""

import hashlib
import shutil

import keras
import numpy as np
import pytest

from tlcore.backbones import stages, table, thawnet, weights
from tlcore.errors import WeightsError

ROW = table.get("thawnet")


def pictures(size, count=2):
    return np.random.default_rng(1).uniform(-1, 1, (count, size, size, 3)).astype("float32")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder with a copy of the weights in place of the one they are shipped in."""
    shutil.copy(weights.path(ROW), tmp_path)
    monkeypatch.setattr(weights, "BUNDLED", tmp_path)
    return tmp_path / ROW.weights_file


def test_its_weights_are_there_and_are_the_ones_that_the_table_records():
    file = weights.path(ROW)
    assert weights.is_here(ROW) and weights.fetch(ROW) == file
    assert hashlib.sha256(file.read_bytes()).hexdigest() == ROW.sha256


def test_its_weights_take_at_most_six_megabytes():
    assert weights.path(ROW).stat().st_size <= 6_000_000


def test_missing_weights_are_said_and_nothing_else_is_taken(elsewhere):
    elsewhere.unlink()
    assert not weights.is_here(ROW)
    with pytest.raises(WeightsError, match=r"thawnet\.npz, which comes with Thaw, is missing.*Get Thaw anew"):
        weights.fetch(ROW)


def test_damaged_weights_are_said(elsewhere):
    content = bytearray(elsewhere.read_bytes())
    content[len(content) // 2] ^= 1
    elsewhere.write_bytes(content)
    with pytest.raises(WeightsError, match=f"SHA256 is .* instead of {ROW.sha256}.*Get Thaw anew"):
        weights.fetch(ROW)


def test_a_file_cut_short_is_said(elsewhere):
    elsewhere.write_bytes(elsewhere.read_bytes()[:100_000])
    with pytest.raises(WeightsError, match="cut short"):
        weights.fetch(ROW)


def test_weights_that_are_no_archive_or_of_another_network_are_refused(tmp_path):
    for content in (b"not an archive", b"PK\x03\x04 nor this"):
        (tmp_path / "thawnet.npz").write_bytes(content)
        with pytest.raises(WeightsError, match=r"does not hold the weights of Thawnet.*Get Thaw anew"):
            stages.build(ROW, 64, tmp_path / "thawnet.npz")
    other = {variable.path: np.asarray(variable) for variable in thawnet.build(64).variables}
    other.pop("stem_conv/kernel")
    thawnet.save(other, tmp_path / "thawnet.npz")
    with pytest.raises(WeightsError, match="does not hold the weights"):
        stages.build(ROW, 64, tmp_path / "thawnet.npz")


def test_what_is_saved_is_what_is_loaded_within_half_precision(tmp_path):
    model = thawnet.build(64)
    thawnet.save({variable.path: np.asarray(variable) for variable in model.variables}, tmp_path / "thawnet.npz")
    loaded = stages.build(ROW, 64, tmp_path / "thawnet.npz")

    for before, after in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_allclose(np.asarray(after), np.asarray(before), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("size", [96, 128, 160, 224])
def test_it_sees_pictures_of_any_usable_size_with_the_same_weights(size):
    model = stages.build(ROW, size, weights.fetch(ROW))
    seen = np.asarray(model(pictures(size)))

    assert seen.shape == (2, size // 32, size // 32, thawnet.CHANNELS)
    assert np.isfinite(seen).all() and 0 < seen.mean() < 100


def test_it_is_made_of_plain_layers_only():
    plain = {"InputLayer", "Conv2D", "BatchNormalization", "ReLU", "Add"}
    model = thawnet.build(128)

    assert {type(layer).__name__ for layer in model.layers} == plain
    assert not any(isinstance(layer, keras.layers.DepthwiseConv2D) for layer in model.layers)
    assert ROW.stage_count == 4
