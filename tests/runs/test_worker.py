"""What a worker says of itself when it breaks off; trainings in real workers are in test_supervisor.py."""

import numpy as np

from tlcore.errors import TrainingError
from tlcore.runs import events, position, worker


def test_who_breaks_off_names_the_epoch_whose_weights_the_results_are_made_of(new_run):
    run = new_run()
    run.checkpoints.mkdir()
    np.savez(run.earlier_checkpoint, epoch=24, loss=0.40)
    np.savez(run.best_checkpoint, epoch=28, loss=0.42)
    assert worker._fail(run, TrainingError("It became unstable.", "Go on.")) == worker.FAILED
    assert events.last(run.events.all(), events.Interrupted).kept_epoch == 24
    assert position.epoch_of(run.best_checkpoint) == 24


def test_weights_of_an_earlier_try_are_enough_for_results(new_run):
    run = new_run()
    run.checkpoints.mkdir()
    np.savez(run.earlier_checkpoint, epoch=3, loss=0.4)
    worker._fail(run, TrainingError("The weights cannot be fetched.", "Go on."))
    assert events.last(run.events.all(), events.Interrupted).kept_epoch == 3
