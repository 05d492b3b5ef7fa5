"""A run that is watched from two browsers: started here, stopped there, gone on with and finished."""

import re

import bringing
import drawing
import pytest
from playwright.sync_api import Page, expect
from watching import expect_points, fill, settle

from tlcore import identity, project
from tlcore.images import intake
from tlcore.project import Project
from tlcore.runs import events
from tlcore.runs import run as runs

EPOCHS = 120


@pytest.fixture(scope="module")
def owner() -> str:
    return identity.new()


@pytest.fixture(scope="module")
def made(owner, home, tmp_path_factory) -> Project:
    """A project with pictures that were looked over."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("THAW_HOME", str(home))
        made = project.create(owner, "Watched")
        bringing.take(made, drawing.draw_folder(tmp_path_factory.mktemp("watched") / "pictures"))
        assert intake.main([str(made.folder)]) == 0
    return made


@pytest.fixture(scope="module")
def page(server, made, owner, new_visitor) -> Page:
    """The owner's window, on a run of many quick epochs."""
    window = new_visitor()
    window.add_cookies([{"name": identity.COOKIE, "value": owner, "url": server}])
    opened = window.new_page()
    opened.goto(f"{server}/train?project={made.id}&backbone=thawnet&frozen=all")
    expect(opened.get_by_role("heading", name="Freeze depth")).to_be_visible()
    opened.get_by_text("More settings").click()
    fill(opened, "Epochs (rounds), at most", str(EPOCHS))
    opened.get_by_text("Stop when it no longer gets better").click()
    opened.get_by_role("tab", name="Pictures").click()
    fill(opened, "Picture size in pixels", "64")
    opened.get_by_role("button", name="Start training").click()
    expect(opened).to_have_url(re.compile(r"/run\?project=\w+&run="))
    return opened


def test_a_run_is_started_here_stopped_there_gone_on_with_and_finished(page, made, home, server, new_visitor):
    guest = new_visitor().new_page()
    guest.goto(server)
    expect_points(page, timeout_ms=90_000)
    page.reload()
    expect_points(page)
    page.get_by_role("link", name="Share", exact=True).click()
    page.get_by_text("Full access", exact=True).click()
    settle(page)
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_test_id("stCode").inner_text().strip()
    page.go_back()
    expect_points(page)

    guest.goto(link)
    expect(guest).to_have_url(re.compile(r"/runs\?project=\w+$"))
    guest.get_by_role("button", name="Open").click()
    expect_points(guest)
    guest.get_by_role("button", name="Stop", exact=True).click()

    expect(page.get_by_text("Stopped. The model has")).to_be_visible(timeout=60_000)
    before = done(home, made)
    assert 0 < before < EPOCHS
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Finished. The model has")).to_be_visible(timeout=150_000)
    expect(guest.get_by_text("Finished. The model has")).to_be_visible(timeout=30_000)
    assert done(home, made) == EPOCHS
    page.get_by_role("button", name="See the results").click()
    expect(page.get_by_role("link", name="Download the model")).to_be_visible()


def done(home, made: Project) -> int:
    """Return how many epochs the one run has behind it; each counts once."""
    (run,) = runs.runs_in(home / "projects" / made.id / "runs")
    ended = [end.epoch for end in events.of_type(run.events.all(), events.EpochEnd)]
    assert ended == list(range(1, len(ended) + 1))
    return len(ended)
