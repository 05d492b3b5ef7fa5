"""What a spare worker does before it has a run: nothing on a graphics card, and nothing that a run would notice."""

import subprocess
import sys

import keras

from tlcore.training import rehearsal

IS_UNTOUCHED = """
from tlcore.training import rehearsal
from tensorflow.python.eager import context
rehearsal.may_have_a_graphics_card()
print(context.context()._initialized)
"""


def test_importing_what_a_run_needs_starts_no_device():
    answer = subprocess.run([sys.executable, "-c", IS_UNTOUCHED], capture_output=True, text=True)
    assert answer.stdout.split() == ["False"], answer.stderr


def test_nothing_more_is_done_where_a_graphics_card_may_be(tmp_path, monkeypatch):
    monkeypatch.setattr(rehearsal, "SIGNS_OF_A_CARD", (str(tmp_path),))
    asked = []
    rehearsal.rehearse(until=lambda: bool(asked.append(True)))
    assert asked == []


def test_a_card_that_is_hidden_from_training_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(rehearsal, "SIGNS_OF_A_CARD", (str(tmp_path),))
    assert rehearsal.may_have_a_graphics_card()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert not rehearsal.may_have_a_graphics_card()


def test_a_rehearsal_leaves_no_trace_in_the_names_of_layers(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    rehearsal.rehearse(until=lambda: False)
    assert keras.layers.Dense(2).name == "dense"


def test_a_rehearsal_ends_when_the_run_is_there(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    asked = []
    rehearsal.rehearse(until=lambda: bool(asked.append(True)) or len(asked) == 2)
    assert len(asked) == 2
