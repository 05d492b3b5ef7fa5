"""The supervisor and the wish to pause: how long a worker is waited for, and what is said afterwards."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tlcore.runs import ending, events, position, supervisor
from tlcore.runs import run as runs


def test_a_pause_that_was_taken_back_leaves_the_next_one_all_its_time(new_run, monkeypatch):
    run, worker = new_run(), subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(supervisor, "PAUSE_GRACE_S", 2.0)
    began, seen = time.monotonic(), []

    def tick() -> None:
        passed = time.monotonic() - began
        if passed < 0.5 or 2.5 < passed < 3:
            runs.ask_to_pause(run)
        elif passed < 2.5:
            run.pause_file.unlink(missing_ok=True)  # as a worker does that has no room for the place
        else:
            seen.append(worker.poll())
            worker.kill()

    supervisor._watch(run, worker, tick, may_stop=True)
    assert seen[0] is None


def test_a_place_that_is_being_written_is_waited_for_however_slow_the_disk_is(new_run, monkeypatch):
    run, worker = new_run(), subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(supervisor, "PAUSE_GRACE_S", 0.3)
    run.checkpoints.mkdir()
    (run.checkpoints / ".place-000002.half.npz").touch()
    runs.ask_to_pause(run)
    began, seen = time.monotonic(), []

    def tick() -> None:
        if not seen and time.monotonic() - began > 1.0:
            seen.append(worker.poll())
            position.sweep(run.checkpoints)

    assert supervisor._watch(run, worker, tick, may_stop=True) != 0  # killed: now it writes nothing
    assert seen == [None]


@pytest.mark.parametrize(
    ("code", "ended", "is_exact"),
    [(supervisor.PAUSED, 2, True), (supervisor.PAUSED, 3, False), (-signal.SIGTERM, 2, False)],
)
def test_a_pause_says_whether_it_goes_on_from_exactly_where_it_was(new_run, code, ended, is_exact):
    run = new_run()
    place = position.Place("head", 1, True, 0, 3, 0, 2, None, 1.0, 1.0, 0)
    run.checkpoints.mkdir()
    np.savez(run.checkpoints / "place-000001.npz", place=position.as_array(place))
    run.events.write(events.EpochEnd(ended, "head", 1.0, 0.5, 1.0, 0.5, 0.1, 1.0, True))
    runs.ask_to_pause(run)
    supervisor._end(run, code, lambda: None)
    paused = events.last(run.events.all(), events.Paused)
    assert (paused.epoch, paused.is_exact) == (2, is_exact)
    said = ending.sentence("paused", run.events.all(), is_stop_asked=False)
    assert ("exactly where it was" in said) == is_exact
