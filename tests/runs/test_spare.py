"""The spare worker with real processes: it serves one run as any worker would, and never outlives its purpose."""

import contextlib
import os
import signal
import subprocess
import sys
import threading

import filelock
import pytest
from processes import called, is_there, until, wait_for

from tlcore import lock, workspace
from tlcore.runs import events, local, spare
from tlcore.runs import run as runs

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are looked at with ps and pgrep")

LONG = {"epochs": 400, "patience": 400, "augment": "none"}


@pytest.fixture(autouse=True)
def wished(tmp_path, monkeypatch):
    """An installation of its own that wants spare workers; none is left behind."""
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("THAW_SPARE", "10")
    yield
    monkeypatch.setenv("KERAS_BACKEND", "another")
    assert not spare.hand(runs.Run(tmp_path / "no run"))


def waiting(parent: int | None = None) -> tuple[int, int]:
    """Return the supervisor that waits and its worker, once they are there."""
    assert until(lambda: called("tlcore.runs.spare", parent=parent or os.getpid()))
    supervisor = called("tlcore.runs.spare", parent=parent or os.getpid())[-1]
    assert until(lambda: called("tlcore.runs.worker", parent=supervisor))
    return supervisor, called("tlcore.runs.worker", parent=supervisor)[0]


def are_gone(*processes: int) -> bool:
    return until(lambda: not any(is_there(process) for process in processes))


def has_spare() -> bool:
    return lock.is_held(workspace.home() / "spare.lock")


def stop_after_two_epochs(run):
    wait_for(run, events.EpochEnd, count=2)
    runs.ask_to_stop(run)


def losses(run) -> list[tuple[float, float]]:
    return [(each.loss, each.val_loss) for each in events.of_type(run.events.all(), events.EpochEnd)[:2]]


def test_a_training_in_a_spare_goes_as_any_other_and_obeys_stop_and_keeps_its_best_epoch(new_run, tmp_path):
    from tlcore.training import training

    spare.warm_up()
    _, worker = waiting()
    run = new_run(**LONG)
    local.start(run)
    stop_after_two_epochs(run)
    kept = wait_for(run, events.Stopped, seconds=20).kept_epoch
    assert are_gone(worker) and not called("tlcore.runs.supervisor", str(run.folder))
    with filelock.FileLock(workspace.home() / "device.lock", timeout=1):
        assert wait_for(run, events.Finished).kept_epoch == kept
    assert "Traceback" not in run.worker_log.read_text()
    other = runs.create(tmp_path / "other", run.recipe(), run.dataset(), run.split())
    threading.Thread(target=stop_after_two_epochs, args=(other,)).start()
    with pytest.raises(training.StopAsked):
        training.train(other)
    assert losses(run) == losses(other) and len(losses(run)) == 2


def test_a_spare_killed_in_its_run_is_a_sudden_end(new_run):
    spare.warm_up()
    supervisor, worker = waiting()
    run = new_run()
    local.start(run)
    assert until(lambda: runs.is_locked(run) and lock.is_held(workspace.home() / "device.lock"))
    os.kill(worker, signal.SIGKILL)
    assert "suddenly" in wait_for(run, events.Failed, seconds=20).problem
    assert runs.state(run) == "failed" and are_gone(supervisor)


def test_a_spare_that_died_while_it_waited_costs_a_run_nothing_but_time(new_run):
    spare.warm_up()
    supervisor, worker = waiting()
    os.kill(worker, signal.SIGKILL)
    assert are_gone(worker)
    run = new_run()
    local.start(run)
    assert until(lambda: called("tlcore.runs.worker", str(run.folder), parent=supervisor))
    runs.ask_to_stop(run)
    wait_for(run, events.Stopped, seconds=20)


def test_a_spare_with_a_run_ends_with_its_supervisor(new_run):
    spare.warm_up()
    supervisor, worker = waiting()
    run = new_run()
    local.start(run)
    assert until(lambda: lock.is_held(workspace.home() / "device.lock"))
    os.kill(supervisor, signal.SIGKILL)
    assert are_gone(worker)
    assert not runs.is_locked(run) and not lock.is_held(workspace.home() / "device.lock")


@contextlib.contextmanager
def asking():
    """Another process that asks for a spare, then hands it the run that it is told; it is killed at the end."""
    code = (
        "from pathlib import Path; from tlcore.runs import local, run, spare\n"
        "spare.warm_up(); print('asked', flush=True)\n"
        "local.start(run.Run(Path(input()))); print('handed', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"asked\n"
        yield process
        process.kill()


def test_a_spare_ends_with_whoever_asked_for_it():
    with asking() as process:
        waited = waiting(process.pid)
    assert are_gone(*waited) and not has_spare()


def test_a_run_in_a_spare_outlives_whoever_started_it(new_run):
    run = new_run()
    with asking() as process:
        waited = waiting(process.pid)
        process.stdin.write(f"{run.folder}\n".encode())
        process.stdin.flush()
        assert process.stdout.readline() == b"handed\n"
    assert until(lambda: lock.is_held(workspace.home() / "device.lock"))
    assert all(is_there(each) for each in waited)
    runs.ask_to_stop(run)
    wait_for(run, events.Stopped, seconds=20)
    assert are_gone(*waited)


def test_a_spare_that_nobody_asks_for_any_more_ends(monkeypatch):
    monkeypatch.setenv("THAW_SPARE", "0.03")
    spare.warm_up()
    assert has_spare()
    processes = waiting()
    assert are_gone(*processes) and until(lambda: not has_spare())


def test_an_installation_has_one_spare_at_most():
    spare.warm_up()
    spare.warm_up()
    waiting()
    assert len(called("tlcore.runs.spare", parent=os.getpid())) == 1
    with asking() as other:
        assert not called("tlcore.runs.spare", parent=other.pid)


def test_a_spare_from_another_environment_is_let_go(new_run, monkeypatch):
    spare.warm_up()
    processes = waiting()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert not spare.hand(new_run())
    assert are_gone(*processes) and not has_spare()


def test_none_is_started_where_none_is_wished_or_while_the_device_is_busy(monkeypatch):
    with filelock.FileLock(workspace.home() / "device.lock"):
        spare.warm_up()
        assert not has_spare()
    monkeypatch.setenv("THAW_SPARE", "0")
    spare.warm_up()
    assert not has_spare()
