"""What a phase learns from: features where something is frozen, pictures where that is not possible, and why."""

import numpy as np
import pytest

from tlcore import pins
from tlcore.images import pixels, split
from tlcore.training import augmentation, calibration, classifier, freezing, supply
from tlcore.training.batches import ShuffledFeatures, ShuffledViews
from tlcore.training.features import Source
from tlcore.training.recipe import Recipe
from tlcore.training.supply import Material, Supplier


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


@pytest.fixture
def prepared(drawn_dataset, tmp_path):
    """Return a function that prepares a supplier; keywords change the recipe."""

    def prepare(**choices) -> tuple[Supplier, list[str]]:
        recipe = Recipe(**{"backbone": "mobilenet_025", "image_size": 32, "batch_size": 8, "epochs": 9} | choices)
        array = pixels.pixels(drawn_dataset, 32)
        parts = classifier.build(recipe, 2, weights=None)
        calibration.calibrate(parts.model, array[:8])
        freezing.freeze(parts, 5)
        source = Source(drawn_dataset, array, "crop", augmentation.from_recipe(recipe), 0)
        labels = np.array([picture.label for picture in drawn_dataset.pictures])
        material = Material(source, split.draw(drawn_dataset, 0.2, 0.3, 0), labels, parts, recipe.backbone)
        said: list[str] = []
        return Supplier(material, recipe, lambda done, total: None, said.append, tmp_path / "run"), said

    return prepare


def test_something_frozen_means_features_and_one_epoch_is_all_training_pictures(prepared):
    supplier, said = prepared(augment="none")
    found = supplier.phase(5, 1)
    assert isinstance(found.training, ShuffledFeatures) and found.model.input_shape == (None, 256)
    drawn = np.concatenate([found.training[index][1] for index in range(len(found.training))])
    part = supplier.material.split
    assert sorted(drawn) == sorted(supplier.material.targets[list(part.train)])
    assert len(found.validation) == 1
    assert np.array_equal(found.validation[0][1], supplier.material.targets[sorted(part.validation)])
    assert "kept" in found.reason and said == []


def test_nothing_frozen_means_pictures(prepared):
    supplier, said = prepared()
    found = supplier.phase(0, 1)
    assert isinstance(found.training, ShuffledViews) and found.model is supplier.material.parts.model
    assert said == [] and found.reason == ""


def test_new_views_in_every_epoch_mean_pictures_and_without_random_views_they_do_not_matter(prepared):
    assert isinstance(prepared(views=0, augment="strong")[0].phase(5, 1).training, ShuffledViews)
    assert isinstance(prepared(views=0, augment="none")[0].phase(5, 1).training, ShuffledFeatures)


def test_the_number_of_views_is_settled_once_and_said(prepared):
    supplier, said = prepared(augment="light")
    first = supplier.phase(5, 1).training
    assert supplier.recipe.views == first.views
    assert supply.LEAST_VIEWS <= first.views <= supplier.recipe.epochs
    assert len(said) == 1 and f"{first.views} views" in said[0]
    assert supplier.phase(3, 4).training.views == first.views
    assert len(said) == 1
    asked = prepared(augment="light", views=7)
    assert asked[0].phase(5, 1).training.views == 7 and asked[1] == []


def test_more_views_than_epochs_are_never_made(prepared):
    assert prepared(augment="light", epochs=2)[0].phase(5, 1).training.views == 2


def test_features_that_are_worth_less_than_their_disk_are_not_kept_and_that_is_said(prepared, monkeypatch):
    monkeypatch.setattr(supply, "WORTH", 1.0)
    supplier, said = prepared()
    assert isinstance(supplier.phase(1, 1).training, ShuffledViews)
    assert "every epoch computes it again" in said[0] and "Freeze more stages" in said[0]


def test_features_for_which_there_is_no_room_are_not_kept_and_that_is_said(prepared, monkeypatch):
    monkeypatch.setenv("THAW_CACHE_GB", "0.00001")
    supplier, said = prepared()
    assert isinstance(supplier.phase(5, 1).training, ShuffledViews)
    assert "THAW_CACHE_GB" in said[0]


def test_what_a_run_has_kept_already_counts_as_room_and_what_others_keep_does_not(prepared, tmp_path, monkeypatch):
    supplier, _ = prepared(augment="none")
    (tmp_path / "run").mkdir()
    supplier.phase(5, 1)
    own = sum(file.stat().st_size for file in pins.pinned_by(tmp_path / "run"))
    monkeypatch.setenv("THAW_CACHE_GB", str(2.1 * own / 1e9))
    again, said = prepared(augment="none")
    assert isinstance(again.phase(5, 1).training, ShuffledFeatures) and said == []
    other, said = prepared(augment="none")
    other.run = tmp_path / "other"
    assert isinstance(other.phase(5, 1).training, ShuffledViews)
    assert "Runs that are not over need" in said[0]


def test_random_views_differ_from_the_clean_pictures_and_from_each_other(prepared):
    training = prepared(augment="strong", views=3)[0].phase(5, 1).training
    views = [np.array(training.view(number)) for number in range(3)]
    assert not np.array_equal(views[0], views[1]) and not np.array_equal(views[1], views[2])
