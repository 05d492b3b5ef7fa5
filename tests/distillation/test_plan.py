import pytest

from distillation import plan
from distillation.plan import Plan


def test_rounds_are_read_as_they_are_written():
    assert plan.rounds("64x3,96x1, 128") == (64, 64, 64, 96, 128)


@pytest.mark.parametrize("text", ["", "64y3", "x3", "64x", "64x3,,96x1", "64.5x2"])
def test_rounds_written_otherwise_are_refused(text):
    with pytest.raises(ValueError, match="rounds are written as"):
        plan.rounds(text)


@pytest.mark.parametrize("sizes", [(), (16,), (64, 160)])
def test_picture_sizes_a_view_cannot_have_are_refused(sizes):
    with pytest.raises(ValueError, match="from 32 to 128"):
        Plan(sizes)


def test_shards_that_do_not_fill_batches_are_refused():
    with pytest.raises(ValueError, match="multiple of batch_size"):
        Plan((64,), shard_views=100)


def test_every_round_drops_the_oldest_shard_and_adds_one():
    tried = Plan((64, 64, 64), bank_shards=4)

    assert [list(tried.shards_of(number)) for number in range(3)] == [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]]


def test_the_learning_rate_rises_stays_and_falls_to_nothing():
    tried = Plan((64,) * 10, learning_rate=1.0, warmup_steps=100, decay_from=0.5)
    rates = [tried.rate_at(step) for step in range(tried.steps)]

    assert rates[0] == 0.01 and rates[99:101] == [1.0, 1.0]
    assert rates[tried.steps // 2 - 1] == 1.0
    falling = rates[tried.steps // 2 :]
    assert falling == sorted(falling, reverse=True) and falling[-1] < 1e-5


def test_a_plan_survives_json():
    tried = Plan((64, 96), seed=7)

    assert plan.from_dict(plan.as_dict(tried)) == tried
