"""Training that is interrupted and goes on ends as if nothing had been: bit for bit, on a processor."""

import contextlib
import math
import random
import shutil
import threading

import numpy as np
import pytest
from interrupting import batches_of, curve_of, learn_with_pauses, weights_of

from tlcore import workspace
from tlcore.errors import Unstable
from tlcore.runs import events, interruption, position
from tlcore.runs import run as runs
from tlcore.training import batches, callbacks, keeping, snapshot, step, training


@pytest.mark.parametrize(
    "choices",
    [
        {"augment": "light", "views": 2, "frozen_stages": 3, "epochs": 2},
        {"augment": "light", "views": 0, "optimizer": "sgd", "epochs": 1},
        {"step_parts": 2, "augment": "none", "class_weights": True, "epochs": 1},
        {"frozen_stages": "all", "head_start": "fitted", "hidden_units": 0, "epochs": 2},
        {"weights": "random", "frozen_stages": "none", "augment": "strong", "dropout": 0.5, "epochs": 1},
    ],
    ids=["kept views", "new views", "steps in parts", "a head only", "everything learns"],
)
def test_a_run_that_pauses_after_every_step_ends_with_the_same_weights_and_curve(pair, choices, monkeypatch):
    monkeypatch.setattr(callbacks, "BATCH_EVENT_EVERY_S", 0.0)
    whole, paused = pair(**choices)
    training.learn(whole)
    pauses = learn_with_pauses(paused)
    steps = len(curve_of(whole)) * -(-len(whole.split().train) // whole.recipe().batch_size)
    assert steps <= pauses + 1 <= steps + 3  # after each but one that ends a phase, and once before each phase
    expected, found = weights_of(whole), weights_of(paused)
    assert expected.keys() == found.keys()
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    assert curve_of(whole) == curve_of(paused)
    places = [(went.epoch, went.step) for went in events.of_type(paused.events.read()[0], events.WentOn)]
    assert len(places) == pauses and places == sorted(places) and (0, 0) not in places  # nothing was done twice
    in_one, gone_on = batches_of(whole), batches_of(paused)
    assert in_one.keys() == gone_on.keys() and len(in_one) == steps * (choices.get("step_parts") or 1)
    for place, values in in_one.items():
        assert gone_on[place] == pytest.approx(values, abs=1e-3)


def test_a_run_whose_first_steps_turn_out_to_be_long_is_the_same_if_it_is_paused_among_them(pair, monkeypatch):
    monkeypatch.setattr(step, "TRIAL_FROM_S", 0.0)  # whatever the work is guessed to be
    monkeypatch.setattr(step, "LONGEST_S", 0.0)  # however short they are, and few
    monkeypatch.setattr(step, "WORTH_S", 0.0)
    own = {"frozen_stages": "all", "head_start": "random", "precision": "float32", "xla": False}
    whole, paused = pair(**own, augment="none", epochs=2, batch_size=8)
    training.learn(whole)
    (workspace.home() / "timings.json").unlink()
    look = step.WatchSteps.on_train_batch_end

    def pause_in_the_second_step(watching, batch, logs=None):
        if batch == 1 and not events.of_type(paused.events.read()[0], events.WentOn):
            runs.ask_to_pause(paused)
        look(watching, batch, logs)

    monkeypatch.setattr(step.WatchSteps, "on_train_batch_end", pause_in_the_second_step)
    with pytest.raises(training.PauseAsked):
        training.learn(paused)
    assert paused.recipe().step_parts is None and position.newest(paused.checkpoints)[1].is_beginning
    paused.pause_file.unlink()
    training.learn(paused)
    assert whole.recipe().step_parts == paused.recipe().step_parts == 2
    expected, found = weights_of(whole), weights_of(paused)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)


def test_who_pauses_while_a_new_view_is_made_loses_no_epoch(pair, monkeypatch):
    monkeypatch.setenv("THAW_SNAPSHOT_S", "1000")
    run, _ = pair(augment="light", views=3, frozen_stages="all", epochs=4, seed=7)
    begin = batches.FollowEpoch.on_epoch_begin

    def pause_before_the_third(following, epoch, logs=None):
        if epoch == 2 and not events.of_type(run.events.read()[0], events.WentOn):
            runs.ask_to_pause(run)
        begin(following, epoch, logs)

    monkeypatch.setattr(batches.FollowEpoch, "on_epoch_begin", pause_before_the_third)
    with pytest.raises(training.PauseAsked):
        training.learn(run)
    run.pause_file.unlink()
    training.learn(run)
    told = run.events.read()[0]
    assert [(went.epoch, went.step) for went in events.of_type(told, events.WentOn)] == [(3, 0)]
    assert [end.epoch for end in events.of_type(told, events.EpochEnd)] == [1, 2, 3, 4]


def test_what_was_settled_is_not_chosen_anew(pair):
    first, _ = pair(epochs=2)
    training.learn(first)
    settled = first.resolved_file.read_bytes()
    notes = len(events.of_type(first.events.all(), events.Note))
    training.learn(first)
    assert first.resolved_file.read_bytes() == settled
    assert len(events.of_type(first.events.all(), events.Note)) == notes
    assert first.recipe().threads and first.recipe().views is not None


def leave_no_room_for_places(monkeypatch) -> None:
    write = np.savez

    def without_room(file, **arrays):
        if "place" in file.name:
            raise OSError(28, "No space left on device")
        write(file, **arrays)

    monkeypatch.setattr(np, "savez", without_room)


