"""When a waiting run is expected to begin."""

import time

import filelock
import pytest

from tlcore import atomic, workspace
from tlcore.runs import events, queue, slots, turn
from tlcore.runs import run as runs
from tlcore.training import recipe as recipes


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("THAW_DEVICES", "1")


@pytest.fixture
def busy(new_run):
    """A run that has the device."""
    run = new_run(epochs=10)
    with filelock.FileLock(slots.lock_file(0)):
        slots.note(0, run.folder)
        yield run


@pytest.fixture
def third(tmp_path):
    """A run of which two others stand before."""
    for name in ("a", "b", "c"):
        folder = tmp_path / "waiting" / name
        folder.mkdir(parents=True)
        queue.enter(folder, "me")
    return runs.Run(folder)


def usually(seconds: float) -> None:
    atomic.write_json(workspace.home() / "queue" / "durations.json", [1.0, seconds, 900.0])


def test_a_run_that_is_not_in_line_has_no_turn(new_run):
    assert turn.of(new_run()) is None


def test_the_next_one_begins_at_once_where_a_device_is_free(tmp_path, third):
    assert turn.of(runs.Run(tmp_path / "waiting" / "a")) == turn.Turn(1, 3, 0.0)


def test_as_long_as_nothing_is_known_nothing_is_foretold(third, busy, tmp_path):
    assert turn.of(third) == turn.Turn(3, 3, None)
    assert turn.of(runs.Run(tmp_path / "waiting" / "a")) == turn.Turn(1, 3, None)


def test_the_pace_of_who_has_the_device_and_what_runs_usually_take_tell(third, busy):
    usually(60.0)
    assert turn.of(third).starts_in_s == pytest.approx(3 * 60, abs=5)
    recipes.save(busy.recipe(), busy.resolved_file)
    busy.events.write(events.PhaseStarted("head", 1, 10, 4, 10, 100))
    busy.events.write(events.EpochEnd(6, "head", 1, 0, 1, 0, 1e-3, 5.0, True))
    turn._left_s.cache_clear()
    assert turn.of(third).starts_in_s == pytest.approx(4 * 5 + 2 * 60)


@pytest.fixture
def first(third, tmp_path):
    """The run that is next."""
    return runs.Run(tmp_path / "waiting" / "a")


def have_held_for(busy, seconds: float) -> None:
    noted = workspace.home() / "queue" / "device-0.json"
    atomic.write_json(noted, {"run": str(busy.folder), "since": time.time() - seconds})


def test_as_long_as_a_device_is_held_nobody_begins_at_once(first, busy):
    usually(60.0)
    have_held_for(busy, 600)  # it took longer than usual, and says nothing about how long it still will
    assert turn.of(first) == turn.Turn(1, 3, 60.0)
    recipes.save(busy.recipe(), busy.resolved_file)
    busy.events.write(events.PhaseStarted("head", 1, 10, 4, 10, 100))
    busy.events.write(events.EpochEnd(10, "head", 1, 0, 1, 0, 1e-3, 5.0, True))
    turn._left_s.cache_clear()
    assert turn.of(first).starts_in_s == 1.0  # the last epoch is over, and the results are not there yet


@pytest.mark.parametrize("end", [events.Trained(3), events.Stopped(3), events.Interrupted(3, "Ended.", "Go on.")])
def test_epochs_that_nobody_will_learn_any_more_are_not_waited_for(first, busy, end):
    usually(60.0)
    recipes.save(busy.recipe(), busy.resolved_file)
    busy.events.write(events.PhaseStarted("head", 1, 10, 4, 10, 100))
    busy.events.write(events.EpochEnd(4, "head", 1, 0, 1, 0, 1e-3, 100.0, True))
    busy.events.write(end)
    turn._left_s.cache_clear()
    assert turn.of(first).starts_in_s == 1.0


def test_two_devices_take_turns(third, busy, monkeypatch):
    monkeypatch.setenv("THAW_DEVICES", "2")
    usually(60.0)
    assert turn.of(third).starts_in_s == pytest.approx(60.0, abs=5)


def test_what_runs_took_is_remembered_and_the_middle_one_counts(new_run):
    run = new_run()
    assert slots.usual_s() is None
    for seconds in (5.0, 50.0, 30.0):
        slots.note(0, run.folder)
        noted = workspace.home() / "queue" / "device-0.json"
        atomic.write_json(noted, {"run": str(run.folder), "since": time.time() - seconds})
        slots.note_end(0)
    assert slots.usual_s() == pytest.approx(30.0, abs=1)
    assert slots.holder(0) is None  # nobody holds the lock


def test_notes_that_a_loss_of_power_has_damaged_are_as_if_there_were_none(third, busy):
    folder = workspace.home() / "queue"
    for name in ("durations.json", "device-0.json"):
        (folder / name).write_text("")
    assert turn.of(third) == turn.Turn(3, 3, None)
