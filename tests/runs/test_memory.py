"""A training that the system ended for want of memory is tried once more with less."""

import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
from processes import wait_for, worker_of

from tlcore.runs import events, memory, order, supervisor
from tlcore.runs import run as runs
from tlcore.training import recipe as recipes
from tlcore.training import training


@pytest.fixture
def counters(tmp_path, monkeypatch):
    """A stand-in for the system's counters, which say that nothing was ended yet."""
    file = tmp_path / "vmstat"
    file.write_text("oom_kill 0\n")
    monkeypatch.setattr(memory, "_COUNTERS", file)
    return file


def test_the_count_of_the_system_is_read_where_there_is_one(tmp_path, monkeypatch):
    counters = tmp_path / "vmstat"
    monkeypatch.setattr(memory, "_COUNTERS", counters)
    assert memory.kills() == 0
    counters.write_text("nr_free_pages 5\noom_kill 3\noom_kill_other 9\n")
    assert memory.kills() == 3


def test_a_run_is_asked_for_less_as_long_as_a_part_has_a_picture(new_run):
    run = new_run(batch_size=4)
    assert not memory.ask_for_less(run)  # nothing is settled yet
    recipes.save(run.recipe(), run.resolved_file)
    assert [memory.ask_for_less(run) for _ in range(3)] == [True, True, False]
    assert run.recipe().step_parts == 4
    recipes.save(replace(run.recipe(), batch_size=1024, step_parts=32), run.resolved_file)
    assert [memory.ask_for_less(run) for _ in range(2)] == [True, False]
    assert run.recipe().step_parts == recipes.MOST_PARTS  # more could not be read any more


@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are not there on Windows")
def test_a_worker_that_the_system_ends_for_want_of_memory_is_started_once_more_with_half_the_batch(new_run, counters):
    run = new_run(epochs=40, patience=40, augment="none", batch_size=8)
    watching = threading.Thread(target=supervisor.supervise, args=(run,))
    watching.start()
    wait_for(run, events.EpochEnd)
    counters.write_text("oom_kill 1\n")
    os.kill(worker_of(run), signal.SIGKILL)
    watching.join(150)
    history = run.events.all()
    assert runs.state(run) == "finished"
    assert run.recipe().step_parts == 2
    assert "once more by itself" in " ".join(note.message for note in events.of_type(history, events.Note))
    ends = [end.epoch for end in events.of_type(history, events.EpochEnd)]
    assert ends == list(range(1, 41)) and not events.last(history, events.Interrupted)
    assert np.isfinite([end.loss for end in events.of_type(history, events.EpochEnd)]).all()


@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are not there on Windows")
def test_a_worker_that_the_system_ends_while_it_holds_the_exam_does_not_train_again(new_run, counters):
    run = new_run(augment="none")
    watching = threading.Thread(target=supervisor.supervise, args=(run,))
    watching.start()
    wait_for(run, events.Trained)
    counters.write_text("oom_kill 1\n")
    os.kill(worker_of(run), signal.SIGKILL)
    watching.join(60)
    failed = events.last(run.events.all(), events.Failed)
    assert runs.state(run) == "failed" and "memory" in failed.problem
    assert "Training is over" in failed.problem and "nothing is trained again" in failed.advice
    assert run.recipe().step_parts == 1
    assert order.resume(run)
    supervisor.supervise(run, wait_for_device=False)
    assert runs.state(run) == "finished"
    told = run.events.read()[0]
    assert len(events.of_type(told, events.PhaseStarted)) == 1 and not events.of_type(told, events.WentOn)


def test_a_run_whose_weights_were_damaged_after_training_is_trained_again(new_run):
    run = new_run(augment="none")
    training.learn(run)
    assert events.last(run.events.all(), events.Trained)
    run.best_checkpoint.write_bytes(b"dark")  # as a loss of power may leave what was written last
    runs.prepare_to_resume(run)
    supervisor.supervise(run, wait_for_device=False)
    assert runs.state(run) == "finished" and events.last(run.events.all(), events.WentOn).epoch == 0
    assert len(events.of_type(run.events.all(), events.Trained)) == 1
