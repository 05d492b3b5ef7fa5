"""The supervisor with real workers: it ends what must end, keeps what can be kept, and says what happened."""

import os
import signal
import subprocess
import sys
import threading

import filelock
import pytest
from processes import is_there, until, wait_for, worker_of

from tlcore import workspace
from tlcore.runs import events, local, supervisor
from tlcore.runs import run as runs

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
