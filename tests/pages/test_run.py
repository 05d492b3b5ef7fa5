"""A run in each of its states, and the list of runs."""

import filelock
import pytest
from processes import until
from visiting import ME, links, words

from tlcore.runs import events, queue, slots
from tlcore.runs import run as runs

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


def test_in_line_the_page_says_where_and_the_run_can_leave_it(look, run, home):
    for name in ("ahead", "behind"):
        (home / name).mkdir()
    queue.enter(home / "ahead", "you")
    queue.enter(run.folder, "me")
    queue.enter(home / "behind", "somebody")
    with filelock.FileLock(slots.lock_file(0)):
        page = look()
    assert "Waiting: number 2 of 3 in line. It starts by itself" in words(page)
    page.button(key="pause").click().run()
    assert not queue.is_in(run.folder) and "Paused before its first step." in words(page)
    page.button(key="go-on").click().run()
    assert queue.is_in(run.folder) and "number 3 of 3 in line" in words(look())
    page = look()
    page.button(key="stop").click().run()
    assert not queue.is_in(run.folder)
    assert until(lambda: runs.state(run) == "stopped")


def test_a_refusal_stands_until_it_was_read_or_something_else_is_pressed(look, run, home, monkeypatch):
    monkeypatch.setenv("THAW_WAITING", "1")
    run.events.write(events.Paused(1))
    (home / "other").mkdir()
    queue.enter(home / "other", queue.name_of(ME))
    page = look()
    page.button(key="go-on").click().run()
    assert "as many as one person may have" in words(page)
    assert "as many as one person may have" in words(page.run())  # as it draws itself anew by itself
    queue.leave(home / "other")
    page.button(key="go-on").click().run()
    assert "as many as one person may have" not in words(page) and queue.is_in(run.folder)


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


def test_pause_is_asked_once_and_a_paused_run_can_go_on_or_be_stopped(look, at_work):
    write(at_work, events.Started("CPU", "a processor"), PHASE, *one_epoch(1))
    page = look()
    page.button(key="pause").click().run()
    assert at_work.pause_file.exists() and runs.state(at_work) == "pausing"
    page = look()
    assert "Pausing" in words(page) and page.button(key="pause").disabled
    assert not page.button(key="stop").disabled
    assert not [each for each in page.button if each.key == "go-on"]
    write(at_work, events.Paused(1))
    page = look()
    assert page.button(key="go-on") and page.button(key="stop")


def test_a_task_of_an_earlier_try_is_not_shown_while_the_next_one_waits(look, run):
    told = events.Started("CPU", "a"), PHASE, *one_epoch(1), events.Stopped(1), events.Progress("Packing", 3, 3)
    write(run, *told, events.Finished(0.9, 9, 1), events.Resumed())
    queue.enter(run.folder, "me")
    page = look()
    assert "Starting." in words(page) and not page.get("progress")


def test_a_run_whose_files_are_damaged_says_so_on_every_page_that_names_it(visit, filled, run):
    run.recipe_file.write_text("")
    for page, named in (("run.py", "run"), ("results.py", "run"), ("train.py", "again")):
        said = words(visit(page, project=filled.id, **{named: run.id}))
        assert "The files of this run are damaged" in said and "Something broke" not in said
    assert "No run yet" not in words(visit("runs.py", project=filled.id))


def test_the_results_of_an_earlier_end_can_be_seen_while_the_run_goes_on(look, run, filled):
    write(run, events.Started("CPU", "a"), PHASE, *one_epoch(1), events.Stopped(1), events.Finished(0.9, 9, 1))
    run.report_file.write_text("{}")
    assert "Results so far" not in links(look())
    write(run, events.Resumed(), events.Started("CPU", "a"), events.Paused(1))
    assert links(look())["Results so far"].startswith("results?")


def test_a_run_that_broke_off_with_results_is_no_good_news(look, run):
    broken = events.Interrupted(1, "Training ended suddenly.", "Close other programs.")
    write(run, events.Started("CPU", "a"), PHASE, *one_epoch(1), broken, events.Finished(0.9, 9, 1))
    page = look()
    (body,) = [each.proto.body for each in page.html if "Training ended suddenly." in each.proto.body]
    assert "thaw-warm" in body and page.button(key="go-on") and page.button(key="results")


def test_a_paused_run_says_after_which_epoch_and_offers_to_go_on(look, run):
    write(run, events.Started("CPU", "a"), PHASE, *one_epoch(1), events.Paused(1))
    page = look()
    assert "Paused after epoch 1." in words(page)
    assert [each.key for each in page.button if each.key in ("go-on", "stop", "pause")] == ["stop", "go-on"]


def test_what_was_said_before_a_run_went_on_counts_no_longer(look, run):
    write(run, events.Started("CPU", "a"), PHASE, *one_epoch(1), events.Failed("The disk is full.", "Free some."))
    assert "The disk is full." in words(look())
    assert look().button(key="go-on")
    write(run, events.Resumed())
    page = look()
    assert "The disk is full." not in words(page) and runs.state(run) == "waiting"
    assert len(page.get("plotly_chart")) == 2  # what it had learned is still there


def test_a_second_window_with_the_same_identity_shows_the_same_run(look, at_work):
    write(at_work, events.Started("CPU", "a processor"), PHASE, *one_epoch(1))
    first, second = look(), look()
    assert words(first) == words(second) and "Learning. You may close this page" in words(first)
    assert len(first.get("plotly_chart")) == len(second.get("plotly_chart")) == 2


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
    page.button(key="go-on").click().run()
    assert queue.is_in(run.folder) and runs.state(run) == "waiting"


def test_a_finished_run_leads_to_its_results(look, run, filled):
    write(run, events.Started("CPU", "a"), PHASE, *one_epoch(1), events.Finished(0.9, 9, 1))
    page = look()
    assert "Finished. The model has the weights of its best epoch, number 1." in words(page)
    page.button(key="results").click().run()
    assert dict(page.query_params) == {"project": filled.id, "run": run.id}
    assert "This run has no results yet." in words(page)  # its report was never written here


def test_a_run_of_another_project_is_not_found(visit, empty, run):
    assert "There is no such run in this project." in words(visit("run.py", project=empty.id, run=run.id))
