"""However often the button is pressed, one order starts one run."""

import json
import threading

import pytest

from tlcore.errors import RecipeError
from tlcore.images import split
from tlcore.runs import order
from tlcore.runs import run as runs
from tlcore.training.recipe import Recipe

RECIPE = Recipe(backbone="vgg16", frozen_stages=3)


@pytest.fixture
def press(tmp_path, drawn_dataset):
    """Return a function that presses Start, and the list of what was started."""
    started = []
    parts = split.draw(drawn_dataset, 0.15, 0.15, 0)

    def once(recipe: Recipe = RECIPE) -> runs.Run:
        return order.place(tmp_path / "runs", recipe, drawn_dataset, parts, start=started.append)

    return once, started


def test_a_double_click_starts_one_run(press):
    once, started = press
    assert once() == once()
    assert len(started) == 1


def test_ten_hands_at_once_start_one_run(press):
    once, started = press
    hands = [threading.Thread(target=once) for _ in range(10)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert len(started) == 1


def test_other_choices_are_another_order(press):
    once, started = press
    once()
    once(Recipe(backbone="vgg16", frozen_stages=4))
    assert len(started) == 2


def test_the_same_choices_later_or_after_a_stop_are_another_order(press):
    once, started = press
    first = once()
    runs.ask_to_stop(first)
    second = once()
    assert second != first
    second.events.file.write_text(json.dumps({"type": "queued", "time": 1.0}) + "\n")
    once()
    assert len(started) == 3


def test_a_choice_out_of_range_starts_nothing(press, tmp_path):
    once, started = press
    with pytest.raises(RecipeError):
        once(Recipe(epochs=0))
    assert started == [] and not (tmp_path / "runs").exists()
