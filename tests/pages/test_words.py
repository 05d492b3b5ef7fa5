"""Words on screen."""

from dataclasses import fields, replace

import pytest

from pages.parts import words
from tlcore.training.recipe import Recipe


@pytest.mark.parametrize(
    ("frozen", "said"),
    [
        ("all", "all 5 stages frozen"),
        (5, "all 5 stages frozen"),
        (4, "4 of 5 stages frozen"),
        (0, "nothing frozen"),
        ("none", "nothing frozen"),
        ("auto", "freeze depth chosen by Thaw"),
    ],
)
def test_a_freeze_depth_is_said_with_the_number_of_stages(frozen, said):
    assert words.depth(Recipe("vgg16", frozen_stages=frozen)) == said


@pytest.mark.parametrize(("frozen", "said"), [("all", "all stages frozen"), (1, "1 stage frozen")])
def test_of_a_backbone_that_is_gone_the_number_of_stages_stays_open(frozen, said):
    assert words.depth(Recipe("gone", frozen_stages=frozen)) == said


def test_there_are_words_for_every_choice():
    assert set(words.CHOICES) == {declared.name for declared in fields(Recipe)} - {"backbone", "frozen_stages"}


def test_choices_of_ones_own_are_said_and_those_of_thaw_are_not():
    assert words.choices(Recipe("vgg16", frozen_stages=3)) == ""
    asked = Recipe("vgg16", epochs=1, image_size=96, optimizer="sgd", augment="none")
    assert words.choices(asked) == "at most 1 epoch, 96 px, no random views, SGD"
    assert words.choices(replace(asked, seed=3, rotation=20.0)).endswith("SGD, 2 more")
    assert words.choices(Recipe(rotation=20.0, zoom=0.25)) == "turned by up to 20°, zoom 25%"
