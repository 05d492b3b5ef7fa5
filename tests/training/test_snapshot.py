"""From which of the places that were kept a run goes on, and which of its best weights count."""

import random
from dataclasses import replace

import keras
import numpy as np
import pytest
from interrupting import curve_of, last_went_on, learn_with_pauses, pause_until, weights_of

from tlcore.runs import events, position
from tlcore.runs import run as runs
from tlcore.training import checkpoint, keeping, recipe, training


def tell_best(run, **told) -> None:
    """Let the best weights of a run be those of another epoch or loss."""
    with np.load(run.best_checkpoint) as saved:
        arrays = {name: saved[name] for name in saved.files} | {name: np.asarray(value) for name, value in told.items()}
    np.savez(run.best_checkpoint, **arrays)


def test_the_last_two_snapshots_are_kept_and_a_damaged_one_gives_way_to_the_one_before(pair):
    whole, paused = pair(augment="none", frozen_stages="all")
    training.learn(whole)
    for _ in range(4):
        runs.ask_to_pause(paused)
        with pytest.raises(training.PauseAsked):
            training.learn(paused)
    kept = position.numbered(paused.checkpoints)
    assert len(kept) == 2
    content = kept[-1].read_bytes()
    kept[-1].write_bytes(content[: random.Random(0).randrange(len(content))])
    assert position.newest(paused.checkpoints)[0] == kept[0]
    learn_with_pauses(paused)
    expected, found = weights_of(whole), weights_of(paused)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)


def test_a_place_in_the_first_phase_is_gone_on_from_until_the_second_has_kept_weights(pair):
    whole, broken = pair(augment="none")
    training.learn(whole)
    pause_until(broken, lambda: events.last(broken.events.all(), events.PhaseStarted)
                and events.last(broken.events.all(), events.PhaseStarted).phase == "fine-tuning")  # fmt: skip
    kept = position.numbered(broken.checkpoints)
    assert [place.phase for _, place in map(position.newest, [broken.checkpoints])] == ["fine-tuning"]
    kept[-1].write_bytes(b"dark")  # the one before is of the head
    assert position.newest(broken.checkpoints)[1].phase == "head"
    training.learn(broken)
    assert last_went_on(broken).epoch >= 1
    expected, found = weights_of(whole), weights_of(broken)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    assert curve_of(whole) == curve_of(broken)


def test_a_place_in_the_first_phase_is_of_no_use_once_the_second_has_kept_weights(pair):
    whole, broken = pair(augment="none")
    training.learn(whole)
    pause_until(broken, lambda: len(events.of_type(broken.events.all(), events.PhaseStarted)) == 2)
    position.numbered(broken.checkpoints)[-1].unlink()
    assert position.newest(broken.checkpoints)[1].phase == "head"
    tell_best(broken, epoch=2)
    training.learn(broken)
    assert (last_went_on(broken).epoch, last_went_on(broken).step) == (0, 0)
    expected, found = weights_of(whole), weights_of(broken)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    assert curve_of(whole) == curve_of(broken)


def test_best_weights_behind_the_place_are_kept_where_who_goes_on_is_stopped_before_it(pair):
    run, _ = pair(augment="none", frozen_stages="all", epochs=4)
    pause_until(run, lambda: len(curve_of(run)) == 1)
    tell_best(run, epoch=3, loss=1e-9)  # as if the worker had been killed long after its last snapshot
    runs.ask_to_stop(run)
    with pytest.raises(training.StopAsked):
        training.learn(run)
    run.keep_better()
    assert position.epoch_of(run.best_checkpoint) == 3
    run.stop_file.unlink()
    training.learn(run)
    assert last_went_on(run).epoch == 2
    assert events.last(run.events.all(), events.Trained).kept_epoch == 3


def test_a_run_that_goes_on_with_steps_in_other_parts_begins_its_epoch_and_its_optimizer_anew(pair):
    run, _ = pair(augment="none", frozen_stages="all", epochs=3, step_parts=2)
    pause_until(run, lambda: (found := position.newest(run.checkpoints)) and found[1].step and found[1].epoch == 2)
    recipe.save(replace(run.recipe(), step_parts=4), run.resolved_file)
    training.learn(run)
    assert (last_went_on(run).epoch, last_went_on(run).step) == (2, 0)
    told = events.of_type(run.events.all(), events.PhaseStarted)
    assert [phase.first_epoch for phase in told] == [1, 2]
    assert told[1].steps_per_epoch == 2 * told[0].steps_per_epoch
    assert sorted(curve_of(run)) == [1, 2, 3]


def test_a_damaged_place_is_removed_so_that_it_does_not_push_out_the_one_before(pair):
    run, _ = pair(augment="none")
    pause_until(run, lambda: len(position.numbered(run.checkpoints)) == 2)
    good, damaged = position.numbered(run.checkpoints)
    damaged.write_bytes(b"dark")
    assert keeping.earlier(run).file == good
    assert position.numbered(run.checkpoints) == [good]


def test_the_better_weights_of_an_earlier_try_are_kept(new_run):
    run = new_run()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    checkpoint.save(model, 25, run.best_checkpoint, loss=0.2)
    keeping.begin_anew(run)
    assert not run.best_checkpoint.exists()
    checkpoint.save(model, 1, run.best_checkpoint, loss=0.9)
    run.keep_better()
    assert position.epoch_of(run.best_checkpoint) == 25 and not run.earlier_checkpoint.exists()
    keeping.begin_anew(run)
    checkpoint.save(model, 7, run.best_checkpoint, loss=0.1)
    run.keep_better()
    assert position.epoch_of(run.best_checkpoint) == 7


def test_a_run_whose_best_weights_were_damaged_goes_on_and_looks_for_the_best_epoch_anew(pair):
    run, whole = pair(augment="none", epochs=4, frozen_stages="all")
    training.learn(whole)  # features are there from now on: a wish to pause would be heard before
    for _ in range(6):
        runs.ask_to_pause(run)
        with pytest.raises(training.PauseAsked):
            training.learn(run)
    assert position.newest(run.checkpoints)[1].best_epoch is not None
    run.best_checkpoint.write_bytes(b"dark")
    done = max(curve_of(run))
    run.pause_file.unlink()
    training.learn(run)
    assert sorted(curve_of(run)) == [1, 2, 3, 4]
    assert position.epoch_of(run.best_checkpoint) > done
    assert any("went dark" in note.message for note in events.of_type(run.events.all(), events.Note))


def test_a_phase_whose_beginning_was_lost_is_announced_again(pair):
    run, whole = pair(augment="none", epochs=2)
    training.learn(whole)
    for _ in range(2):
        runs.ask_to_pause(run)
        with pytest.raises(training.PauseAsked):
            training.learn(run)
    lines = run.events.file.read_text().splitlines(keepends=True)
    run.events.file.write_text("".join(line for line in lines if "phase_started" not in line))
    run.pause_file.unlink()
    training.learn(run)
    assert [phase.phase for phase in events.of_type(run.events.all(), events.PhaseStarted)] == ["head", "fine-tuning"]
