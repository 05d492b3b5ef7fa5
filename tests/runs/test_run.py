"""State of a run: computed from events, wishes and the lock."""

import os
import subprocess
import sys
import time

import filelock
import numpy as np
import pytest

from tlcore.runs import curves, events, position
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
    for away in (-2, 2):  # the clock may have been put back since
        handed_over = [events.Queued(time=time.time() + away * runs.HANDOVER_S)]
        assert runs.state(run, handed_over) == "crashed"


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


def test_a_locked_run_pauses_then_is_paused_and_a_run_that_goes_on_waits_again(held):
    run, _ = held
    run.events.write(started())
    runs.ask_to_pause(run)
    assert runs.state(run) == "pausing" and not runs.can_resume(run)
    run.events.write(events.Paused(3))
    assert runs.state(run) == "paused" and runs.can_resume(run)
    runs.prepare_to_resume(run)
    assert runs.state(run) == "waiting" and not runs.can_resume(run)
    assert not run.pause_file.exists()


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([events.Finished(0.9, 10, 2)], False),
        ([events.Stopped(2), events.Finished(0.9, 10, 2)], True),
        ([events.Interrupted(2, "A problem.", "An advice."), events.Finished(0.9, 10, 2)], True),
        ([events.Stopped(None)], True),
        ([events.Failed("A problem.", "An advice.")], True),
        ([], True),  # it crashed
    ],
)
def test_a_run_can_go_on_unless_it_came_to_its_end_by_itself(new_run, ends, expected):
    run = new_run()
    for event in (started(), *ends):
        run.events.write(event)
    assert runs.can_resume(run) is expected
    if expected:
        runs.prepare_to_resume(run)
        assert runs.state(run) == "waiting"


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


def test_a_run_that_is_cancelled_after_a_long_wait_is_stopping_until_somebody_has_ended_it(new_run):
    run = new_run()
    run.events.file.write_text('{"type": "queued", "time": 1.0}\n')
    assert runs.state(run) == "crashed"
    runs.ask_to_pause(run)
    assert runs.state(run) == "waiting"
    runs.ask_to_stop(run)
    assert runs.state(run) == "stopping"
    os.utime(run.stop_file, (1.0, 1.0))
    os.utime(run.pause_file, (1.0, 1.0))
    assert runs.state(run) == "crashed"


def test_a_paused_run_that_was_stopped_is_not_paused_any_more(held):
    run, _ = held
    for event in (started(), events.Paused(2), events.Stopped(2)):
        run.events.write(event)
    assert runs.state(run) == "finishing"


def test_best_weights_that_a_loss_of_power_has_damaged_count_as_none(new_run):
    run = new_run()
    for content in (b"", b"PK\x03\x04 half of a zip"):
        run.checkpoints.mkdir(exist_ok=True)
        run.best_checkpoint.write_bytes(content)
        assert position.epoch_of(run.best_checkpoint) is None
        assert position.loss_of(run.best_checkpoint) == float("inf")
        run.keep_better()


def test_a_folder_in_which_the_making_of_a_run_broke_off_is_no_run(new_run):
    run = new_run()
    run.recipe_file.unlink()  # it is written last
    assert runs.runs_in(run.folder.parent) == ()


def test_looking_whether_a_run_is_at_work_leaves_nothing_behind(tmp_path):
    assert not runs.is_locked(runs.Run(tmp_path / "gone"))
    assert list(tmp_path.iterdir()) == []


def test_the_rates_of_a_run_that_became_unstable_are_lowered_once_however_often_it_could_not_be_handed_over(
    new_run, monkeypatch
):
    run = new_run(head_lr=0.1)
    run.events.write(events.Failed("It became unstable.", "Go on.", kind="Unstable"))
    write = events.EventLog.write

    def without_room(log, event):
        if isinstance(event, events.Resumed):
            raise OSError(28, "No space left on device")
        write(log, event)

    with monkeypatch.context() as full:
        full.setattr(events.EventLog, "write", without_room)
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                runs.prepare_to_resume(run)
    runs.prepare_to_resume(run)
    assert run.recipe().head_lr == pytest.approx(0.01)
    run.events.write(events.Failed("It became unstable again.", "Go on.", kind="Unstable"))
    runs.prepare_to_resume(run)
    assert run.recipe().head_lr == pytest.approx(0.001)


def test_the_curve_ends_with_the_epoch_whose_weights_count_though_it_went_on_from_before_it(new_run):
    run = new_run()
    run.checkpoints.mkdir()
    np.savez(run.best_checkpoint, epoch=2, loss=0.9)
    np.savez(run.earlier_checkpoint, epoch=4, loss=0.1)
    for epoch, loss in ((1, 1.0), (2, 0.9), (3, 0.5), (4, 0.1)):
        run.events.write(events.EpochEnd(epoch, "head", 1.0, 0.5, loss, 0.5, 0.1, 1.0, True))
    run.events.write(events.WentOn(2, 0))
    run.events.write(events.EpochEnd(2, "head", 1.0, 0.5, 1.0, 0.5, 0.1, 1.0, True))
    for _ in range(2):
        run.keep_better()
        assert [end.epoch for end in events.of_type(run.events.all(), events.EpochEnd)] == [1, 2, 4]
        assert position.epoch_of(run.best_checkpoint) == 4


def test_of_two_tries_at_an_epoch_the_one_whose_weights_count_is_the_best_on_the_curve(new_run):
    run = new_run()
    run.checkpoints.mkdir()
    np.savez(run.best_checkpoint, epoch=3, loss=0.2)
    np.savez(run.earlier_checkpoint, epoch=2, loss=0.1)
    for again in (0.0, 0.1):
        for epoch, loss in ((1, 1.0), (2, 0.1 + 4 * again), (3, 0.2)):
            run.events.write(events.EpochEnd(epoch, "head", 1.0, 0.5, loss, 0.5, 0.1, 1.0, True))
        if not again:
            run.events.write(events.WentOn(1, 0))
    run.keep_better()
    best = curves.best_epoch(run.events.all())
    assert (best.epoch, best.val_loss) == (2, 0.1)
    assert [end.val_loss for end in events.of_type(run.events.all(), events.EpochEnd)][-1] == 0.1


def test_who_goes_on_after_it_became_unstable_goes_back_to_the_place_before_the_last_one(new_run):
    run = new_run(head_lr=0.1)
    run.checkpoints.mkdir()
    for number in (7, 8):
        (run.checkpoints / f"place-{number:06d}.npz").touch()
    run.events.write(events.Failed("It became unstable.", "Go on.", kind="Unstable"))
    runs.prepare_to_resume(run)
    assert [file.name for file in position.numbered(run.checkpoints)] == ["place-000007.npz"]
    run.events.write(events.Failed("It became unstable again.", "Go on.", kind="Unstable"))
    runs.prepare_to_resume(run)
    assert len(position.numbered(run.checkpoints)) == 1
