"""The supervisor with real workers: it ends what must end, keeps what can be kept, and says what happened."""

import contextlib
import os
import signal
import subprocess
import sys
import threading

import filelock
import pytest
from drawn_runs import SMALL
from processes import called, is_there, until, wait_for, worker_of

from tlcore import disk, removal, workspace
from tlcore.images import split
from tlcore.runs import events, local, order, supervisor
from tlcore.runs import run as runs
from tlcore.training.recipe import Recipe

LONG = {"epochs": 400, "patience": 400, "augment": "none"}
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals of this kind are not there on Windows")


@pytest.fixture
def supervised():
    """Return a function that supervises a run in a thread, and wait for them all at the end."""
    threads = []

    def start(run, **options):
        threads.append(threading.Thread(target=supervisor.supervise, args=(run,), kwargs=options))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_a_stopped_run_keeps_its_best_epoch_and_gets_its_results(new_run, supervised):
    run = new_run(**LONG)
    supervised(run)
    wait_for(run, events.EpochEnd, count=2)
    runs.ask_to_stop(run)
    stopped = wait_for(run, events.Stopped, seconds=20)
    finished = wait_for(run, events.Finished)
    assert stopped.kept_epoch == finished.kept_epoch >= 1
    assert runs.state(run) == "finished" and run.report_file.is_file() and run.model_file.is_file()


@POSIX
def test_a_worker_that_is_busy_and_cannot_answer_is_killed_and_the_best_epoch_still_kept(new_run, supervised):
    run = new_run(**LONG)
    supervised(run)
    wait_for(run, events.EpochEnd)
    os.kill(worker_of(run), signal.SIGSTOP)  # a step that takes for ever
    runs.ask_to_stop(run)
    assert wait_for(run, events.Stopped, seconds=20).kept_epoch >= 1
    wait_for(run, events.Finished)


def test_a_run_stopped_before_its_first_look_at_the_check_pictures_has_nothing_to_keep(new_run, supervised):
    run = new_run(**LONG)
    runs.ask_to_stop(run)
    supervised(run)
    assert wait_for(run, events.Stopped, seconds=20).kept_epoch is None
    assert runs.state(run) == "stopped"


def test_a_run_waits_while_another_has_the_device_and_can_be_stopped_there(new_run, supervised):
    run = new_run()
    with filelock.FileLock(workspace.home() / "device.lock"):
        supervised(run)
        assert "Another training" in wait_for(run, events.Note).message
        assert runs.state(run) == "waiting"
        runs.ask_to_stop(run)
        wait_for(run, events.Stopped, seconds=20)


@POSIX
def test_a_worker_killed_after_good_epochs_is_said_in_plain_words_and_the_best_epoch_gets_its_results(
    new_run, supervised
):
    run = new_run(**LONG)
    supervised(run)
    wait_for(run, events.EpochEnd)
    os.kill(worker_of(run), signal.SIGKILL)
    broken = wait_for(run, events.Interrupted, seconds=20)
    assert "suddenly" in broken.problem and broken.advice and broken.kept_epoch >= 1
    assert wait_for(run, events.Finished).kept_epoch == broken.kept_epoch
    assert runs.state(run) == "finished" and run.model_file.is_file()


@POSIX
def test_a_worker_killed_before_anything_was_kept_has_failed(new_run, supervised):
    run = new_run(**LONG)
    supervised(run)
    wait_for(run, events.Started)
    os.kill(worker_of(run), signal.SIGKILL)
    failed = wait_for(run, events.Failed, seconds=20)
    assert "suddenly" in failed.problem and failed.advice
    assert runs.state(run) == "failed"


def test_a_paused_run_lets_go_of_the_device_and_goes_on_and_ends(new_run, supervised):
    run = new_run(**LONG | {"epochs": 30, "patience": 30})
    supervised(run)
    wait_for(run, events.EpochEnd)
    runs.ask_to_pause(run)
    paused = wait_for(run, events.Paused, seconds=20)
    assert runs.state(run) == "paused" and not run.model_file.exists()
    with filelock.FileLock(workspace.home() / "device.lock", timeout=10):
        done = len(events.of_type(run.events.all(), events.EpochEnd))
        assert paused.epoch <= done
    assert until(lambda: not runs.is_locked(run))
    runs.prepare_to_resume(run)
    supervisor.supervise(run)
    history = run.events.all()
    assert runs.state(run) == "finished"
    assert sorted({end.epoch for end in events.of_type(history, events.EpochEnd)}) == list(range(1, 31))


def test_a_paused_run_that_is_stopped_gets_the_results_of_its_best_epoch(new_run, supervised):
    run = new_run(**LONG)
    supervised(run)
    wait_for(run, events.EpochEnd)
    runs.ask_to_pause(run)
    wait_for(run, events.Paused, seconds=20)
    assert until(lambda: not runs.is_locked(run))
    left = run.checkpoints / ".place-000009.half.npz"
    left.touch()  # by a worker that was killed over it
    with filelock.FileLock(workspace.home() / "results.lock"):  # the results of another run are being made
        order.stop(run)
        wait_for(run, events.Stopped, seconds=20)
        assert not until(lambda: called("tlcore.runs.worker", str(run.folder)), seconds=1.0)
        assert runs.state(run) == "finishing"
    assert wait_for(run, events.Finished).kept_epoch >= 1
    assert runs.state(run) == "finished" and not left.exists()


