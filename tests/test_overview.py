"""What a project holds, and how it goes."""

import shutil

import drawing
import filelock
import pytest

from tlcore import overview, project
from tlcore.errors import UserError
from tlcore.images import dataset as datasets
from tlcore.images import folder, intake, intake_record, pixels, split
from tlcore.project import Project
from tlcore.runs import run as runs
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
            overview.delete(made)
    assert project.owned_by("me") == (made,)


def test_a_project_that_cannot_be_removed_at_once_is_never_listed_again(monkeypatch) -> None:
    made = make("me")

    def refuse(*_, **__):
        raise OSError("still open")

    with monkeypatch.context() as changed:
        changed.setattr(shutil, "rmtree", refuse)
        with pytest.raises(OSError, match="still open"):
            overview.delete(made)
    assert project.owned_by("me") == ()
    with pytest.raises(UserError, match="no such project"):
        project.load(made.id, "me")
    left = made.folder.parent
    assert len(list(left.iterdir())) == 1
    overview.delete(make("me"))
    assert list(left.iterdir()) == []  # the next one takes the rest along


def test_decoded_pictures_go_with_their_project(drawn, kept) -> None:
    made = make("me", drawn)
    assert len(kept()) == 2
    overview.delete(made)
    assert kept() == []


def test_decoded_pictures_of_a_run_on_earlier_pictures_go_too(drawn, kept) -> None:
    made = make("me")
    runs.create(made.runs / runs.new_id(), Recipe(), drawn, split.draw(drawn, 0.15, 0.15, 0)).events.file.write_text(
        '{"type": "queued", "time": 1.0}\n'
    )
    overview.delete(made)
    assert kept() == []


def test_decoded_pictures_that_another_project_has_too_stay(drawn, kept) -> None:
    made, _ = make("me", drawn), make("someone else", drawn)
    overview.delete(made)
    assert len(kept()) == 2


def test_a_broken_project_of_someone_else_keeps_nobody_from_deleting(drawn, kept) -> None:
    made, other = make("me", drawn), make("someone else")
    other.dataset_file.write_text("{")
    overview.delete(made)
    assert kept() == [] and project.owned_by("me") == ()
