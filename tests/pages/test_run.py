"""A run in each of its states, and the list of runs."""

import re
from dataclasses import replace

import pytest
from visiting import links, words

from tlcore.runs import events
from tlcore.runs import run as runs
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

PHASE = events.PhaseStarted("head", 1, 4, 2, 10, 100)


def one_epoch(number: int) -> list[events.Event]:
    return [
        events.BatchEnd(number, 1, 1.0, 0.5, 55.0),
        events.BatchEnd(number, 2, 0.9, 0.6, 66.0),
        events.EpochEnd(number, "head", 0.95, 0.55, 1.0 / number, 0.7, 1e-3, 10.0, True),
    ]


def marked(visited) -> list[str]:
    """Return the labels of the menu's entries that we mark."""
    found, blocks = [], [visited.main]
    for block in blocks:
        below = list(block.children.values())
        blocks += [each for each in below if hasattr(each, "children")]
        if getattr(block.proto, "id", "").endswith("thaw-menu-here"):
            found += [each.proto.label for each in below]
    return found


def write(run, *history: events.Event) -> None:
    for event in history:
        run.events.write(event)


@pytest.fixture
def look(visit, filled, run):
    return lambda: visit("run.py", project=filled.id, run=run.id)


def test_while_it_waits_the_page_says_so_and_can_stop_it(look, at_work):
    page = look()
    assert "Starting." in words(page)
    assert not page.button(key="stop").disabled


def test_before_training_the_task_is_shown(look, at_work):
    write(at_work, events.Started("CPU", "a processor"), events.Progress("Fetching weights", 3_000_000, 14_000_000))
    page = look()
    assert page.get("progress")[0].proto.text == "Fetching weights: 3.0 of 14.0 MB"
    assert "Trained on the processor (a processor)" in words(page)


def test_a_live_run_shows_both_curves_pace_and_one_plain_sentence(look, at_work):
    write(at_work, events.Started("GPU", "a card"), events.Note("Batch size 8: <fits>."), PHASE, *one_epoch(1))
    page = look()
    assert len(page.get("plotly_chart")) == 2
    said = words(page)
    assert "after epoch 1 the model names 70% of the check pictures correctly" in said
    assert "<dd>66</dd><dt>pictures per second</dt>" in said
    assert "about 30 seconds" in said
    assert "Trained on the graphics card: a card." in said
    assert page.get("progress")[0].proto.text == "Epoch 2 of at most 4"
    assert any("&lt;fits&gt;" in each.proto.body for each in page.html)


def test_stop_is_asked_once_and_said_at_once(look, at_work):
    write(at_work, events.Started("CPU", "a processor"), PHASE, *one_epoch(1))
    page = look()
    page.button(key="stop").click().run()
    assert at_work.stop_file.exists()
    page = look()
    assert "Stopping" in words(page) and page.button(key="stop").disabled


def test_a_second_window_with_the_same_identity_shows_the_same_run(look, at_work):
    write(at_work, events.Started("CPU", "a processor"), PHASE, *one_epoch(1))
    assert words(look()) == words(look())


def test_while_the_results_are_made_nothing_can_be_stopped(look, at_work):
    write(at_work, events.Started("CPU", "a"), PHASE, *one_epoch(1), events.Stopped(1))
    page = look()
    assert "Stopped. The best epoch, number 1, is kept. The results are being made." in words(page)
    assert not [each for each in page.button if each.key == "stop"]


def test_a_run_stopped_too_early_has_nothing_to_keep(look, run):
    write(run, events.Started("CPU", "a"), events.Stopped(None))
    page = look()
    assert "Stopped, nothing to keep" in words(page)
    assert links(page)["Start again"].endswith("&backbone=mobilenet_v2_035&frozen=4")


def test_the_best_epoch_is_the_best_so_far_only_as_long_as_the_run_learns(look, at_work):
    write(at_work, events.Started("CPU", "a processor"), PHASE, *one_epoch(1))
    assert "Best so far: epoch 1" in look().get("plotly_chart")[0].proto.spec
    write(at_work, events.Trained(1))
    spec = look().get("plotly_chart")[0].proto.spec
    assert "Best: epoch 1" in spec and "Best so far" not in spec


@pytest.mark.parametrize("page", ["run.py", "results.py"])
def test_a_run_and_its_results_are_marked_in_the_menu_as_runs(visit, filled, run, page):
    assert marked(visit(page, project=filled.id, run=run.id)) == ["Runs"]
    assert marked(visit("train.py", project=filled.id)) == []  # Streamlit marks the page's own entry


def test_a_failed_run_says_what_to_do(look, run):
    write(run, events.Failed("The disk is full.", "Free some space.", "OSError 28"))
    page = look()
    assert "The disk is full." in words(page) and "Free some space." in words(page)
    assert page.code[0].value == "OSError 28"


def test_a_run_that_broke_off_says_how_far_it_came(look, run):
    write(run, events.Started("CPU", "a"), PHASE, *one_epoch(1))
    run.worker_log.write_text("Killed\n")
    page = look()
    assert "ended without saying why. It had come to epoch 1." in words(page)
    assert page.code[0].value == "Killed"


def test_a_finished_run_leads_to_its_results(look, run, filled):
    write(run, events.Started("CPU", "a"), PHASE, *one_epoch(1), events.Finished(0.9, 9, 1))
    page = look()
    assert "Finished. The model has the weights of its best epoch, number 1." in words(page)
    page.button(key="results").click().run()
    assert dict(page.query_params) == {"project": filled.id, "run": run.id}
    assert "This run has no results yet." in words(page)  # its report was never written here


def test_a_run_of_another_project_is_not_found(visit, empty, run):
    assert "There is no such run in this project." in words(visit("run.py", project=empty.id, run=run.id))


def test_the_list_names_state_and_choices_of_every_run(visit, filled, run):
    write(run, events.Failed("Something.", "Else."))
    page = visit("runs.py", project=filled.id)
    said = words(page)
    assert (
        "MobileNetV2 0.35" in said
        and "4 of 5 stages frozen · at most 4 epochs · 1 Jan 1970, " in said
        and "Failed" in said
    )
    page.button(key=f"open-{run.id}").click().run()
    assert page.query_params["run"] == run.id


def test_two_runs_of_one_minute_are_told_apart(visit, filled, run):
    recipes.save(replace(run.recipe(), frozen_stages="all"), run.resolved_file)
    other = runs.create(filled.runs / "20260101-000000-0", Recipe("vgg16", optimizer="sgd"), run.dataset(), run.split())
    other.events.file.write_text('{"type": "queued", "time": 31.0}\n')
    said = words(visit("runs.py", project=filled.id))
    assert re.search(r"all 5 stages frozen · at most 4 epochs · [\w ]+, \d\d:\d\d:01</p>", said)
    assert re.search(r"freeze depth chosen by Thaw · SGD · [\w ]+, \d\d:\d\d:31</p>", said)


def test_a_project_without_runs_leads_to_training(visit, filled):
    page = visit("runs.py", project=filled.id)
    assert "No run yet" in words(page)
    assert links(page)["Train"].endswith(f"train?project={filled.id}")
