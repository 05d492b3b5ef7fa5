"""A link into a project, on the pages."""

import pytest
from visiting import ME, links, words

from tlcore import deletion, identity, impatience, sharing
from tlcore.errors import UserError
from tlcore.images import answers, finding, intake, intake_record
from tlcore.runs import events, queue

RIM = finding.Finding("border", "The class can be told from the rim.")
PAGES = ("pictures.py", "train.py", "runs.py", "run.py", "results.py", "share.py")


def keys(page) -> set[str]:
    return {each.key for each in page.button}


def test_the_owner_makes_a_link_sees_its_address_and_withdraws_it(visit, filled):
    page = visit("share.py", project=filled.id)
    page.radio(key="access").set_value("full")
    page.button(key="make-link").click().run()
    (link,) = sharing.links(filled.folder)
    assert link.access == "full" and "Full access, made today" in words(page) and "nobody yet" in words(page)
    assert page.code[0].value.endswith(f"/runs?project={filled.id}&share={link.secret}")
    page.button(key=f"withdraw-{link.secret}").click().run()
    assert sharing.links(filled.folder) == () and not page.code


def test_a_guest_comes_in_by_the_link_and_then_by_the_projects_own_address(visit, filled, run):
    link, guest = sharing.make(filled.folder, "read"), identity.new()
    page = visit("runs.py", who=guest, project=filled.id, share=link.secret)
    assert "share" not in page.query_params and "MobileNetV2 0.35" in words(page)
    assert "MobileNetV2 0.35" in words(visit("runs.py", who=guest, project=filled.id))
    assert "opened by 1 browser" in words(visit("share.py", who=ME, project=filled.id))


def test_a_double_click_makes_one_link_and_a_link_too_many_is_said_beside_the_others(visit, filled, monkeypatch):
    monkeypatch.setattr(impatience, "SECONDS", 60.0)
    page = visit("share.py", project=filled.id)
    page.button(key="make-link").click().run()
    page.button(key="make-link").click().run()
    (link,) = sharing.links(filled.folder)
    monkeypatch.setattr(sharing, "_MOST", 1)
    page.radio(key="access").set_value("full")
    page.button(key="make-link").click().run()
    assert "Withdraw one that is no longer needed" in words(page) and f"withdraw-{link.secret}" in keys(page)


def test_a_link_that_only_this_computer_can_open_is_said_to_be_one(visit, filled, monkeypatch):
    page = visit("share.py", project=filled.id)
    page.button(key="make-link").click().run()
    for address, is_warned in (("http://localhost:8501/share", True), ("http://192.168.1.7:8501/share", False)):
        monkeypatch.setattr("streamlit.runtime.context.ContextProxy.url", address)
        assert ("Only this computer can open the addresses below" in words(page.run())) == is_warned


@pytest.mark.parametrize(
    ("opened_by", "address"),
    [("http://localhost:8501", "http://192.168.1.7:8501"), ("https://school.example", "https://school.example")],
)
def test_a_link_that_was_made_on_the_servers_own_computer_leads_others_to_it(
    visit, filled, monkeypatch, opened_by, address
):
    monkeypatch.setenv("THAW_ADDRESS", "http://192.168.1.7:8501/")
    page = visit("share.py", project=filled.id)
    page.button(key="make-link").click().run()
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.url", f"{opened_by}/share")
    page.run()
    assert page.code[0].value.startswith(f"{address}/runs?project={filled.id}&share=")
    assert "Only this computer" not in words(page)


@pytest.mark.parametrize("page", PAGES)
def test_who_has_neither_ownership_nor_a_link_sees_nothing_on_any_page(visit, filled, run, page):
    said = words(visit(page, who=identity.new(), project=filled.id, run=run.id))
    assert "There is no such project for this browser." in said
    assert "Ice & amber" not in said and "MobileNetV2" not in said


@pytest.mark.parametrize("page", PAGES)
def test_a_link_that_was_withdrawn_shows_nothing_any_more(visit, filled, run, page):
    link, guest = sharing.make(filled.folder, "full"), identity.new()
    assert "Ice & amber" in words(visit(page, who=guest, project=filled.id, run=run.id, share=link.secret))
    sharing.withdraw(filled.folder, link.secret)
    for parameters in ({}, {"share": link.secret}):
        said = words(visit(page, who=guest, project=filled.id, run=run.id, **parameters))
        assert "There is no such project for this browser." in said and "Ice & amber" not in said


@pytest.mark.parametrize("state", ["waiting", "paused", "failed", "crashed", "stopped"])
def test_who_may_only_look_finds_no_button_that_changes_a_run(visit, filled, run, state):
    told = {
        "waiting": [events.Queued()],
        "paused": [events.Started("CPU", "a"), events.Paused(1)],
        "failed": [events.Failed("The disk is full.", "Free some.")],
        "crashed": [],
        "stopped": [events.Stopped(None)],
    }
    for event in told[state]:
        run.events.write(event)
    guest = identity.new()
    page = visit("run.py", who=guest, project=filled.id, run=run.id, share=sharing.make(filled.folder, "read").secret)
    assert not keys(page) & {"stop", "pause", "go-on"} and "Start again" not in links(page)
    assert "Shared with you, to look at" in words(page) and "Something broke" not in words(page)
    page = visit("run.py", project=filled.id, run=run.id)  # the owner
    assert keys(page) & {"stop", "pause", "go-on"}


