"""Batches: the same ones for the same seed, epoch and place; every picture once an epoch."""

import keras
import numpy as np
import pytest

from tlcore.training import augmentation
from tlcore.training.batches import Batches, FollowEpoch, ShuffledFeatures, ShuffledViews, TrainingBatches

PIXELS = np.random.default_rng(0).integers(0, 256, (11, 8, 8, 3)).astype("uint8")
TARGETS = np.arange(11, dtype="int32")
ROWS = (0, 2, 3, 5, 7, 8, 10)


def views(epoch: int, seed: int = 1, preset: str = "strong") -> ShuffledViews:
    strengths = augmentation.PRESETS[preset]
    return ShuffledViews(PIXELS, ROWS, TARGETS, 3, strengths=strengths, seed=seed, epoch=epoch)


def same(first, second) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_check_pictures_come_in_their_order_and_the_last_batch_may_be_smaller():
    batches = Batches(PIXELS, ROWS, TARGETS, 3)
    assert len(batches) == 3
    found = [batches[index] for index in range(3)]
    assert [targets.tolist() for _, targets in found] == [[0, 2, 3], [5, 7, 8], [10]]
    assert np.array_equal(np.concatenate([pictures for pictures, _ in found]), PIXELS[list(ROWS)])


def test_every_epoch_has_every_training_picture_once_in_an_order_of_its_own():
    orders = []
    for epoch in (1, 2):
        batches = views(epoch)
        orders.append([int(target) for index in range(len(batches)) for target in batches[index][1]])
    assert sorted(orders[0]) == sorted(orders[1]) == list(ROWS)
    assert orders[0] != orders[1]


def test_any_batch_can_be_made_again_and_seed_and_epoch_change_it():
    assert same(views(3)[1], views(3)[1])
    assert not same(views(3)[1], views(4)[1])
    assert not same(views(3)[1], views(3, seed=2)[1])


def test_without_random_views_the_pictures_are_the_pictures_themselves():
    pictures, targets = views(1, preset="none")[0]
    assert np.array_equal(pictures, PIXELS[targets])


@pytest.mark.parametrize("first", [1, 4])
def test_keras_gets_the_batches_of_the_epoch_that_it_trains(first):
    """Keras ends an epoch once more than it begins one, so the batches must not count by themselves."""
    seen = []

    class Recorded(ShuffledViews):
        def __getitem__(self, index):
            seen.append((self.epoch, index))
            return super().__getitem__(index)

    class Watched(keras.Model):
        def train_step(self, data):
            return {"loss": 0.0 * keras.ops.sum(keras.ops.cast(data[0], "float32"))}

    batches = Recorded(PIXELS, ROWS, TARGETS, 3, strengths=augmentation.PRESETS["none"], seed=1, epoch=first)
    model = Watched()
    model.compile(run_eagerly=True)
    model.fit(batches, initial_epoch=first - 1, epochs=first + 1, shuffle=False, verbose=0,
              callbacks=[FollowEpoch(batches)])  # fmt: skip
    for epoch in (first, first + 1):
        assert [index for seen_epoch, index in seen if seen_epoch == epoch][-3:] == [0, 1, 2]
    assert {epoch for epoch, _ in seen} == {first, first + 1}


def kept(views: int, epoch: int = 1, seed: int = 1) -> tuple[ShuffledFeatures, list[int]]:
    """Batches of three pictures of features in which every number says picture and view."""
    asked: list[int] = []

    def view(number: int) -> np.ndarray:
        asked.append(number)
        return (np.arange(10)[:, None] + 100 * number + np.zeros(4)).astype("float16")

    return ShuffledFeatures(
        view, np.arange(10), 3, views=views, seed=seed, epoch=epoch, first_epoch=1
    ), asked  # fmt: skip


def epoch_of(batches: ShuffledFeatures, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    batches.begin(epoch)
    found = [batches[index] for index in range(len(batches))]
    return np.concatenate([features for features, _ in found]), np.concatenate([targets for _, targets in found])


def test_every_epoch_draws_one_view_of_every_picture_from_those_that_are_there():
    batches, asked = kept(views=3)
    seen = []
    for epoch in (1, 2, 3, 4, 5, 6):
        features, targets = epoch_of(batches, epoch)
        assert features.dtype == np.float32 and features.shape == (10, 4)
        assert np.array_equal(features[:, 0] % 100, targets) and sorted(targets) == list(range(10))
        seen.append(set((features[:, 0] // 100).astype(int)))
        assert asked == list(range(min(epoch, 3)))
    assert seen[0] == {0} and seen[1] <= {0, 1}
    assert set().union(*seen) == {0, 1, 2}


def test_a_training_that_ends_early_never_makes_the_views_it_did_not_need():
    batches, asked = kept(views=8)
    epoch_of(batches, 2)
    assert asked == [0, 1]


def test_batches_of_features_can_be_made_again_too():
    first, second = (epoch_of(kept(views=4)[0], 5) for _ in range(2))
    assert same(first, second)
    assert not same(first, epoch_of(kept(views=4, seed=2)[0], 5))
    assert not np.array_equal(first[1], epoch_of(kept(views=4)[0], 6)[1])


@pytest.mark.parametrize(("count", "parts"), [(16, 2), (17, 4), (21, 3), (3, 4)])
def test_batches_in_parts_give_every_picture_in_the_order_of_whole_ones(count, parts):
    pictures = np.zeros((count, 4, 4, 3), "uint8")
    whole = TrainingBatches(pictures, range(count), np.arange(count), 8, seed=1, epoch=2)
    in_parts = TrainingBatches(pictures, range(count), np.arange(count), 8, seed=1, epoch=2)
    in_parts.parts = parts
    assert len(in_parts) == parts * len(whole)
    drawn = [in_parts.drawn(index) for index in range(len(in_parts))]
    assert all(len(rows) > 0 for rows in drawn)
    assert [in_parts.seen(done) for done in range(len(drawn) + 1)] == [0, *np.cumsum([len(rows) for rows in drawn])]
    for batch in range(len(whole)):
        rows = np.concatenate(drawn[batch * parts : (batch + 1) * parts])
        assert np.array_equal(rows[: len(whole.drawn(batch))], whole.drawn(batch))
