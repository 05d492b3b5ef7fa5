"""The recipe: checked, saved, loaded."""

import json
from dataclasses import replace

import pytest

from tlcore.errors import RecipeError
from tlcore.training import augmentation, recipe
from tlcore.training.recipe import Recipe


def test_a_recipe_comes_back_as_it_was_saved(tmp_path):
    asked = Recipe(backbone="vgg16", frozen_stages=3, augment="strong", rotation=10.0, horizontal_flip=False)
    recipe.save(asked, tmp_path / "recipe.json")
    assert recipe.load(tmp_path / "recipe.json") == asked


def test_a_recipe_of_an_older_thaw_lacks_fields_and_still_opens(tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps({"backbone": "vgg16", "a_field_of_the_future": 1}))
    assert recipe.load(tmp_path / "recipe.json") == Recipe(backbone="vgg16")


def test_the_defaults_are_allowed():
    assert recipe.check(Recipe()) == Recipe()


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "magic"},
        {"epochs": 0},
        {"head_lr": 11.0},
        {"dropout": 1.0},
        {"frozen_stages": "some"},
        {"frozen_stages": -1},
        {"frozen_stages": True},
        {"validation_share": 0.5, "test_share": 0.5},
        {"head_lr": float("nan")},
    ],
)
def test_a_choice_out_of_range_is_refused_with_what_to_do(change):
    with pytest.raises(RecipeError) as caught:
        recipe.check(replace(Recipe(), **change))
    assert caught.value.problem and caught.value.advice


@pytest.mark.parametrize(("asked", "count"), [("all", 5), ("none", 0), (0, 0), (3, 3), (5, 5)])
def test_freeze_depth_counts_stages_from_the_image_side(asked, count):
    assert recipe.frozen_count(Recipe(frozen_stages=asked), 5) == count


def test_more_frozen_stages_than_there_are_is_an_error_that_names_the_range():
    with pytest.raises(RecipeError, match=r"from 0 .* to 5"):
        recipe.frozen_count(Recipe(backbone="vgg16", frozen_stages=6), 5)


def test_the_presets_of_the_recipe_are_those_of_the_augmentation():
    assert set(recipe.PRESETS) == set(augmentation.PRESETS)