def test_who_may_only_look_finds_none_while_it_learns(visit, filled, at_work):
    at_work.events.write(events.Started("CPU", "a"))
    guest, secret = identity.new(), sharing.make(filled.folder, "read").secret
    assert {"stop", "pause"} <= keys(visit("run.py", project=filled.id, run=at_work.id))
    assert not keys(visit("run.py", who=guest, project=filled.id, run=at_work.id, share=secret)) & {"stop", "pause"}


def test_who_may_only_look_brings_in_nothing_answers_nothing_and_shares_nothing(visit, filled, empty):
    finding.save((RIM,), intake.findings_file(filled))
    assert "keep-border" in keys(visit("pictures.py", project=filled.id))  # the owner may answer
    guest = identity.new()
    for shared in (filled, empty):
        secret = sharing.make(shared.folder, "read").secret
        page = visit("pictures.py", who=guest, project=shared.id, share=secret)
        assert keys(page) <= {None}
    assert "There are no pictures in this project yet." in words(page)


def test_who_may_only_look_sees_the_pictures_while_the_owner_is_asked_about_others(visit, filled, empty):
    guest = identity.new()
    for shared, said in ((filled, "Look at them"), (empty, "something about them has to be answered first")):
        intake_record.begin(shared)
        intake_record.Report(shared).write(has_ended=True, is_asking=True)
        page = visit("pictures.py", who=guest, project=shared.id, share=sharing.make(shared.folder, "read").secret)
        assert said in words(page) and "There are no pictures" not in words(page)


def test_who_may_only_look_opens_runs_and_does_nothing_else_with_them(visit, filled, run):
    guest, secret = identity.new(), sharing.make(filled.folder, "read").secret
    assert keys(visit("runs.py", who=guest, project=filled.id, share=secret)) == {f"open-{run.id}"}


def test_a_guest_whose_link_is_withdrawn_while_the_page_is_open_answers_nothing(visit, filled):
    finding.save((RIM,), intake.findings_file(filled))
    guest, link = identity.new(), sharing.make(filled.folder, "full")
    page = visit("pictures.py", who=guest, project=filled.id, share=link.secret)
    answer = page.button(key="keep-border")
    sharing.withdraw(filled.folder, link.secret)
    answer.click().run()
    assert answers.load(answers.file_of(filled)) == () and "no such project" in words(page)


def test_a_guest_whose_link_is_withdrawn_while_the_page_is_open_downloads_no_table(visit, filled, monkeypatch):
    made = []
    monkeypatch.setattr("streamlit.download_button", lambda label, data, **_: made.append(data))
    guest, link = identity.new(), sharing.make(filled.folder, "read")
    visit("pictures.py", who=guest, project=filled.id, share=link.secret)
    assert "ice" in str(made[-1]())
    sharing.withdraw(filled.folder, link.secret)
    with pytest.raises(UserError, match="no such project"):
        made[-1]()


@pytest.mark.parametrize("pressed", ["stop", "pause", "go-on", "delete", "undo"])
def test_a_guest_whose_link_is_withdrawn_while_the_page_is_open_does_nothing_to_a_run(visit, filled, run, pressed):
    if pressed in ("stop", "pause"):
        queue.enter(run.folder, "me")
    if pressed == "undo":
        deletion.delete_run(run)
    before = {file.name for file in filled.runs.iterdir()}
    key = {"delete": f"delete-{run.id}", "undo": f"undo-{run.id}"}.get(pressed, pressed)
    guest, link = identity.new(), sharing.make(filled.folder, "full")
    name = "runs.py" if pressed in ("delete", "undo") else "run.py"
    page = visit(name, who=guest, project=filled.id, run=run.id, share=link.secret)
    button = page.button(key=key)
    sharing.withdraw(filled.folder, link.secret)
    button.click().run()
    assert "no such project" in words(page)
    assert {file.name for file in filled.runs.iterdir()} == before
    assert not (run.stop_file.exists() or run.pause_file.exists())
    assert not events.last(run.events.all(), events.Resumed)


def test_a_guest_with_full_access_takes_back_what_was_deleted_but_ends_nobodys_ten_minutes(visit, filled, run):
    guest, secret = identity.new(), sharing.make(filled.folder, "full").secret
    page = visit("runs.py", who=guest, project=filled.id, share=secret)
    page.button(key=f"delete-{run.id}").click().run()
    assert f"undo-{run.id}" in keys(page) and f"now-{run.id}" not in keys(page)
    assert f"now-{run.id}" in keys(visit("runs.py", project=filled.id))


def test_a_guest_with_full_access_works_as_the_owner_but_shares_nothing(visit, filled, run):
    guest, secret = identity.new(), sharing.make(filled.folder, "full").secret
    page = visit("runs.py", who=guest, project=filled.id, share=secret)
    assert {f"again-{run.id}", f"delete-{run.id}"} <= keys(page) and "make-link" not in keys(page)
    page = visit("train.py", who=guest, project=filled.id)
    assert "Start training" in words(page) and "Share" not in links(page)
    page = visit("share.py", who=guest, project=filled.id)
    assert "Only its owner can hand it on." in words(page) and not page.radio
    assert "Share" in links(visit("runs.py", project=filled.id))
