"""Home."""

from visiting import ME, words

from tlcore import cache, identity, project
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


def test_the_list_counts_what_is_there_and_shows_nobody_elses(visit, filled, run, empty):
    project.create(identity.new(), "Somebody else's")
    said = words(visit())
    assert "Ice & amber" in said and "3 classes, 60 pictures · 1 run, the newest broke off" in said
    assert "No pictures yet" in said
    assert "Somebody" not in said


def test_deleting_asks_first(visit, empty):
    home = visit()
    assert "This cannot be undone." in words(home)
    home.button(key=f"really-{empty.id}").click().run()
    assert project.owned_by(ME) == ()
    assert "no project yet" in words(home)


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


def test_something_broken_on_our_side_is_said_with_its_details_folded_away(visit, filled):
    filled.dataset_file.write_text("{")
    home = visit()
    assert "Something broke on our side." in words(home)
    assert "JSONDecodeError" in home.code[0].value
    assert not home.exception
