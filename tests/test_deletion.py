"""Deleting runs and projects, taking that back, and what goes for good."""

import shutil
from pathlib import Path

import drawing
import filelock
import pytest

from tlcore import deletion, pins, project, removal, sharing
from tlcore.errors import UserError
from tlcore.images import dataset as datasets
from tlcore.images import folder, intake, intake_record, pixels, split
from tlcore.project import Project
from tlcore.runs import address, queue
from tlcore.runs import run as runs
from tlcore.runs.run import Run
from tlcore.training.recipe import Recipe


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return folder.scan(drawing.draw_folder(tmp_path_factory.mktemp("pictures") / "drawn", per_class=4))


@pytest.fixture
def kept(drawn):
    """What is cached of the pictures: two sizes of them."""
    pixels.pixels(drawn, 24)
    pixels.pixels(drawn, 32, "pad")
    return lambda: [file for file in pixels.cache_file(drawn, 24, "crop").parent.iterdir() if file.suffix == ".npy"]


def make(owner: str, dataset=None) -> Project:
    made = project.create(owner, "Ice")
    if dataset:
        datasets.save(dataset, made.dataset_file)
    return made


def test_a_project_whose_pictures_are_being_looked_over_stays() -> None:
    made = make("me")
    with filelock.FileLock(intake_record.lock_file(made)):
        intake_record.begin(made)
        assert intake.status(made).state == "working"
        with pytest.raises(UserError, match="still being looked over"):
            deletion.delete_project(made)
    assert project.owned_by("me") == (made,)


def outlast(monkeypatch) -> None:
    """Let ten minutes pass."""
    monkeypatch.setattr(removal, "KEPT_S", -1.0)


def queued(made: Project, drawn, event: str = '{"type": "queued", "time": 1.0}\n') -> Run:
    run = runs.create(made.runs / runs.new_id(), Recipe(), drawn, split.draw(drawn, 0.15, 0.15, 0))
    run.events.file.write_text(event)
    return run


def test_a_deleted_project_is_gone_at_once_and_can_be_taken_back() -> None:
    made = make("me")
    deletion.delete_project(made)
    assert project.owned_by("me") == ()
    with pytest.raises(UserError, match="no such project"):
        project.load(made.id, "me")
    assert deletion.deleted_projects("someone else") == ()
    ((removed, deleted),) = deletion.deleted_projects("me")
    assert deleted == made and 9 <= removal.minutes_left(removed) <= 10
    deletion.sweep()
    removal.take_back(removed)
    assert project.owned_by("me") == (made,) and deletion.deleted_projects("me") == ()


def test_after_ten_minutes_a_deleted_project_goes_for_good(monkeypatch) -> None:
    made = make("me")
    deletion.delete_project(made)
    ((removed, _),) = deletion.deleted_projects("me")
    outlast(monkeypatch)
    assert deletion.deleted_projects("me") == ()
    deletion.sweep()
    assert list(made.folder.parent.iterdir()) == []
    with pytest.raises(UserError, match="too late"):
        removal.take_back(removed)


def test_what_cannot_be_removed_at_once_is_never_listed_again_and_goes_later(monkeypatch) -> None:
    made = make("me")
    deletion.delete_project(made)
    outlast(monkeypatch)
    with monkeypatch.context() as changed:
        changed.setattr(shutil, "rmtree", lambda *_, **__: None)  # a program still has a file open
        deletion.sweep()
    monkeypatch.setattr(removal, "KEPT_S", 600.0)
    assert len(list(made.folder.parent.iterdir())) == 1 and deletion.deleted_projects("me") == ()
    deletion.sweep()
    assert list(made.folder.parent.iterdir()) == []


def test_a_deleted_run_can_be_taken_back_as_it_was_and_goes_for_good_later(drawn, monkeypatch) -> None:
    made = make("me", drawn)
    run = queued(made, drawn)
    before = {file.name: file.read_bytes() for file in run.folder.iterdir() if file.is_file()}
    pins.pin(run.folder, made.folder / "features")
    deletion.delete_run(run)
    assert runs.runs_in(made.runs) == () and (made.folder / "features") in pins.pinned()
    with pytest.raises(UserError, match="no such run"):
        address.find(made.runs, run.id)
    (removed,) = deletion.deleted_runs(made)
    with pytest.raises(UserError, match="no such run"):
        address.find(made.runs, removed.folder.name)
    removal.take_back(removed)
    assert runs.runs_in(made.runs) == (run,)
    assert {file.name: file.read_bytes() for file in run.folder.iterdir() if file.name in before} == before
    deletion.delete_run(run)
    outlast(monkeypatch)
    deletion.sweep()
    assert list(made.runs.glob("*removed*")) == [] and pins.pinned() == frozenset()


def test_what_a_run_of_a_deleted_project_needs_stays_as_long_as_that_can_be_taken_back(drawn, monkeypatch) -> None:
    made = make("me", drawn)
    pins.pin(queued(made, drawn).folder, made.folder / "features")
    deletion.delete_project(made)
    assert pins.pinned()
    outlast(monkeypatch)
    deletion.sweep()
    assert pins.pinned() == frozenset()


def test_a_run_at_work_stays_and_one_that_waits_leaves_the_line(drawn) -> None:
    made = make("me", drawn)
    run = queued(made, drawn)
    with filelock.FileLock(run.lock_file), pytest.raises(UserError, match="still at work"):
        deletion.delete_run(run)
    queue.enter(run.folder, "me")
    deletion.delete_run(run)
    assert queue.line() == () and runs.runs_in(made.runs) == ()


