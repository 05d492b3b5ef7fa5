"""Home."""

import pytest
from visiting import ME, words

from tlcore import cache, identity, impatience, project, sharing
from tlcore.runs import events


def test_a_first_visit_says_what_thaw_is_and_asks_for_a_name(visit):
    home = visit()
    assert "Teach a proven network your own pictures" in words(home)
    assert "no project yet" in words(home)
    assert not home.exception


def test_making_a_project_opens_its_pictures(visit):
    home = visit()
    home.text_input[0].input("Mushrooms")
    home.button[0].click().run()
    (made,) = project.owned_by(ME)
    assert made.name == "Mushrooms"
    assert home.query_params["project"] == made.id
    assert "One folder per class" in words(home)


def test_a_double_click_makes_one_project(visit, monkeypatch):
    monkeypatch.setattr(impatience, "SECONDS", 60.0)
    home, second = visit(), visit()
    for window in (home, second):
        window.text_input[0].input("Mushrooms")
        window.button[0].click().run()
    (made,) = project.owned_by(ME)
    assert home.query_params["project"] == second.query_params["project"] == made.id
    made.incoming.mkdir()  # from then on it is in use
    assert project.create(ME, "Mushrooms") != made


def test_the_list_counts_what_is_there_and_shows_nobody_elses(visit, filled, run, empty):
    project.create(identity.new(), "Somebody else's")
    said = words(visit())
    assert "Ice & amber" in said and "3 classes, 60 pictures · 1 run, the newest broke off" in said
    assert "No pictures yet" in said
    assert "Somebody" not in said


def test_deleting_asks_first(visit, empty):
    home = visit()
    assert "You can take that back for ten minutes." in words(home)
    home.button(key=f"really-{empty.id}").click().run()
    assert project.owned_by(ME) == ()
    assert "no project yet" in words(home)


def test_a_deleted_project_can_be_taken_back(visit, empty):
    home = visit()
    home.button(key=f"really-{empty.id}").click().run()
    assert "Deleted: the project “Nothing yet”. It can be taken back for 10 minutes." in words(home)
    assert "Deleted" not in words(visit(who=identity.new()))
    home = visit()
    home.button(key=f"undo-{empty.id}").click().run()
    assert project.owned_by(ME) == (empty,) and "Deleted:" not in words(home)


def test_a_deleted_project_can_be_removed_at_once(visit, empty):
    home = visit()
    home.button(key=f"really-{empty.id}").click().run()
    home.button(key=f"now-{empty.id}").click().run()
    assert "Deleted:" not in words(home) and list(empty.folder.parent.iterdir()) == []


def test_what_others_share_stands_apart_and_cannot_be_deleted(visit, filled):
    guest = identity.new()
    project.let_in(filled.id, sharing.make(filled.folder, "full").secret, guest)
    home = visit(who=guest)
    assert "Shared with you" in words(home) and "Ice & amber" in words(home)
    assert not [each for each in home.button if each.key == f"really-{filled.id}"]
    home.button(key=f"open-{filled.id}").click().run()
    assert home.query_params["project"] == filled.id and "Runs" in words(home)


def test_a_project_with_a_run_at_work_stays(visit, filled, at_work):
    at_work.events.write(events.Started("CPU", "a processor"))
    home = visit()
    home.button(key=f"really-{filled.id}").click().run()
    assert "still at work" in words(home)
    assert project.owned_by(ME) == (filled,)


def test_what_is_kept_to_save_time_is_counted_and_can_be_removed(visit, empty):
    assert "Kept to save time" not in words(visit())
    file = cache.folder("features") / "a.npy"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(3_000_000))
    home = visit()
    assert "3 MB" in "".join(expander.label for expander in home.expander)
    assert "At most 20.0 GB" in words(home)
    home.button(key="clear-cache").click().run()
    assert not file.exists()
    assert not home.expander


def test_a_browser_without_a_cookie_is_told_so(visit, filled):
    said = words(visit(who=None))
    assert "it sent no cookie" in said and "Ice & amber" not in said


@pytest.mark.parametrize("file", ["dataset.json", "answers.json", "intake.json"])
def test_a_project_whose_files_are_damaged_is_named_and_can_be_opened_and_deleted(visit, filled, run, file):
    (filled.folder / file).write_text("{")
    home = visit()
    assert "Ice & amber" in words(home) and "Something broke" not in words(home)
    home.button(key=f"open-{filled.id}").click().run()
    assert not home.exception
    guest, link = identity.new(), sharing.make(filled.folder, "read")
    visit("runs.py", who=guest, project=filled.id, share=link.secret)
    theirs = words(visit(who=guest))
    assert "Shared with you" in theirs and "Ice & amber" in theirs and "Something broke" not in theirs
    home = visit()
    home.button(key=f"really-{filled.id}").click().run()
    assert project.owned_by(ME) == () and "Deleted: the project" in words(home)


def test_something_broken_on_our_side_is_said_with_its_details_folded_away(visit, filled):
    filled.dataset_file.write_text("{")
    home = visit("pictures.py", project=filled.id)
    assert "Something broke on our side." in words(home)
    assert "JSONDecodeError" in home.code[0].value
    assert not home.exception
