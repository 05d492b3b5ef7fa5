"""How far, how fast, how long still."""

import pytest

from tlcore.runs import events, pace

PHASE = events.PhaseStarted("head", 1, 10, 4, 10, 100, time=1000.0)


def test_before_training_nothing_is_said():
    assert pace.measure([]) == pace.Pace(0, 0, 0.0, None, None)
    assert pace.measure([PHASE]) == pace.Pace(1, 10, 0.0, None, None)


def test_in_the_first_epoch_the_steps_so_far_tell():
    half = events.BatchEnd(1, 2, 1.0, 0.5, 80.0, time=1003.0)
    assert pace.measure([PHASE, half]) == pace.Pace(1, 10, 0.05, 80.0, pytest.approx(9.5 * 6))


def test_later_the_last_epochs_tell():
    ends = [events.EpochEnd(n, "head", 1, 0, 1, 0, 1e-3, duration, False) for n, duration in ((1, 30.0), (2, 10.0))]
    assert pace.measure([PHASE, *ends]).left_s == pytest.approx(8 * 20)
    assert pace.measure([PHASE, *ends]).epoch == 3
    assert pace.measure([PHASE, *ends, events.BatchEnd(3, 2, 1, 0, 50.0)]).share == pytest.approx(0.25)


def test_the_second_phase_does_not_trust_the_pace_of_the_first():
    first = [PHASE, events.EpochEnd(1, "head", 1, 0, 1, 0, 1e-3, 1.0, False)]
    second = events.PhaseStarted("fine-tuning", 2, 5, 4, 60, 100, time=2000.0)
    assert pace.measure([*first, second]).left_s is None
    step = events.BatchEnd(2, 1, 1.0, 0.5, 20.0, time=2005.0)
    assert pace.measure([*first, second, step]).left_s == pytest.approx(3.75 * 20)


def test_of_a_first_phase_only_its_own_end_is_foretold():
    ended = events.EpochEnd(1, "head", 1, 0, 1, 0, 1e-3, 2.0, False)
    found = pace.measure([events.PhaseStarted("head", 1, 3, 4, 10, 100), ended], planned_epochs=10)
    assert (found.epoch, found.last_epoch, found.left_s, found.is_last_phase) == (2, 10, pytest.approx(4.0), False)


def test_time_at_work_leaves_waiting_and_pauses_out():
    def at(time: float, kind, *values):
        return kind(*values, time=time)

    first = [at(0, events.Queued), at(10, events.Started, "CPU", "a"), at(40, events.Paused, 2)]
    assert pace.worked(first[:1]).until_s(99) == 0
    assert pace.worked(first[:2]).until_s(25) == 15
    assert pace.worked(first).until_s(99) == 30
    again = [*first, at(100, events.Resumed), at(120, events.Started, "CPU", "a"), at(150, events.Trained, 3)]
    assert pace.worked(again).until_s(155) == 65
    assert pace.worked([*again, at(160, events.Finished, 0.9, 9, 3)]).until_s(999) == 70
    stopped = [*first[:2], at(40, events.Stopped, 2), at(45, events.Finished, 0.9, 9, 2)]
    assert pace.worked(stopped).until_s(999) == 35
    killed = [*first[:2], at(30, events.WentOn, 0, 0), at(500, events.Resumed), at(510, events.Started, "CPU", "a")]
    assert pace.worked(killed).until_s(520) == 30


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (42, "40 seconds"), (100, "2 minutes"), (3600, "60 minutes"), (7500, "2 hours 5 minutes")],
)
def test_times_are_said_as_people_say_them(seconds, words):
    assert pace.in_words(seconds) == words
