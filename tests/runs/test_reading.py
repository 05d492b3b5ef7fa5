"""Curves made by hand, and the sentence that a teacher would say about them."""

import math

import pytest

from tlcore.runs import events, reading


def curve(*rows: tuple[float, float, float, float]) -> list[events.Event]:
    """Make a history from (loss, accuracy, val_loss, val_accuracy) of each epoch."""
    return [events.EpochEnd(n, "head", *row, 1e-3, 1.0, is_best=False) for n, row in enumerate(rows, start=1)]


IMPROVING = curve((1.6, 0.3, 1.5, 0.35), (1.2, 0.5, 1.1, 0.55), (0.9, 0.65, 0.9, 0.66), (0.7, 0.75, 0.75, 0.72))
OVERFITTING = curve((1.2, 0.5, 1.1, 0.6), (0.8, 0.7, 0.8, 0.7), (0.4, 0.9, 0.9, 0.7), (0.1, 0.99, 1.2, 0.68))
SETTLED = curve(*[(0.8, 0.7, 0.80, 0.71)] * 2, *[(0.79, 0.7, 0.799, 0.72)] * 4)


@pytest.mark.parametrize(
    ("history", "kind", "words"),
    [
        ([], "none", "No epoch"),
        ([events.BatchEnd(1, 1, 1.0, 0.1, 9.0)], "none", "No epoch"),
        (curve((1.6, 0.3, 1.5, 0.62)), "learning", "after epoch 1 the model names 62%"),
        (curve((100, 0.1, 90, 0.1)), "none", "No better than guessing so far: after epoch 1, 10%"),
        (IMPROVING, "improving", "since epoch 1 the loss on the check pictures fell from 1.50 to 0.75; 72%"),
        (OVERFITTING, "overfitting", "since epoch 2: the loss on training pictures still falls (0.80 to 0.10)"),
        (SETTLED, "settled", "near 0.80 since epoch 3; 72%"),
        (curve((1.0, 0.5, 1.0, 0.5), (math.nan, 0.2, 1.0, 0.2)), "unstable", "in epoch 2 the loss stopped being"),
        (curve((1.0, 0.5, 1.0, 0.5), (0.9, 0.2, math.inf, 0.2)), "unstable", "in epoch 2"),
        (
            curve((1, 0.5, 0.8, 0.5), (1, 0.5, 2.0, 0.4), (1, 0.5, 0.9, 0.5), (1, 0.5, 2.5, 0.4)),
            "unstable",
            "jumped 2 times, last in epoch 4 from 0.90 to 2.50",
        ),
        (curve(*[(1.61, 0.20, 1.61, 0.21)] * 3), "not_learning", "after 3 epochs at most 21%"),
    ],
)
def test_the_sentence_names_what_the_curves_show(history, kind, words):
    found = reading.read(history, majority=0.2)
    assert found.kind == kind
    assert words in found.sentence


def test_one_bad_epoch_is_not_yet_overfitting():
    assert reading.read(OVERFITTING[:3], majority=0.2).kind != "overfitting"


def test_a_falling_training_loss_with_a_flat_check_loss_is_not_overfitting():
    flat = curve((1.0, 0.5, 0.80, 0.7), (0.6, 0.8, 0.79, 0.7), (0.4, 0.9, 0.80, 0.7), (0.3, 0.9, 0.80, 0.7))
    assert reading.read(flat, majority=0.2).kind == "settled"


def test_chance_depends_on_the_largest_class():
    always_largest = curve(*[(0.4, 0.9, 0.4, 0.9)] * 4)
    assert reading.read(always_largest, majority=0.9).kind == "not_learning"
    assert reading.read(always_largest, majority=0.5).kind == "settled"


def test_an_epoch_that_was_done_twice_counts_once():
    assert reading.read([*curve((9, 0, 9, 0)), *IMPROVING], 0.2) == reading.read(IMPROVING, 0.2)


def test_what_is_kept_is_named_rightly_where_the_first_answer_is_better():
    assert reading.read(OVERFITTING).sentence.endswith("by heart; epoch 2 is kept.")
    worse, better = events.FirstAnswer(0.81, 0.7), events.FirstAnswer(0.79, 0.7)
    assert reading.read([worse, *OVERFITTING]).sentence.endswith("by heart; epoch 2 is kept.")
    assert reading.read([better, *OVERFITTING]).sentence.endswith("by heart; the first answer is kept.")
