"""What happens beside the steps: the best epoch is kept, patience ends a phase, wishes are obeyed."""

from itertools import pairwise

import keras
import numpy as np
import pytest

from tlcore.errors import TrainingError
from tlcore.runs import events, position
from tlcore.runs import run as runs
from tlcore.training import callbacks
from tlcore.training.batches import TrainingBatches


def epochs_until_end(run, losses, patience) -> tuple[int, callbacks.KeepBest]:
    """Feed check losses epoch by epoch and return how many were asked for."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    keep = callbacks.KeepBest(run, patience, model)
    keep.set_model(model)
    keep.model.stop_training = False
    keep.begin()
    for epoch, loss in enumerate(losses):
        keep.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
        if keep.model.stop_training:
            return epoch + 1, keep
    return len(losses), keep


@pytest.mark.parametrize(
    ("losses", "patience", "ended_after", "best"),
    [
        ([5, 4, 3, 2, 1], 2, 5, 5),
        ([5, 4, 6, 6, 1], 2, 4, 2),
        ([5, 4, 6, 3, 6, 6, 1], 2, 6, 4),
        ([5, 4, 6, 6, 6, 6, 6], None, 7, 2),
        ([5, 5, 5], 2, 3, 1),
    ],
)
def test_training_ends_after_patience_epochs_without_a_better_check_loss(new_run, losses, patience, ended_after, best):
    run = new_run()
    ended, keep = epochs_until_end(run, losses, patience)
    assert (ended, keep.best_epoch, position.epoch_of(run.best_checkpoint)) == (ended_after, best, best)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_not_a_number_ends_the_run_with_advice_and_the_best_epoch_stays(new_run, loss):
    run = new_run()
    with pytest.raises(TrainingError, match=r"epoch 2.*learning rate"):
        epochs_until_end(run, [1.0, loss], 5)
    assert position.epoch_of(run.best_checkpoint) == 1


def test_each_phase_has_its_own_patience_but_the_best_epoch_is_the_best_of_all(new_run):
    _, keep = epochs_until_end(new_run(), [3.0, 4.0, 4.0], 2)
    assert keep.model.stop_training
    keep.model.stop_training = False
    keep.begin()
    keep.on_epoch_end(3, {"loss": 1.0, "val_loss": 5.0})
    assert not keep.model.stop_training and keep.best_epoch == 1
    keep.on_epoch_end(4, {"loss": 1.0, "val_loss": 2.0})
    assert keep.best_epoch == 5


def test_a_wish_to_stop_is_obeyed_after_a_step_and_within_a_task(new_run):
    run = new_run()
    report = callbacks.ReportProgress(run, "Reading pictures")
    report(1, 2)
    obey = callbacks.ObeyStop(run)
    obey.on_train_batch_end(0)
    runs.ask_to_stop(run)
    for look in (lambda: obey.on_train_batch_end(1), lambda: obey.on_test_batch_end(1), lambda: report(2, 2)):
        with pytest.raises(callbacks.StopAsked):
            look()


def test_what_comes_after_training_goes_on_when_a_wish_to_stop_comes_too_late(new_run):
    run = new_run()
    runs.ask_to_stop(run)
    callbacks.ReportProgress(run, "Packing the model", obeys_stop=False)(1, 1)
    assert events.last(run.events.all(), events.Progress).task == "Packing the model"


def test_progress_is_written_seldom_but_its_end_always(new_run):
    run = new_run()
    report = callbacks.ReportProgress(run, "Reading pictures")
    for done in range(1, 1001):
        report(done, 1000)
    written = [event.done for event in events.of_type(run.events.all(), events.Progress)]
    assert written[-1] == 1000 and len(written) < 100


def test_the_rate_that_is_shown_is_that_of_the_fastest_group():
    slow, fast = keras.optimizers.SGD(0.25), keras.optimizers.SGD(0.5)
    groups = keras.optimizers.MultiOptimizer(lambda variable: fast if variable.name == "bias" else slow)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(groups, "mse")
    model.fit(np.zeros((2, 2)), np.zeros((2, 1)), verbose=0)
    assert callbacks._current_rate(groups) == 0.5
    assert callbacks._current_rate(keras.optimizers.SGD(0.25)) == 0.25


def test_what_was_there_before_the_first_epoch_is_kept_until_an_epoch_is_better(new_run):
    run = new_run()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    keep = callbacks.KeepBest(run, 2, model)
    keep.set_model(model)
    keep.start_with(2.5)
    assert (keep.best_epoch, position.epoch_of(run.best_checkpoint)) == (0, 0)
    model.stop_training = False
    keep.begin()
    for epoch, (loss, kept) in enumerate([(9.0, 0), (7.0, 0), (5.0, 0), (3.0, 0), (2.0, 5)]):
        keep.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
        assert not model.stop_training  # it gains, though it is not there yet
        assert (keep.best_epoch, position.epoch_of(run.best_checkpoint)) == (kept, kept)


def test_a_long_training_tells_of_its_batches_ever_more_rarely(new_run, monkeypatch):
    run = new_run()
    moment = 0.0
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: moment)
    batches = TrainingBatches(np.zeros((10**6, 1)), range(10**6), np.zeros((10**6, 1)), 1, seed=0, epoch=1)
    write = callbacks.WriteEvents(run, None, "head", batches, (keras.metrics.Mean(), keras.metrics.Mean()))
    write.on_epoch_begin(0)
    for step in range(40_000):
        moment += 0.1
        write.on_train_batch_end(step, {"loss": 1.0, "accuracy": 0.5})
    times = [event.step / 10 for event in events.of_type(run.events.all(), events.BatchEnd)]
    early = [time for time in times if time <= callbacks.RARER_AFTER_S]
    assert 600 <= len(early) <= 1000 and len(times) < 5000
    assert max(later - sooner for sooner, later in pairwise(times)) <= 4000 / 1000 + 0.3