def test_who_pauses_where_there_is_no_room_for_the_place_is_told_and_loses_nothing(pair, monkeypatch):
    whole, full = pair(augment="none")
    training.learn(whole)  # features are there from now on: a wish to pause would be heard before
    leave_no_room_for_places(monkeypatch)
    runs.ask_to_pause(full)
    with pytest.raises(training.PauseAsked):  # before the first step: nothing is lost
        callbacks.ReportProgress(full, "Reading pictures")(1, 2)
    begun = events.EventLog.write

    def pause_once_it_learns(log, event):
        begun(log, event)
        if isinstance(event, events.PhaseStarted):
            runs.ask_to_pause(full)

    full.pause_file.unlink()
    monkeypatch.setattr(events.EventLog, "write", pause_once_it_learns)
    training.learn(full)
    assert not full.pause_file.exists()
    notes = [note.message for note in events.of_type(full.events.all(), events.Note)]
    assert any(note.startswith("It was not paused") for note in notes)
    expected, found = weights_of(whole), weights_of(full)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)


def test_training_that_is_over_is_over_before_the_places_are_gone(pair, monkeypatch):
    run, _ = pair(augment="none", epochs=2)
    remove, seen = snapshot.remove, []

    def look(folder):
        if position.numbered(folder):
            seen.append(events.last(run.events.all(), events.Trained))
        remove(folder)

    monkeypatch.setattr(snapshot, "remove", look)
    training.learn(run)
    assert len(seen) == 1 and seen[0].kept_epoch == position.epoch_of(run.best_checkpoint)
    assert position.numbered(run.checkpoints) == []


def test_a_snapshot_that_cannot_be_written_is_said_once_and_training_goes_on(pair, monkeypatch):
    monkeypatch.setenv("THAW_SNAPSHOT_S", "0.001")
    whole, full = pair(augment="none")
    training.learn(whole)
    leave_no_room_for_places(monkeypatch)
    training.learn(full)
    notes = [note.message for note in events.of_type(full.events.all(), events.Note)]
    assert sum("could not be kept" in note for note in notes) == 1
    expected, found = weights_of(whole), weights_of(full)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)


def test_a_copy_taken_at_any_moment_can_be_read_and_goes_on_to_the_same_weights(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "SHARE", math.inf)
    monkeypatch.setenv("THAW_SNAPSHOT_S", "0.001")
    whole, copied = pair(augment="none", epochs=4)
    training.learn(whole)
    copies, ending = [], threading.Event()

    def copy_now_and_then() -> None:  # file by file while they change, as a loss of power may leave them
        while not ending.wait(0.02):
            copies.append(tmp_path / f"copy {len(copies)}")
            copies[-1].mkdir()
            for file in [each for each in copied.folder.rglob("*") if each.is_file()]:
                there = copies[-1] / file.relative_to(copied.folder)
                there.parent.mkdir(exist_ok=True)
                with contextlib.suppress(FileNotFoundError):  # replaced by a newer one meanwhile
                    shutil.copy(file, there)

    copying = threading.Thread(target=copy_now_and_then)
    copying.start()
    training.learn(copied)
    ending.set()
    copying.join()
    assert len(copies) > 10
    for copy in copies:
        runs.state(runs.Run(copy))
        position.newest(copy / "checkpoints")
    for copy in random.Random(0).sample(copies, 2):
        again = runs.Run(copy)
        training.learn(again)
        expected, found = weights_of(whole), weights_of(again)
        assert all(np.array_equal(expected[name], found[name]) for name in expected)
        assert curve_of(whole) == curve_of(again)


def test_a_run_that_became_unstable_goes_on_from_a_sound_place_with_a_tenth_of_the_rates(pair, monkeypatch):
    monkeypatch.setattr(keeping, "SHARE", math.inf)
    monkeypatch.setenv("THAW_SNAPSHOT_S", "0.001")
    run, _ = pair(augment="none", epochs=6, frozen_stages="all", optimizer="sgd", head_lr=0.01, early_stopping=False)
    write = np.savez

    def spoil(file, **arrays):
        """Let the numbers grow out of all bounds in the second epoch, once."""
        write(file, **arrays)
        if "place" in file.name and len(curve_of(run)) == 2 and not spoilt:
            spoilt.append(file)
            layer.kernel.assign(np.full(layer.kernel.shape, 1e38, "float32"))

    spoilt, built = [], training.classifier.build

    def build(*arguments, **options):
        nonlocal layer
        parts = built(*arguments, **options)
        layer = parts.head[-1]
        return parts

    layer = None
    monkeypatch.setattr(training.classifier, "build", build)
    monkeypatch.setattr(np, "savez", spoil)
    with pytest.raises(Unstable, match="Go on"):
        training.learn(run)
    assert spoilt
    place = position.newest(run.checkpoints)[0]
    with np.load(place) as kept:
        assert all(np.isfinite(kept[name]).all() for name in kept.files if name != position.PLACE_KEY)
    run.events.write(interruption.event_of(run, callbacks.unstable(3)))
    runs.prepare_to_resume(run)
    assert run.recipe().head_lr == pytest.approx(0.001)
    training.learn(run)
    assert sorted(curve_of(run)) == [1, 2, 3, 4, 5, 6]
    assert any("a tenth" in note.message for note in events.of_type(run.events.all(), events.Note))
