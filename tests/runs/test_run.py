"""State of a run: computed from events, wishes and the lock."""

import subprocess
import sys
import time

import filelock
import pytest

from tlcore.runs import events
from tlcore.runs import run as runs

HOLD = """
import filelock, sys, time
with filelock.FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def held(new_run):
    """A new run whose lock another process holds, and that process."""
    run = new_run()
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(run.lock_file)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    yield run, holder
    holder.kill()
    holder.wait()


def started() -> events.Started:
    return events.Started("CPU", "A processor")


def test_a_run_comes_back_from_its_folder_as_it_was_made(new_run):
    run = new_run(batch_size=4)
    again = runs.Run(run.folder)
    assert again.recipe().batch_size == 4
    assert again.dataset().counts() == {"cold": 20, "warm": 20}
    assert len(again.split().train) + len(again.split().validation) + len(again.split().test) == 40


def test_a_new_run_waits(new_run):
    assert runs.state(new_run()) == "waiting"


def test_a_run_that_nobody_took_up_has_crashed(new_run):
    run = new_run()
    long_ago = [events.Queued(time=time.time() - 2 * runs.HANDOVER_S)]
    assert runs.state(run, long_ago) == "crashed"


def test_a_locked_run_waits_then_runs_then_stops_then_makes_its_results(held):
    run, _ = held
    assert runs.state(run) == "waiting"
    run.events.write(started())
    assert runs.state(run) == "running"
    runs.ask_to_stop(run)
    assert runs.state(run) == "stopping"
    run.events.write(events.Stopped(2))
    assert runs.state(run) == "finishing"


def test_a_run_that_is_trained_makes_its_results_even_when_a_stop_comes_late(held):
    run, _ = held
    run.events.write(started())
    run.events.write(events.Trained(1))
    runs.ask_to_stop(run)
    assert runs.state(run) == "finishing"


def test_a_run_whose_process_was_killed_has_crashed_although_no_event_says_so(held):
    run, holder = held
    run.events.write(started())
    holder.kill()  # and not waited for: its entry in the list of processes still stands
    deadline = time.monotonic() + 10
    while runs.is_locked(run) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert runs.state(run) == "crashed"


def test_a_run_that_ends_well_between_two_looks_has_not_crashed(new_run):
    run = new_run()
    run.events.write(started())
    seen_before = run.events.all()
    run.events.write(events.Finished(0.9, 10, 2))
    assert runs.state(run, seen_before) == "finished"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (events.Finished(0.9, 10, 2), "finished"),
        (events.Failed("A problem.", "An advice."), "failed"),
        (events.Stopped(None), "stopped"),
    ],
)
def test_the_last_word_of_a_run_is_its_state(new_run, last, expected):
    run = new_run()
    for event in (started(), last):
        run.events.write(event)
    assert runs.state(run) == expected


def test_looking_at_the_lock_does_not_keep_it(new_run):
    run = new_run()
    assert not runs.is_locked(run)
    with filelock.FileLock(run.lock_file, timeout=1):
        assert runs.is_locked(run)


def test_runs_are_listed_newest_first(new_run, tmp_path):
    run = new_run()
    names = ["20260101-000000-aa", "20260102-000000-bb"]
    for name in names:
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "recipe.json").write_bytes(run.recipe_file.read_bytes())
    (tmp_path / "runs" / "not a run").mkdir()
    assert [listed.id for listed in runs.runs_in(tmp_path / "runs")] == names[::-1]
    assert runs.runs_in(tmp_path / "nowhere") == ()