def test_a_run_waiting_for_the_device_can_be_paused_there(new_run, supervised):
    run = new_run()
    with filelock.FileLock(workspace.home() / "device.lock"):
        supervised(run)
        wait_for(run, events.Note)
        runs.ask_to_pause(run)
        assert wait_for(run, events.Paused, seconds=20).epoch is None
    assert runs.state(run) == "paused"


def test_a_full_disk_is_said_and_what_was_kept_can_be_gone_on_from(drawn_dataset, small_disk):
    recipe = Recipe(**SMALL | LONG)
    run = runs.create(small_disk / "run", recipe, drawn_dataset, split.draw(drawn_dataset, 0.15, 0.15, 0))
    filler = small_disk / "filler"
    filler.write_bytes(bytes(disk.free_bytes(small_disk) - 150_000))
    supervisor.supervise(run)
    failed = events.last(run.events.all(), events.Failed)
    assert failed.problem == disk.FULL and "Free some space" in failed.advice
    assert runs.state(run) == "failed" and runs.can_resume(run)


@pytest.fixture
def crowded(drawn_dataset, small_disk, monkeypatch):
    """A run on a disk that has no room for another word, and the file that takes it all."""
    recipe = Recipe(**SMALL | LONG)
    run = runs.create(small_disk / "run", recipe, drawn_dataset, split.draw(drawn_dataset, 0.15, 0.15, 0))
    run.lock_file.touch()
    run.worker_log.touch()
    monkeypatch.setattr(disk, "CROWDED", 2**16)
    with run.events.file.open("ab") as stream:  # a page of memory that is half full would take some more words
        stream.write(b" " * (4095 - stream.tell() % 4096) + b"\n")
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(4096))
    return run, filler


def test_a_disk_without_room_for_a_word_is_waited_for(crowded, supervised):
    run, filler = crowded
    supervised(run)
    assert until(lambda: called("tlcore.runs.worker", str(run.folder)))
    assert until(lambda: not called("tlcore.runs.worker", str(run.folder)), seconds=60)
    assert not until(lambda: events.last(run.events.all(), events.Failed), seconds=3)
    assert runs.is_locked(run)
    filler.unlink()
    assert wait_for(run, events.Failed, seconds=20).problem == disk.FULL


def test_who_stops_a_run_that_has_no_room_for_a_word_gets_it_back_to_delete_it(crowded, supervised, monkeypatch):
    run, filler = crowded
    monkeypatch.setattr(supervisor, "STOPPED_PATIENCE_S", 0.5)
    supervised(run)
    assert until(lambda: called("tlcore.runs.worker", str(run.folder)))
    assert until(lambda: not called("tlcore.runs.worker", str(run.folder)), seconds=60)
    runs.ask_to_stop(run)
    assert until(lambda: not runs.is_locked(run))
    assert events.of_type(run.events.all(), events.Queued) and not events.last(run.events.all(), events.Stopped)
    filler.unlink()
    assert runs.state(run) in ("stopping", "crashed")  # the former for some seconds: nothing has begun, for all it says


def test_a_run_that_was_deleted_before_it_was_taken_up_leaves_nothing_behind(new_run):
    run = new_run()
    removed = removal.lay_aside(run.folder)
    supervisor.supervise(run)
    assert not run.folder.exists()
    removal.take_back(removed)
    assert runs.state(run) == "waiting"


def test_a_run_that_is_over_is_left_alone_by_a_second_supervisor(new_run):
    run = new_run()
    for event in (events.Started("CPU", "a"), events.Failed("The disk is full.", "Free some.")):
        run.events.write(event)
    before = run.events.file.read_bytes()
    supervisor.supervise(run)
    assert run.events.file.read_bytes() == before and not run.worker_log.exists()


@POSIX
def test_no_worker_outlives_its_supervisor(new_run):
    run = new_run(**LONG)
    process = subprocess.Popen([sys.executable, "-m", "tlcore.runs.supervisor", str(run.folder)])
    wait_for(run, events.BatchEnd)
    worker = worker_of(run)
    process.kill()
    process.wait()
    assert until(lambda: not is_there(worker))
    assert runs.state(run) == "crashed"


def test_missing_weights_without_a_network_are_said_with_the_name_of_the_file(new_run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("THAW_WEIGHTS_URL", "http://127.0.0.1:9")
    run = new_run(weights="imagenet")
    supervisor.supervise(run)
    failed = events.last(run.events.all(), events.Failed)
    assert "mobilenet_2_5_224_tf_no_top.h5" in failed.problem + failed.advice
    assert not run.model_file.exists()


def test_a_run_started_from_the_app_ends_finished_in_processes_of_its_own_and_lets_everything_go(new_run):
    run = new_run()
    local.start(run)
    wait_for(run, events.Finished)
    with filelock.FileLock(run.lock_file, timeout=20):
        pass  # its supervisor has let it go
    assert runs.state(run) == "finished"
    assert "Traceback" not in run.worker_log.read_text() and "Fatal" not in run.worker_log.read_text()
    assert not runs.is_locked(run)
    with filelock.FileLock(workspace.home() / "device.lock", timeout=1):
        assert run.model_file.is_file()
