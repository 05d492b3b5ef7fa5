"""The table of runs: compared, opened, deleted and taken back, used again."""

import os
import re
import time
from dataclasses import replace

import filelock
import pytest
from visiting import links, words

from pages.parts import problems
from tlcore import deletion, removal
from tlcore.runs import events, queue
from tlcore.runs import run as runs
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

LONG_AGO = time.strftime("%d %b %Y", time.localtime(1.0)).lstrip("0")
"""The day on which the runs of these tests were handed over, where they run."""


@pytest.fixture
def table(visit, filled):
    return lambda: visit("runs.py", project=filled.id)


@pytest.fixture
def another(filled, run):
    """Return a function that makes one more run of the project."""

    def make(number: int, *told: events.Event, **choices) -> runs.Run:
        recipe = Recipe("vgg16", **choices)
        made = runs.create(filled.runs / f"20260101-00000{number}-0000000{number}", recipe, run.dataset(), run.split())
        made.events.file.write_text(f'{{"type": "queued", "time": {number}.0}}\n')
        for event in told:
            made.events.write(event)
        return made

    return make


def rows(page) -> list[str]:
    """Return the runs in the order in which the table shows them."""
    return [each.key.removeprefix("open-") for each in page.button if (each.key or "").startswith("open-")]


def test_the_table_names_settings_state_and_moment_of_every_run(table, run):
    run.events.write(events.Failed("Something.", "Else."))
    page = table()
    said = words(page)
    assert "MobileNetV2 0.35" in said and "4 of 5 stages frozen · at most 4 epochs" in said
    assert f"{LONG_AGO}, " in said and "Failed" in said and "none yet" in said and "not begun" in said
    page.button(key=f"open-{run.id}").click().run()
    assert page.query_params["run"] == run.id


def test_two_runs_of_one_minute_are_told_apart(table, run, another):
    recipes.save(replace(run.recipe(), frozen_stages="all"), run.resolved_file)
    another(7, optimizer="sgd")
    said = words(table())
    assert "all 5 stages frozen · at most 4 epochs" in said and "freeze depth chosen by Thaw · SGD" in said
    assert re.search(r"\d\d:\d\d:01</p>", said) and re.search(r"\d\d:\d\d:07</p>", said)


def test_runs_are_put_in_order_by_moment_result_or_time(table, run, another):
    quick = another(2, events.Started("CPU", "a", time=10.0), events.Stopped(None, time=12.0))
    slow = another(3, events.Started("CPU", "a", time=10.0), events.Stopped(None, time=99.0))
    page = table()
    assert rows(page)[0] == slow.id
    page.selectbox(key="order").select("The quickest first").run()
    assert rows(page) == [run.id, quick.id, slow.id]
    assert "5 seconds" in words(page) and "90 seconds" in words(page)


def test_a_deleted_run_is_gone_and_can_be_taken_back(table, run):
    page = table()
    page.button(key=f"delete-{run.id}").click().run()
    assert rows(page) == [] and not run.folder.exists()
    assert f"Deleted: MobileNetV2 0.35, {LONG_AGO}" in words(page)
    page.button(key=f"undo-{run.id}").click().run()
    assert rows(page) == [run.id] and run.recipe_file.is_file()


def test_an_undo_that_comes_too_late_is_said_to_be(table, run, monkeypatch):
    page = table()
    page.button(key=f"delete-{run.id}").click().run()
    (removed,) = removal.laid_aside(run.folder.parent)
    removal.remove(removed)  # the ten minutes are over, and the page still stands there
    page.button(key=f"undo-{run.id}").click().run()
    assert "It is too late: this was removed for good." in words(page)
    assert "too late" in words(page.run())  # the page draws itself anew every few seconds
    monkeypatch.setattr(problems, "REMIND_S", 0.0)
    assert "too late" not in words(page.run())


def test_a_run_that_was_looked_at_before_is_read_again_when_its_files_change(table, run):
    assert "Broke off" in words(table())
    run.events.write(events.Failed("Something.", "Else."))
    os.utime(run.events.file, (1.0, 1.0))  # a clock that was put back
    assert "Failed" in words(table())


@pytest.mark.parametrize(
    ("end", "words_of_it", "look"),
    [
        (events.Stopped(1), "Stopped, with results", "thaw-dot-good"),
        (events.Interrupted(1, "Training ended suddenly.", "Close."), "Broke off, with results", "thaw-dot-warm"),
    ],
)
def test_how_a_training_ended_that_did_not_end_by_itself_stands_in_the_table(table, run, visit, end, words_of_it, look):
    for event in (events.Started("CPU", "a"), end, events.Finished(0.9, 9, 1)):
        run.events.write(event)
    page = table()
    assert words_of_it in words(page) and any(look in each.proto.body for each in page.html)
    assert f"the newest {words_of_it.lower()}" in words(visit())


def test_a_run_that_was_just_taken_up_stays_and_so_does_the_table(table, run, another, monkeypatch):
    other = another(5)
    queue.enter(run.folder, "me")
    page = table()
    monkeypatch.setattr(deletion, "LET_GO_S", 0.1)
    with filelock.FileLock(run.lock_file):
        page.button(key=f"delete-{run.id}").click().run()
        assert "still at work, so it cannot be deleted" in words(page)
        assert rows(page) == [other.id, run.id] and run.folder.exists()
        assert "still at work, so it cannot be deleted" in words(page.run())


def test_a_run_that_is_just_starting_cannot_be_deleted(table, at_work):
    assert runs.state(at_work) == "waiting"
    assert table().button(key=f"delete-{at_work.id}").disabled


def test_as_long_as_a_run_can_be_taken_back_its_pictures_stay(table, run, visit, filled):
    table().button(key=f"delete-{run.id}").click().run()
    said = words(visit("pictures.py", project=filled.id))
    assert "Until then they can be taken back, on the page Runs." in said and "Bring in other pictures" not in said
    table().button(key=f"now-{run.id}").click().run()
    assert "Bring in other pictures" in words(visit("pictures.py", project=filled.id))


def test_a_run_at_work_cannot_be_deleted(table, at_work):
    at_work.events.write(events.Started("CPU", "a"))
    assert table().button(key=f"delete-{at_work.id}").disabled


def test_the_settings_of_a_run_can_be_used_again(table, run, filled, visit):
    page = table()
    page.button(key=f"again-{run.id}").click().run()
    carried = {"project": filled.id, "again": run.id, "backbone": "mobilenet_v2_035", "frozen": "4"}
    assert dict(page.query_params) == carried
    assert page.number_input(key=f"setting-epochs-{run.id}").value == 4
    page = visit("train.py", **carried)
    page.number_input(key=f"setting-epochs-{run.id}").set_value(None).run()  # so that Thaw chooses again
    assert page.number_input(key=f"setting-epochs-{run.id}").value is None


def test_a_project_without_runs_leads_to_training(table, filled):
    page = table()
    assert "No run yet" in words(page)
    assert links(page)["Train"].endswith(f"train?project={filled.id}")


def test_a_run_whose_files_are_damaged_is_named_and_can_be_deleted_and_the_others_are_shown(table, run, another):
    other = another(5)
    run.recipe_file.write_text("")
    page = table()
    assert rows(page) == [other.id] and f"The files of the run {run.id} are damaged" in words(page)
    page.button(key=f"delete-{run.id}").click().run()
    assert not run.folder.exists() and f"Deleted: the run {run.id}" in words(page)