def test_taking_back_twice_is_once_and_a_place_that_is_taken_is_said(drawn) -> None:
    made = make("me", drawn)
    deletion.delete_project(made)
    ((removed, _),) = deletion.deleted_projects("me")
    removal.take_back(removed)
    removal.take_back(removed)  # from a second window
    assert project.owned_by("me") == (made,)
    deletion.delete_project(made)
    ((removed, _),) = deletion.deleted_projects("me")
    made.folder.mkdir()
    (made.folder / "project.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be taken back just now"):
        removal.take_back(removed)


def test_what_somebody_wrote_who_did_not_know_of_the_end_gives_way_to_what_is_taken_back(drawn, monkeypatch) -> None:
    made = make("me", drawn)
    deletion.delete_project(made)
    (made.folder / "upload" / "pieces").mkdir(parents=True)  # a browser was just sending pictures
    ((removed, _),) = deletion.deleted_projects("me")
    removal.take_back(removed)
    assert project.owned_by("me") == (made,) and not (made.folder / "upload").exists()
    deletion.sweep()
    assert list(made.folder.parent.iterdir()) == [made.folder]


def test_what_two_windows_delete_at_once_is_deleted_once(drawn, monkeypatch) -> None:
    made = make("me", drawn)
    run = queued(made, drawn)
    lay_aside = removal.lay_aside

    def second(folder: Path) -> removal.Removed:
        lay_aside(folder)  # by the other window, just now
        return lay_aside(folder)

    monkeypatch.setattr(removal, "lay_aside", second)
    deletion.delete_run(run)
    assert len(deletion.deleted_runs(made)) == 1
    deletion.delete_project(made)
    assert len(deletion.deleted_projects("me")) == 1


def test_a_waiting_run_that_is_taken_back_can_go_on(drawn) -> None:
    made = make("me", drawn)
    run = queued(made, drawn)
    queue.enter(run.folder, "me")
    deletion.delete_run(run)
    removal.take_back(deletion.deleted_runs(made)[0])
    assert runs.state(run) == "paused" and runs.can_resume(run)


def test_a_waiting_run_whose_folder_takes_no_word_can_still_be_deleted(drawn) -> None:
    made = make("me", drawn)
    run = queued(made, drawn)
    queue.enter(run.folder, "me")
    run.events.file.unlink()
    run.events.file.mkdir()  # as a full disk does, nothing can be written there
    deletion.delete_run(run)
    assert runs.runs_in(made.runs) == () and len(deletion.deleted_runs(made)) == 1


def test_a_guest_deletes_no_project() -> None:
    made = make("me")
    link = sharing.make(made.folder, "full")
    guest = project.let_in(made.id, link.secret, "guest")
    with pytest.raises(UserError, match="belongs to somebody else"):
        deletion.delete_project(guest)
    assert project.owned_by("me") == (made,)


def test_deleting_frees_the_disk_only_when_it_is_for_good(drawn, kept, monkeypatch) -> None:
    made = make("me", drawn)
    deletion.delete_project(made)
    assert len(kept()) == 2
    ((removed, _),) = deletion.deleted_projects("me")
    deletion.remove_for_good(removed)
    assert kept() == []


def test_decoded_pictures_go_with_their_project(drawn, kept, monkeypatch) -> None:
    made = make("me", drawn)
    assert len(kept()) == 2
    deletion.delete_project(made)
    outlast(monkeypatch)
    deletion.sweep()
    assert kept() == []


def test_decoded_pictures_of_a_run_on_earlier_pictures_go_too(drawn, kept, monkeypatch) -> None:
    made = make("me")
    queued(made, drawn)
    deletion.delete_project(made)
    outlast(monkeypatch)
    deletion.sweep()
    assert kept() == []


def test_decoded_pictures_of_a_deleted_run_stay_as_long_as_its_project_has_the_same(drawn, kept):
    made = make("me", drawn)
    deletion.delete_run(queued(made, drawn))
    (removed,) = deletion.deleted_runs(made)
    deletion.remove_for_good(removed)
    assert len(kept()) == 2 and deletion.deleted_runs(made) == ()


def test_pictures_stay_as_long_as_a_deleted_run_on_them_can_be_taken_back(drawn):
    made = make("me", drawn)
    assert not runs.hold_pictures(made.runs)
    run = queued(made, drawn)
    assert runs.hold_pictures(made.runs)
    deletion.delete_run(run)
    assert runs.hold_pictures(made.runs)
    deletion.remove_for_good(deletion.deleted_runs(made)[0])
    assert not runs.hold_pictures(made.runs)


def test_decoded_pictures_that_another_project_has_too_stay(drawn, kept, monkeypatch) -> None:
    made, _ = make("me", drawn), make("someone else", drawn)
    deletion.delete_project(made)
    outlast(monkeypatch)
    deletion.sweep()
    assert len(kept()) == 2


def test_a_broken_project_of_someone_else_keeps_nobody_from_deleting(drawn, kept, monkeypatch) -> None:
    made, other = make("me", drawn), make("someone else")
    other.dataset_file.write_text("{")
    deletion.delete_project(made)
    outlast(monkeypatch)
    deletion.sweep()
    assert kept() == [] and project.owned_by("me") == ()
