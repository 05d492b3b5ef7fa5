import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from tlcore.backbones import stages, table, weights
from tlcore.errors import RecipeError, WeightsError

pytestmark = pytest.mark.usefixtures("garbage_of_others_stays")
SPLIT = ("thawnet", "vgg16", "resnet50_v2", "mobilenet_v2_035", "densenet121", "efficientnet_b0", "convnext_tiny")


def build(name, size=64):
    keras.utils.clear_session()
    row = table.get(name)
    return row, stages.build(row, size, weights=None, seed=1)


def pictures(size=64):
    return np.random.default_rng(1).uniform(-1, 1, (2, size, size, 3)).astype("float32")


@pytest.mark.parametrize("name", SPLIT)
def test_both_parts_of_a_cut_network_together_are_the_whole_network(name):
    row, model = build(name)
    whole = model(pictures()).numpy()
    every = stages.cuts(model)

    for cut in (every[0], *stages.stage_cuts(row, model), every[-1]):
        prefix, suffix = stages.split(model, cut)
        crossing = prefix(pictures())
        assert crossing.shape[1:] == cut.shape
        assert prefix.count_params() == cut.parameters_before
        assert np.abs(suffix(crossing).numpy() - whole).max() == 0.0


def test_cutting_changes_neither_the_network_nor_its_cuts():
    row, model = build("mobilenet_025")
    before = stages.cuts(model)
    _, suffix = stages.split(model, stages.stage_cuts(row, model)[2])

    assert stages.cuts(model) == before
    assert suffix.layers[-1] is model.layers[-1]


def test_a_network_is_not_cut_where_two_tensors_cross():
    _, model = build("mobilenet_v2_035")
    inside = next(i for i, layer in enumerate(model.layers) if layer.name == "block_2_depthwise")
    (cut, *_) = stages.cuts(model)

    assert inside not in [cut.index for cut in stages.cuts(model)]
    with pytest.raises(ValueError, match="can be cut after the layers"):
        stages.split(model, type(cut)(inside, "", (1, 1, 1), 0, 0))


@pytest.mark.parametrize("name", ["mobilenet_v3_small_075", "convnext_tiny", "resnet50"])
def test_every_layer_belongs_to_one_stage_and_each_stage_holds_its_start(name):
    row, model = build(name)
    parts = stages.stage_layers(row, model)

    assert [layer for part in parts for layer in part] == model.layers[1:]
    for start, part in zip(row.stage_starts, parts[1:], strict=True):
        assert start in [layer.name for layer in part]


def test_stages_do_not_depend_on_what_was_built_before():
    row = table.get("mobilenet_v2_035")
    first, second = (stages.anatomy(row, stages.build(row, 32, weights=None)) for _ in range(2))

    assert first == second


def test_the_same_seed_gives_the_same_random_weights():
    row = table.get("mobilenet_025")
    one, same, other = (stages.build(row, 32, weights=None, seed=seed).get_weights() for seed in (1, 1, 2))

    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", ["mobilenet_025", "xception", "inception_v3"])
def test_the_smallest_picture_size_works_and_one_less_is_refused(name):
    row = table.get(name)

    assert stages.build(row, row.min_size, weights=None).output_shape[1] >= 1
    with pytest.raises(RecipeError, match=f"needs at least {row.min_size}"):
        stages.build(row, row.min_size - 1, weights=None)


def test_a_file_of_another_network_is_refused_by_name(random_weights):
    with pytest.raises(WeightsError, match=r"weights\.h5 does not hold the weights of MobileNet 0\.25"):
        stages.build(table.get("mobilenet_025"), 32, random_weights)


def test_weights_are_the_same_at_every_picture_size(random_weights):
    row = table.get("mobilenet_v2_035")
    small, large = (stages.build(row, size, random_weights).get_weights() for size in (96, 224))

    assert all(np.array_equal(a, b) for a, b in zip(small, large, strict=True))


def test_efficientnet_by_path_sees_the_same_colours_as_through_keras(tmp_path, monkeypatch):
    # The published file holds the deviation where the layer expects its square; Keras adds a layer that makes up
    # for it, but only under weights="imagenet".
    file = tmp_path / "efficientnetb0_notop.h5"
    published = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(64, 64, 3))
    layer = next(layer for layer in published.layers if isinstance(layer, keras.layers.Normalization))
    layer.adapt_mean.assign([0.485, 0.456, 0.406])
    layer.adapt_variance.assign([0.229, 0.224, 0.225])
    published.save(file)
    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: str(file))
    expected = keras.applications.EfficientNetB0(include_top=False, weights="imagenet", input_shape=(64, 64, 3))

    ours = stages.build(table.get("efficientnet_b0"), 64, file)
    seen = [
        keras.Model(model.inputs[0], model.get_layer("stem_conv").output)(pictures(64) * 255).numpy()
        for model in (expected, ours, published)
    ]

    np.testing.assert_allclose(seen[1], seen[0], rtol=1e-4, atol=1e-4)
    assert np.abs(seen[2]).mean() < 0.6 * np.abs(seen[0]).mean()  # by path without mending: half as strong


@pytest.mark.real
def test_the_224_pixel_file_gives_keras_own_answers_at_96_pixels(real_weights):
    row = table.get("mobilenet_v2_035")
    file = weights.fetch(row)
    ours = stages.build(row, 96, file)
    theirs = keras.applications.MobileNetV2(alpha=0.35, include_top=False, weights=str(file), input_shape=(96, 96, 3))

    assert np.array_equal(ours(pictures(96)), theirs(pictures(96)))
    assert float(keras.ops.mean(ours(pictures(96)))) > 0
