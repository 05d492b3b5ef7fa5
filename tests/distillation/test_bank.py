import numpy as np
import pytest

from distillation.answers import Answers
from distillation.bank import Bank
from distillation.lessons import Lessons, as_targets
from distillation.plan import Plan

PLAN = Plan((64, 128), shard_views=8, batch_size=4, bank_shards=2)


def shard(seed):
    """Views of one colour each, with answers that carry the same number."""
    draws = np.random.default_rng(seed)
    numbers = draws.integers(0, 200, 8)
    views = np.tile(numbers[:, None, None, None], (1, 128, 128, 3)).astype("uint8")
    views[:, :, :64] += 50  # the left half is lighter, so that a mirror image can be told
    middle = np.tile(numbers[:, None, None, None], (1, 4, 4, 96)).astype("float16")
    final = np.tile(numbers[:, None, None, None], (1, 2, 2, 1280)).astype("float16")
    final[:, :, 0] += 50
    return views, Answers(middle, final, draws.normal(size=(8, 1000)).astype("float16"))


@pytest.fixture
def bank(tmp_path):
    made = Bank(tmp_path / "bank")
    for number in range(3):
        made.add(number, *shard(number))
    return made


def test_only_the_shards_of_the_round_are_kept(bank):
    bank.keep_only(PLAN.shards_of(1))

    assert [bank.has(number) for number in range(4)] == [False, True, True, False]


def test_a_shard_left_unfinished_does_not_count_and_is_made_anew(bank):
    (bank.folder / "unfinished-0007").mkdir()
    (bank.folder / "unfinished-0007" / "views.npy").write_bytes(b"half")
    assert not bank.has(7)

    bank.add(7, *shard(7))
    with bank.open([7]) as opened:
        assert np.array_equal(opened.batch(np.arange(8)).views, shard(7)[0])


def test_a_round_shows_every_view_once_with_the_answer_to_it(bank):
    targets = bank.targets(0)
    seen = []
    with bank.open([1, 2]) as opened:
        lessons = Lessons(opened, targets, PLAN, 0)
        for number in range(len(lessons)):
            views, answers = lessons[number]
            assert views.shape == (4, 64, 64, 3) and views.dtype == np.uint8
            final = answers["final"] * targets.final_deviation + targets.final_mean
            np.testing.assert_allclose(final[:, 0, 0, 0], views[:, 0, 0, 0], atol=0.3)
            np.testing.assert_allclose(final[:, 0, 1, 0], views[:, 0, -1, 0], atol=0.3)
            seen += list(views.min((1, 2, 3)))

    assert sorted(seen) == sorted([*shard(1)[0].min((1, 2, 3)), *shard(2)[0].min((1, 2, 3))])


def test_some_views_come_mirrored_and_a_later_round_in_another_order(bank):
    targets = bank.targets(0)
    with bank.open([1, 2]) as opened:
        first, later = (
            np.concatenate([lessons[number][0].reshape(4, -1) for number in range(len(lessons))])
            for lessons in (Lessons(opened, targets, PLAN, 1), Lessons(opened, targets, PLAN, 1))
        )
        other = Lessons(opened, targets, PLAN, 0)[0][0]
        mirrored = first.reshape(-1, 128, 128, 3)[:, 0, 0, 0] < first.reshape(-1, 128, 128, 3)[:, 0, -1, 0]

    assert np.array_equal(first, later)
    assert 0 < mirrored.sum() < len(mirrored)
    assert other.shape[1] == 64


def test_targets_have_mean_nought_and_deviation_one_and_scores_are_probabilities(bank):
    _, answers = shard(0)
    wanted = as_targets(answers, bank.targets(0), temperature=2.0)

    for name in ("middle", "final"):
        assert abs(wanted[name].mean()) < 1e-2 and wanted[name].std() == pytest.approx(1, abs=1e-2)
    assert wanted["pooled"].std() == pytest.approx(1, abs=1e-2)
    assert wanted["scores"].min() > 0 and wanted["scores"].sum(1) == pytest.approx(1, abs=1e-4)
