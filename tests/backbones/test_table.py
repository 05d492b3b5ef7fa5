import re
import subprocess
import sys

import keras
import pytest
from keras.src.applications import convnext, densenet, efficientnet, efficientnet_v2, inception_resnet_v2, resnet
from keras.src.utils import file_utils

from tlcore.backbones import table
from tlcore.errors import RecipeError

ROWS = list(table.BACKBONES.values())
KERAS_ROWS = [row for row in ROWS if not row.bundled]


def each_row(rows=KERAS_ROWS):
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def test_every_image_classifier_of_keras_has_a_row_but_nasnet():
    builders = {name for name in dir(keras.applications) if name[0].isupper()}

    assert builders - {row.builder for row in KERAS_ROWS} == {"NASNetLarge", "NASNetMobile"}


def test_names_are_lower_case_with_the_width_behind():
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name) for name in table.BACKBONES)
    widths = {row.name[-4:] for row in ROWS if row.arguments}
    assert widths == {"_025", "_035", "_050", "_075", "_100", "_130", "_140"}


def test_thaws_own_is_the_first_card_and_six_of_keras_follow():
    own, *others = table.cards()

    assert own.name == "thawnet" and own.bundled and not own.weights_url
    assert len(others) == 6 and not any(card.bundled for card in others)


def test_each_card_says_in_a_sentence_why_and_what_it_costs():
    cards = table.cards()

    assert {card.name for card in cards} == {row.name for row in ROWS if row.card}
    assert all(card.card.endswith(".") for card in cards)
    assert all(card.relative_time and card.relative_time >= 1 for card in cards)


def test_a_name_that_does_not_exist_is_answered_with_the_closest_ones():
    with pytest.raises(RecipeError, match=r"“MobileNet-V2 0\.35”.*Did you mean mobilenet_v2_035"):
        table.get("MobileNet-V2 0.35")


def test_a_name_that_resembles_nothing_is_answered_with_the_list():
    with pytest.raises(RecipeError, match="Choose one from the list"):
        table.get("zzz")


@each_row()
def test_keras_accepts_no_picture_smaller_than_the_row_says(row):
    side = row.min_size - 1
    with pytest.raises(ValueError, match="at least"):
        getattr(keras.applications, row.builder)(include_top=False, weights=None, input_shape=(side, side, 3))


class _AskedForWeightsError(Exception):
    """Stops Keras at the moment it asks for the file."""


@pytest.fixture
def keras_without_blocks(monkeypatch):
    """Keras with the middle of its networks left out: the address of the weights does not depend on it."""

    def same(x, *_, **__):
        return x

    for module, name in (
        (resnet, "stack_residual_blocks_v1"),
        (resnet, "stack_residual_blocks_v2"),
        (densenet, "conv_block"),
        (efficientnet, "block"),
        (inception_resnet_v2, "inception_resnet_block"),
    ):
        monkeypatch.setattr(module, name, same)
    for module, name in (
        (convnext, "ConvNeXtBlock"),
        (efficientnet_v2, "MBConvBlock"),
        (efficientnet_v2, "FusedMBConvBlock"),
    ):
        monkeypatch.setattr(module, name, lambda *_, **__: same)


@each_row()
def test_file_address_and_hash_are_those_that_keras_uses(row, keras_without_blocks, monkeypatch):
    asked = {}

    def get_file(file_name, address, cache_subdir, file_hash=None):
        asked.update(file=file_name, address=address, folder=cache_subdir, hash=file_hash)
        raise _AskedForWeightsError

    monkeypatch.setattr(file_utils, "get_file", get_file)
    builder = getattr(keras.applications, row.builder)
    with pytest.raises(_AskedForWeightsError):
        builder(include_top=False, weights="imagenet", input_shape=(224, 224, 3), **dict(row.arguments))

    assert asked == {
        "file": row.weights_file,
        "address": row.weights_url,
        "folder": "models",
        "hash": row.keras_hash,
    }


def test_looking_things_up_never_loads_tensorflow_or_keras():
    code = (
        "import sys; from tlcore.backbones import stage_table, table, weights; stage_table.stages('vgg16'); "
        "[weights.is_here(row) for row in table.cards()]; "
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
