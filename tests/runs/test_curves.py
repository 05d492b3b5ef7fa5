"""From events to figures."""

import pytest

from tlcore.runs import curves, events


def history_of(epochs: int, steps: int = 4) -> list[events.Event]:
    """A head phase of two epochs, then fine-tuning; the third epoch is the best."""
    history: list[events.Event] = [events.PhaseStarted("head", 1, 2, steps, 10, 100)]
    for epoch in range(1, epochs + 1):
        if epoch == 3:
            history.append(events.PhaseStarted("fine-tuning", 3, 6, steps, 60, 100))
        phase = "head" if epoch < 3 else "fine-tuning"
        history += [events.BatchEnd(epoch, step, 1 / epoch, 0.5, 90.0) for step in range(1, steps + 1)]
        history.append(events.EpochEnd(epoch, phase, 1 / epoch, 0.5, 1.1 / epoch, 0.45, 1e-3, 2.0, epoch <= 3))
    return history


def trace(figure, name):
    return next(trace for trace in figure.data if trace.name.startswith(name))


def test_batches_lie_on_the_way_to_the_end_of_their_epoch():
    assert list(curves.batches(history_of(2))["x"]) == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]


def test_a_phase_that_goes_on_in_other_parts_is_named_once_and_its_batches_lie_where_they_belong():
    history = [*history_of(2), events.PhaseStarted("head", 3, 4, 8, 10, 100), events.BatchEnd(3, 4, 1.0, 0.5, 9.0)]
    assert list(curves.batches(history)["x"]) == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5]
    titles = [each.text for each in curves.figure(history, "loss").layout.annotations]
    assert titles == ["New final layers"]


def test_nothing_yet_gives_an_empty_figure():
    for metric in ("loss", "accuracy"):
        assert all(len(trace.x) == 0 for trace in curves.figure([], metric).data)
        assert "no epoch is over" in curves.description([], metric)


@pytest.mark.parametrize(("metric", "training", "check"), [("loss", 1 / 4, 1.1 / 4), ("accuracy", 0.5, 0.45)])
def test_training_is_drawn_per_batch_and_check_per_epoch(metric, training, check):
    figure = curves.figure(history_of(4), metric)
    assert (len(trace(figure, "Training").x), trace(figure, "Training").y[-1]) == (16, training)
    assert (list(trace(figure, "Check").x), trace(figure, "Check").y[-1]) == ([1, 2, 3, 4], check)


def test_both_phases_and_the_best_epoch_are_marked():
    figure = curves.figure(history_of(5), "loss")
    assert [(note.text, note.x) for note in figure.layout.annotations] == [("New final layers", 0), ("Fine-tuning", 2)]
    assert list(trace(figure, "Best so far: epoch 3").x) == [3]


def test_after_the_end_the_best_epoch_is_no_longer_the_best_so_far():
    assert list(trace(curves.figure(history_of(5), "loss", is_over=True), "Best: epoch 3").x) == [3]


def test_the_first_answer_is_a_line_that_training_has_to_beat():
    history = [events.FirstAnswer(0.4, 0.8), *history_of(2)]
    for metric, value in (("loss", 0.4), ("accuracy", 0.8)):
        assert list(trace(curves.figure(history, metric), "First answer").y) == [value, value]
    assert all(not line.name.startswith("First") for line in curves.figure(history_of(2), "loss").data)


def test_a_long_run_is_thinned_and_keeps_its_mean_and_ends():
    frame = curves.batches(history_of(300, steps=100))
    thinned = curves.thin(frame)
    assert len(frame) == 30_000 and len(thinned) <= curves.MAX_POINTS
    assert thinned["loss"].mean() == pytest.approx(frame["loss"].mean(), rel=1e-9)
    assert thinned["x"].is_monotonic_increasing and thinned["x"].iloc[-1] > 299.9


def test_an_epoch_done_twice_is_drawn_once():
    twice = history_of(2) + history_of(2)
    assert len(curves.epochs(twice)) == 2
    assert len(curves.batches(twice)) == 8


def test_the_description_says_the_numbers():
    words = "Loss after epoch 4: 0.250 on training pictures, 0.275 on check pictures."
    assert curves.description(history_of(4), "loss") == words
