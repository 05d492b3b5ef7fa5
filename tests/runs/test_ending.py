"""The sentence for every way in which a run can stand or end."""

import pytest

from tlcore.runs import ending, events
from tlcore.runs.run import Run
from tlcore.runs.turn import Turn

BEST = events.EpochEnd(3, "head", 1, 0, 1, 0, 1e-3, 1.0, True)
BROKEN = events.Interrupted(3, "The disk is full.", "Free some space.")


@pytest.mark.parametrize(
    ("state", "history", "is_stop_asked", "words"),
    [
        ("waiting", [], False, "Starting."),
        ("waiting", [events.Note("Another training is using this computer.")], False, "Waiting for the device."),
        ("waiting", [events.Note("Batch size 8: fits."), events.Resumed()], False, "Starting."),
        ("running", [], False, "Learning."),
        ("running", [], True, "Stopping:"),
        ("waiting", [], True, "Stopping:"),
        ("stopping", [], True, "Stopping:"),
        ("finishing", [BEST, events.Trained(3)], False, "Training is over. The results are being made."),
        ("finishing", [BEST, events.Stopped(3)], True, "Stopped. The best epoch, number 3, is kept."),
        ("finished", [BEST, events.Finished(0.9, 20, 3)], False, "Finished. The model has the weights of its best"),
        ("finished", [events.Stopped(3), events.Finished(0.9, 20, 3)], True, "Stopped. The model has"),
        ("finishing", [BEST, BROKEN], False, "The disk is full. The best epoch until then, number 3, is kept;"),
        ("finished", [BEST, BROKEN, events.Finished(0.9, 20, 3)], False, "The disk is full. The best epoch until then"),
        ("finishing", [events.Stopped(0)], True, "Stopped. The first answer is kept. The results"),
        (
            "finished",
            [events.Finished(0.9, 20, 0)],
            False,
            "Finished. The model has the first answer, fitted without any",
        ),
        ("stopped", [events.Stopped(None)], True, "Stopped, nothing to keep:"),
    ],
)
def test_where_a_run_stands(state, history, is_stop_asked, words):
    assert ending.sentence(state, history, is_stop_asked).startswith(words)


@pytest.mark.parametrize(
    ("place", "starts_in_s", "words"),
    [
        (1, 0.0, "Starting."),
        (1, None, "Waiting: next in line. It starts by itself"),
        (1, 42.0, "Waiting: next in line, expected to begin in about 40 seconds."),
        (3, 600.0, "Waiting: number 3 of 5 in line, expected to begin in about 10 minutes."),
    ],
)
def test_where_a_run_stands_in_line(place, starts_in_s, words):
    assert ending.sentence("waiting", [], False, Turn(place, 5, starts_in_s)).startswith(words)


@pytest.mark.parametrize(
    ("epoch", "words"),
    [(None, "Paused before its first step."), (0, "Paused in its first epoch."), (4, "Paused after epoch 4.")],
)
def test_where_a_run_is_paused(epoch, words):
    assert ending.sentence("paused", [events.Paused(epoch)], False).startswith(words)


def test_a_failure_is_told_as_it_was_written(tmp_path):
    failed = events.Failed("The disk is full.", "Free some space.", "OSError")
    problem = ending.problem(Run(tmp_path), "failed", [failed])
    assert (problem.problem, problem.advice, problem.detail) == ("The disk is full.", "Free some space.", "OSError")


def test_a_crash_says_how_far_it_came_and_shows_the_end_of_the_log(tmp_path):
    run = Run(tmp_path)
    assert ending.problem(run, "crashed", []).detail == ""
    run.worker_log.write_bytes(b"x" * ending.LOG_BYTES + "Grüße".encode())
    problem = ending.problem(run, "crashed", [BEST])
    assert "It had come to epoch 3." in problem.problem
    assert problem.detail.endswith("Grüße") and len(problem.detail) <= ending.LOG_BYTES
    later = events.EpochEnd(20, "head", 1, 0, 2, 0, 1e-3, 1.0, False)
    assert "It had come to epoch 20." in ending.problem(run, "crashed", [BEST, later]).problem


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ([BEST, events.Trained(3)], "Training is over, but its results"),
        ([BEST, BROKEN], "The disk is full. The results"),
    ],
)
def test_a_crash_while_results_are_made_is_no_crash_of_the_training(tmp_path, history, words):
    problem = ending.problem(Run(tmp_path), "crashed", history)
    assert problem.problem.startswith(words) and "saying why" not in problem.problem


def test_a_crash_on_a_full_disk_says_so(small_disk):
    run = Run(small_disk)
    (small_disk / "crowd").write_bytes(bytes(2**20))
    problem = ending.problem(run, "crashed", [BEST])
    assert "disk of the computer that runs Thaw is full. It had come to epoch 3." in problem.problem
    assert "Free some space, then go on" in problem.advice


@pytest.mark.parametrize("state", ["waiting", "running", "stopping", "finishing", "finished", "stopped"])
def test_everything_else_is_no_problem(tmp_path, state):
    assert ending.problem(Run(tmp_path), state, []) is None
