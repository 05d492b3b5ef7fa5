"""The scheduler with real processes: one run per device, one scheduler per installation, nobody keeps the line up."""

import os
import subprocess
import sys
from pathlib import Path

import filelock
import pytest
from processes import until, wait_for

from tlcore import detached, lock
from tlcore.runs import events, order, queue, scheduler, slots
from tlcore.runs import run as runs

FULL = Path("/dev/full")
SCHEDULE = "from tlcore.runs import scheduler\nwith scheduler.running(): print('there', flush=True); input()"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("THAW_DEVICES", "1")
    return tmp_path / "home"


@pytest.fixture
def waiting(new_run, tmp_path):
    """Return a function that makes a run and puts it in line."""

    def make(name: str, person: str = "me", **changes) -> runs.Run:
        asked = new_run(**changes)
        made = runs.create(tmp_path / "runs" / name, asked.recipe(), asked.dataset(), asked.split())
        queue.enter(made.folder, person)
        return made

    return make


@pytest.fixture
def another():
    """Return a function that starts another web process's scheduler; none outlives the test."""
    started = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen([sys.executable, "-c", SCHEDULE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"there\n"
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_waiting_runs_have_the_device_one_after_the_other_and_all_finish(waiting):
    first, second = waiting("first"), waiting("second")
    assert runs.state(first) == runs.state(second) == "waiting"
    with scheduler.running():
        wait_for(first, events.Started)
        assert slots.holder(0).run == str(first.folder) and queue.is_in(second.folder)
        wait_for(second, events.Finished, seconds=120)
    assert events.last(second.events.all(), events.Started).time > events.last(first.events.all(), events.Trained).time
    assert runs.state(first) == runs.state(second) == "finished"
    assert until(lambda: slots.holder(0) is None) and slots.usual_s() > 0


def test_a_device_that_the_command_line_or_an_earlier_server_has_is_waited_for(waiting):
    run = waiting("run")
    held = filelock.FileLock(slots.lock_file(0))
    with held, scheduler.running():
        assert not until(lambda: not queue.is_in(run.folder), seconds=1)
        assert not run.worker_log.exists()  # nothing was started that only waits
        held.release()
        wait_for(run, events.Started)
        order.stop(run)
        wait_for(run, events.Stopped, seconds=20)


def test_of_two_web_processes_one_schedules_and_when_it_is_killed_the_other_takes_over(waiting, another, home):
    one = another()
    assert until(lambda: lock.is_held(home / "scheduler.lock"))
    two = another()  # so the first one schedules
    run = waiting("run", epochs=400, patience=400, augment="none")
    wait_for(run, events.EpochEnd)
    one.kill()
    one.wait()
    done = len(events.of_type(run.events.all(), events.EpochEnd))
    wait_for(run, events.EpochEnd, count=done + 1)  # the training does not care
    assert until(lambda: lock.is_held(home / "scheduler.lock"))
    after = waiting("after")
    assert not until(lambda: not queue.is_in(after.folder), seconds=1)
    order.pause(run)
    wait_for(after, events.Started)
    order.stop(after)
    assert runs.state(run) == "paused" and two.poll() is None
    for each in (run, after):
        assert len(events.of_type(each.events.all(), events.Started)) == 1


def test_a_run_that_cannot_be_started_is_given_up_and_the_next_one_has_its_turn(waiting, monkeypatch):
    broken, good = waiting("broken"), waiting("good", "you")
    broken.recipe_file.write_text("{}}")
    with scheduler.running():
        failed = wait_for(broken, events.Failed)
        wait_for(good, events.Started)
        order.stop(good)
    assert "could not be started" in failed.problem and failed.detail
    assert runs.state(broken) == "failed" and not queue.is_in(broken.folder)


def test_a_run_that_nobody_takes_up_is_tried_again_and_then_given_up(waiting, monkeypatch):
    run, started = waiting("run"), []
    monkeypatch.setattr(scheduler, "TAKE_UP_S", 0.0)
    monkeypatch.setattr(detached, "start", lambda *given, **options: started.append(given))
    with scheduler.running():
        assert "could not be started" in wait_for(run, events.Failed).problem
        assert until(lambda: not queue.is_in(run.folder))
    assert len(started) == scheduler.TRIES


def test_a_run_that_somebody_works_on_already_is_not_started_again_and_keeps_nobody_waiting(waiting):
    run, next_one = waiting("run"), waiting("next")
    with filelock.FileLock(run.lock_file), scheduler.running():  # as its supervisor does that waits for the device
        wait_for(next_one, events.Started)
        order.stop(next_one)
        assert queue.is_in(run.folder) and not run.worker_log.exists()


def test_a_full_disk_is_said_and_waited_for_however_long_it_lasts(waiting, monkeypatch, capfd):
    run = waiting("run")
    monkeypatch.setattr(scheduler, "WAIT_S", 0.05)
    refused, start = [], detached.start

    def refuse(*given, **options):
        if len(refused) > 2 * scheduler.TRIES:
            return start(*given, **options)
        refused.append(OSError(28, "No space left on device"))
        raise refused[-1]

    monkeypatch.setattr(detached, "start", refuse)
    with scheduler.running():
        wait_for(run, events.Started)
        order.stop(run)
        wait_for(run, events.Stopped, seconds=20)
    assert len(refused) > 2 * scheduler.TRIES and "No space left on device" in capfd.readouterr().err


@pytest.mark.parametrize("taken", [(), ("events.jsonl", "lock")], ids=["at its start", "for any word"])
def test_a_run_whose_folder_cannot_be_written_is_given_up_and_keeps_nobody_waiting(waiting, monkeypatch, taken):
    spoilt, next_one = waiting("spoilt"), waiting("next")
    for name in taken:
        (spoilt.folder / name).unlink(missing_ok=True)
        (spoilt.folder / name).mkdir()
    monkeypatch.setattr(scheduler, "WAIT_S", 0.05)
    start = detached.start

    def refuse(module, folder, *given, **options):
        if folder == spoilt.folder:
            raise PermissionError(13, "Permission denied")
        return start(module, folder, *given, **options)

    monkeypatch.setattr(detached, "start", refuse)
    with scheduler.running():
        if not taken:
            assert "could not be started" in wait_for(spoilt, events.Failed, seconds=20).problem
        assert until(lambda: not queue.is_in(spoilt.folder), seconds=20)
        order.stop(next_one)
        wait_for(next_one, events.Stopped, seconds=20)


@pytest.mark.skipif(not FULL.exists(), reason="a file that is always full is there on Linux only")
def test_a_disk_that_has_no_room_for_the_servers_own_words_does_not_end_the_scheduler(waiting, monkeypatch):
    run = waiting("run")
    monkeypatch.setattr(scheduler, "WAIT_S", 0.05)
    refused, start = [], detached.start

    def refuse(*given, **options):
        if len(refused) > 2:
            return start(*given, **options)
        refused.append(OSError(28, "No space left on device"))
        raise refused[-1]

    monkeypatch.setattr(detached, "start", refuse)
    with FULL.open("w") as full, monkeypatch.context() as changed:
        changed.setattr(sys, "stderr", full)
        with scheduler.running():
            wait_for(run, events.Started)
            order.stop(run)
            wait_for(run, events.Stopped, seconds=20)
        changed.undo()
        with pytest.raises(OSError, match="No space"):
            full.write("nothing fits")
            full.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # so that it can be closed


def test_a_setting_that_is_no_number_is_said_and_does_not_end_the_scheduler(waiting, monkeypatch, capfd):
    run = waiting("run")
    monkeypatch.setattr(scheduler, "WAIT_S", 0.05)
    monkeypatch.setenv("THAW_DEVICES", "many")
    with scheduler.running():
        assert until(lambda: "THAW_DEVICES" in capfd.readouterr().err)
        monkeypatch.setenv("THAW_DEVICES", "1")
        wait_for(run, events.Started)
        order.stop(run)
        wait_for(run, events.Stopped, seconds=20)


def test_with_two_devices_two_runs_train_at_once(waiting, monkeypatch):
    monkeypatch.setenv("THAW_DEVICES", "2")
    both = [waiting(name, epochs=400, patience=400, augment="none") for name in ("one", "other")]
    with scheduler.running():
        for run in both:
            wait_for(run, events.EpochEnd, seconds=120)
        assert {slots.holder(slot).run for slot in (0, 1)} == {str(run.folder) for run in both}
        for run in both:
            order.pause(run)
        for run in both:
            wait_for(run, events.Paused)
