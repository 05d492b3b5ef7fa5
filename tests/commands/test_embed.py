"""The command ``embed``: what is in its file, and that it is what the backbone sees."""

import json

import numpy as np
import pytest

from tlcore import cli


def embed(capsys, *arguments) -> dict:
    assert cli.main(["embed", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def arguments(drawn_dataset, tmp_path):
    return [drawn_dataset.root, "--backbone", "mobilenet_025", "--image-size", 64, "--out", tmp_path / "features.npz"]


def test_the_file_holds_features_labels_names_and_files_without_pickled_objects(arguments, drawn_dataset, capsys):
    value = embed(capsys, *arguments, "--random-weights", 3)
    with np.load(arguments[-1], allow_pickle=False) as saved:
        assert saved["features"].shape == (40, 256) and saved["features"].dtype == np.float32
        assert saved["labels"].tolist() == [picture.label for picture in drawn_dataset.pictures]
        assert saved["class_names"].tolist() == ["cold", "warm"]
        assert saved["files"].tolist() == [picture.file for picture in drawn_dataset.pictures]
    assert (value["pictures"], value["features"], value["image_size"]) == (40, 256, 64)


def test_the_same_seed_gives_the_same_features_and_another_seed_others(arguments, capsys):
    found = []
    for seed in (3, 3, 4):
        embed(capsys, *arguments, "--random-weights", seed)
        with np.load(arguments[-1]) as saved:
            found.append(saved["features"])
    assert np.array_equal(found[0], found[1]) and not np.array_equal(found[0], found[2])


def test_features_are_the_mean_over_the_last_tensor_of_the_scaled_network(arguments, drawn_dataset, capsys):
    from tlcore.backbones import stages, table
    from tlcore.images import pixels

    embed(capsys, *arguments, "--random-weights", 3)
    network = stages.build(table.get("mobilenet_025"), 64, None, 3)
    pictures = pixels.pixels(drawn_dataset, 64, "crop").astype("float32") / 127.5 - 1
    expected = np.asarray(network.predict_on_batch(pictures)).mean(axis=(1, 2))
    with np.load(arguments[-1]) as saved:
        assert np.abs(saved["features"] - expected).max() <= 1e-5 * np.abs(expected).max()


def test_missing_weights_are_an_error_and_no_file_is_written(arguments, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("THAW_WEIGHTS_URL", "http://127.0.0.1:9")
    assert cli.main(["embed", *map(str, arguments)]) == 1
    assert "mobilenet_2_5_224_tf_no_top.h5" in capsys.readouterr().err
    assert not arguments[-1].exists()
