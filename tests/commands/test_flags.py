"""Every field of the recipe is a flag, and every flag a field."""

import argparse
from dataclasses import fields

import pytest

from tlcore import cli
from tlcore.commands import flags
from tlcore.training.recipe import Recipe


def parse(*arguments: str) -> Recipe:
    parser = argparse.ArgumentParser()
    flags.add_recipe(parser)
    return flags.recipe_of(parser.parse_args(arguments))


def test_no_flags_give_the_recipe_of_defaults():
    assert parse() == Recipe()


def test_flags_change_their_fields():
    asked = parse("--backbone", "vgg16", "--freeze", "3", "--no-early-stop", "--horizontal-flip", "--head-lr", "0.01",
                  "--batch-size", "8", "--augment", "strong", "--seed", "7")  # fmt: skip
    assert asked == Recipe(backbone="vgg16", frozen_stages=3, early_stopping=False, horizontal_flip=True, head_lr=0.01,
                           batch_size=8, augment="strong", seed=7)  # fmt: skip


@pytest.mark.parametrize("word", ["all", "none", "auto"])
def test_the_freeze_depth_may_be_a_word(word):
    assert parse("--freeze", word).frozen_stages == word


def test_every_field_has_a_flag_with_help(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    shown = capsys.readouterr().out
    for declared in fields(Recipe):
        assert flags.flag_name(declared) in shown
        assert declared.metadata["help"][:20] in " ".join(shown.split())
