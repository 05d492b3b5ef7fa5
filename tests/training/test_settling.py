"""Automatic choices: each is made by a plain rule and gives its reason."""

from dataclasses import replace

import pytest

from tlcore.backbones import table
from tlcore.errors import RecipeError
from tlcore.images.dataset import Dataset, Picture
from tlcore.images.split import Split
from tlcore.training import settling
from tlcore.training.recipe import Recipe


def pictures(counts: dict[str, int], side: int = 500) -> tuple[Dataset, Split]:
    """Return a dataset in which the first six tenths of each class train and the rest is for check and exam."""
    rows = [(name, label, number) for label, (name, count) in enumerate(counts.items()) for number in range(count)]
    listed = tuple(Picture(f"{name}/{n}.png", label, f"{name}{n}", side, side) for name, label, n in rows)
    parts = [[row for row, (_, _, n) in enumerate(rows) if n % 10 in kept] for kept in (range(6), (6, 7), (8, 9))]
    return Dataset(root=None, class_names=tuple(counts), pictures=listed), Split(*map(tuple, parts))


def settle(recipe: Recipe, counts: dict[str, int] | None = None, side: int = 500) -> settling.Settled:
    return settling.settle(recipe, *pictures(counts or {"cats": 100, "dogs": 100}, side))


@pytest.fixture(autouse=True)
def empty_keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))


def test_nothing_is_left_open_and_every_choice_has_its_reason():
    settled = settle(Recipe())
    left = ("rotation", "horizontal_flip", "vertical_flip", "zoom", "crop", "brightness", "contrast")
    left += ("views", "precision", "xla", "engine", "step_parts")  # settled by the run itself, by timing
    assert [name for name, value in vars(settled.recipe).items() if value in (None, "auto") and name not in left] == []
    for word in ("Backbone", "Picture size", "Freeze depth", "Batch size", "epochs", "Patience", "Learning rate"):
        assert any(word in reason for reason in settled.reasons)


def test_a_settled_recipe_settles_to_itself_without_further_reasons():
    settled = settle(Recipe())
    assert settle(settled.recipe) == settling.Settled(settled.recipe, ())


def test_what_the_user_chose_is_never_changed():
    chosen = Recipe(backbone="vgg16", frozen_stages=2, image_size=64, epochs=3, patience=2, batch_size=5, head_lr=0.1,
                    backbone_lr=0.01, class_weights=True, threads=3)  # fmt: skip
    assert settle(chosen).recipe == chosen


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(frozen_stages=2), "Learning rate 0.001 (new final layers) and 0.0001 (last open stage):"),
        (Recipe(frozen_stages="all"), "Learning rate 0.001 (new final layers):"),
        (Recipe(frozen_stages=2, head_lr=10.0), "Learning rate 0.0001 (last open stage):"),
        (Recipe(frozen_stages="all", head_lr=10.0), ""),
    ],
)
def test_only_rates_that_thaw_chose_and_that_count_are_called_its_choice(recipe, said):
    reasons = [reason for reason in settle(recipe).reasons if reason.startswith("Learning rate")]
    assert len(reasons) == bool(said) and all(reason.startswith(said) for reason in reasons)


def test_where_no_weights_were_fetched_thaws_own_is_taken_and_that_is_said():
    settled = settle(Recipe())
    assert settled.recipe.backbone == "thawnet" and settled.recipe.image_size == 128
    assert "Backbone thawnet: it comes with Thaw, and nothing that sees more is on this computer." in settled.reasons


def test_weights_on_this_computer_are_preferred_and_that_is_said(tmp_path):
    row = table.get("resnet50_v2")
    (tmp_path / "models").mkdir()
    with (tmp_path / "models" / row.weights_file).open("wb") as file:
        file.truncate(row.parameters * 4 + 100_000)
    settled = settle(Recipe())
    assert settled.recipe.backbone == "resnet50_v2"
    assert any("on this computer" in reason for reason in settled.reasons)


@pytest.mark.parametrize(("per_class", "depth"), [(20, "all"), (79, "all"), (200, 4)])
def test_few_pictures_freeze_everything_and_many_open_the_last_stage(per_class, depth):
    settled = settle(Recipe(backbone="mobilenet_v2_100"), {"cats": 500, "dogs": per_class})
    assert settled.recipe.frozen_stages == depth


@pytest.mark.parametrize(("side", "size"), [(32, 96), (80, 128), (100, 160), (144, 224), (500, 224)])
def test_small_pictures_are_enlarged_by_half_at_most(side, size):
    assert settle(Recipe(backbone="mobilenet_v2_100"), side=side).recipe.image_size == size


def test_unbalanced_classes_get_weights_and_balanced_ones_do_not():
    assert settle(Recipe(), {"cats": 100, "dogs": 90}).recipe.class_weights is False
    assert settle(Recipe(), {"cats": 300, "dogs": 30}).recipe.class_weights is True


def test_class_weights_follow_the_square_root_and_are_one_on_average():
    dataset, split = pictures({"cats": 400, "dogs": 100})
    weights = settling.weights_of_classes(dataset, split)
    assert weights[1] / weights[0] == pytest.approx(2.0)
    labels = [dataset.pictures[row].label for row in split.train]
    assert sum(weights[label] for label in labels) / len(labels) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(backbone="mobilenet_v2_100", frozen_stages=9), "5 stages"),
        (Recipe(backbone="inception_v3", image_size=48), "at least 75 px"),
        (Recipe(backbone="no_such_network"), "no backbone"),
    ],
)
def test_a_choice_that_does_not_fit_the_backbone_is_refused(recipe, words):
    with pytest.raises(RecipeError, match=words):
        settle(recipe)


def test_sigmoid_is_refused_for_three_classes():
    three = {"cats": 50, "dogs": 50, "birds": 50}
    with pytest.raises(RecipeError, match="3 classes"):
        settle(Recipe(activation="sigmoid"), three)
    assert settle(replace(Recipe(), activation="sigmoid")).recipe.activation == "sigmoid"
