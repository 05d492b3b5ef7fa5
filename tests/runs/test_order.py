"""However often the button is pressed, one order puts one run in line."""

import json
import threading
import time
from dataclasses import replace

import filelock
import pytest
from processes import wait_for

from tlcore.errors import RecipeError, TrainingError, UserError
from tlcore.images import split
from tlcore.runs import events, order, queue
from tlcore.runs import run as runs
from tlcore.training.recipe import Recipe

RECIPE = Recipe(backbone="vgg16", frozen_stages=3)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


@pytest.fixture
def press(tmp_path, drawn_dataset):
    """Return a function that presses Start."""
    parts = split.draw(drawn_dataset, 0.15, 0.15, 0)

    def once(recipe: Recipe = RECIPE, person: str = "me") -> runs.Run:
        return order.place(tmp_path / "runs", recipe, drawn_dataset, parts, person)

    return once


def waiting() -> list[str]:
    return [ticket.folder.name for ticket in queue.line()]


def test_a_double_click_orders_one_run(press):
    run = press()
    assert press() == run and waiting() == [run.id] and runs.state(run) == "waiting"


def test_after_the_clock_was_put_back_the_same_order_is_another_one(press):
    first = press()
    ahead = f'{{"type": "queued", "time": {time.time() + 3600}}}\n'
    first.events.file.write_text(ahead)
    assert press() != first


def test_ten_hands_at_once_order_one_run(press):
    hands = [threading.Thread(target=press) for _ in range(10)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert len(waiting()) == 1


def test_two_people_who_press_at_once_have_a_run_each(press):
    mine, yours = press(), press(person="you")
    assert mine != yours
    assert (press(), press(person="you")) == (mine, yours) and len(waiting()) == 2


def test_an_order_between_the_two_presses_of_a_double_click_makes_no_third_run(press, tmp_path):
    first, epochs = press(), 1
    while runs.runs_in(tmp_path / "runs")[0] == first:  # names of one second are in no order
        press(replace(RECIPE, epochs=(epochs := epochs + 1)), "you")
    before = len(waiting())
    assert press() == first and len(waiting()) == before


def test_other_choices_are_another_order(press):
    press()
    press(Recipe(backbone="vgg16", frozen_stages=4))
    assert len(waiting()) == 2


def test_the_same_choices_later_or_after_a_stop_are_another_order(press):
    first = press()
    runs.ask_to_stop(first)
    second = press()
    assert second != first
    second.events.file.write_text(json.dumps({"type": "queued", "time": 1.0}) + "\n")
    press()
    assert len(waiting()) == 3


def test_a_choice_out_of_range_orders_nothing(press, tmp_path):
    with pytest.raises(RecipeError):
        press(Recipe(epochs=0))
    assert waiting() == [] and not (tmp_path / "runs").exists()


def test_who_has_enough_runs_waiting_is_told_and_nothing_is_written(press, tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_WAITING", "1")
    press()
    with pytest.raises(UserError, match="You have 1 run waiting, and that is as many as one person may have"):
        press(Recipe(backbone="vgg16", frozen_stages=4))
    assert len(runs.runs_in(tmp_path / "runs")) == 1
    press(Recipe(backbone="vgg16", frozen_stages=4), "another")
    assert len(waiting()) == 2


def test_an_order_that_finds_a_full_disk_leaves_nothing_behind_and_can_be_given_again(press, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as changed:
        changed.setattr(queue, "enter", refuse)
        with pytest.raises(OSError, match="No space"):
            press()
    assert runs.runs_in(tmp_path / "runs") == ()
    again = press()
    assert waiting() == [again.id]


@pytest.fixture
def paused(press) -> runs.Run:
    """A run that was paused after two epochs."""
    run = press()
    queue.leave(run.folder)
    for event in (events.Started("CPU", "a"), events.Paused(2)):
        run.events.write(event)
    return run


def test_however_often_one_asks_a_paused_run_goes_on_once(paused):
    runs.ask_to_pause(paused)
    assert order.resume(paused, "me")
    assert not order.resume(paused, "me")
    assert waiting() == [paused.id] and runs.state(paused) == "waiting" and not paused.pause_file.exists()


def test_whoever_works_on_a_run_now_puts_it_in_no_line(paused):
    assert order.resume(paused)
    assert waiting() == []


def test_a_run_goes_on_only_when_who_worked_on_it_has_let_go(paused, monkeypatch):
    monkeypatch.setattr(order, "LET_GO_S", 0.1)
    with filelock.FileLock(paused.lock_file), pytest.raises(TrainingError, match="still being worked on"):
        order.resume(paused, "me")
    assert waiting() == [] and runs.state(paused) == "paused"


def test_a_paused_run_that_is_stopped_is_ended_and_a_running_one_is_only_asked(paused):
    ended = []
    order.stop(paused, ended.append)
    assert ended == [paused] and paused.stop_file.exists()
    order.stop(paused, ended.append)
    assert ended == [paused]


def test_a_waiting_run_that_is_stopped_leaves_the_line_and_is_ended(press):
    run, ended = press(), []
    order.stop(run, ended.append)
    assert ended == [run] and waiting() == [] and run.stop_file.exists()


def test_a_waiting_run_that_is_paused_leaves_the_line_and_can_enter_it_again(press):
    run = press()
    order.pause(run)
    assert waiting() == [] and runs.state(run) == "paused"
    assert order.resume(run, "me") and waiting() == [run.id]


def test_a_cancelled_run_is_over_within_seconds_without_any_network(press):
    run = press()
    order.stop(run)
    assert wait_for(run, events.Stopped, seconds=20).kept_epoch is None
    assert runs.state(run) == "stopped" and "Traceback" not in run.worker_log.read_text()
