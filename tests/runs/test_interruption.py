"""An error in the middle of a run: what it means depends on what was kept by then."""

import numpy as np
import pytest

from tlcore.errors import TrainingError
from tlcore.runs import events, interruption

ERROR = TrainingError("The memory ran out.", "Choose a smaller batch.", "Traceback ...")


def keep_epoch(run, epoch: int) -> None:
    run.best_checkpoint.parent.mkdir()
    np.savez(run.best_checkpoint, epoch=np.asarray(epoch))


def test_before_anything_was_kept_it_is_the_end(new_run):
    failed = interruption.event_of(new_run(), ERROR)
    assert isinstance(failed, events.Failed)
    assert (failed.problem, failed.advice, failed.detail) == (ERROR.problem, ERROR.advice, ERROR.detail)


def test_after_an_epoch_was_kept_it_is_an_interruption(new_run):
    run = new_run()
    keep_epoch(run, 3)
    broken = interruption.event_of(run, ERROR)
    assert isinstance(broken, events.Interrupted)
    assert (broken.kept_epoch, broken.problem) == (3, ERROR.problem)


@pytest.mark.parametrize(
    ("history", "problem", "advice"),
    [
        ([events.Trained(3)], "Training is over, but its results", "nothing is trained again"),
        ([events.Stopped(3)], "Stopped, but the results", "stop it again when you like"),
        (
            [events.Interrupted(3, "The disk is full.", "Free some.")],
            "The disk is full. The results of the",
            "Free some.",
        ),
    ],
)
def test_what_was_said_of_the_training_is_said_again_where_only_its_results_are_missing(history, problem, advice):
    said = interruption.results_missing(history)
    assert said[0].startswith(problem) and advice in said[1]


def test_of_a_training_that_has_not_ended_nothing_is_said_about_results():
    assert interruption.results_missing([events.Started("CPU", "a")]) is None


@pytest.mark.parametrize("over", [events.Trained(3), events.Stopped(3), events.Interrupted(3, "a", "b")])
def test_while_results_are_made_it_is_the_end_so_that_they_are_not_tried_for_ever(new_run, over):
    run = new_run()
    keep_epoch(run, 3)
    run.events.write(over)
    assert isinstance(interruption.event_of(run, ERROR), events.Failed)
