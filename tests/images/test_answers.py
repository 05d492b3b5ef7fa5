from dataclasses import replace
from pathlib import Path

import pytest

from tlcore import project as projects
from tlcore.errors import DatasetError
from tlcore.images import answers, health
from tlcore.images.answers import Answer
from tlcore.images.dataset import Dataset, Picture
from tlcore.images.finding import Finding
from tlcore.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    return projects.create("someone", "Pets")


def dataset_of(*more: Picture, top: str = "pets") -> Dataset:
    names = ("cats", "dogs")
    own = [
        Picture(f"{top}/{name}/{number}.jpg", label, f"{name}{number}", 90, 90)
        for label, name in enumerate(names)
        for number in range(12)
    ]
    return Dataset(Path("pictures"), names, tuple(sorted((*own, *more), key=lambda picture: picture.file)))


def files(dataset: Dataset) -> set[str]:
    return {picture.file for picture in dataset.pictures}


def test_a_picture_that_is_left_out_is_gone_and_the_others_stay() -> None:
    dataset = dataset_of()
    rest = answers.applied(dataset, [answers.about(dataset, "dark", "leave out", ["pets/cats/3.jpg"])])
    assert files(dataset) - files(rest) == {"pets/cats/3.jpg"}
    assert rest.class_names == dataset.class_names


def test_of_two_equal_pictures_only_the_named_one_is_left_out() -> None:
    dataset = dataset_of(
        Picture("pets/dogs/again.jpg", 1, "cats3", 90, 90), Picture("pets/cats/z.jpg", 0, "cats3", 9, 9)
    )
    rest = answers.applied(dataset, [answers.about(dataset, "conflict", "leave out", ["pets/dogs/again.jpg"])])
    assert files(dataset) - files(rest) == {"pets/dogs/again.jpg"}


def test_a_moved_picture_has_its_new_class_and_can_move_on() -> None:
    dataset = dataset_of()
    there = answers.about(dataset, "near_conflict", "move", ["pets/cats/3.jpg"], "dogs")
    back = answers.about(dataset, "near_conflict", "move", ["pets/cats/3.jpg"], "cats")
    assert answers.applied(dataset, [there]).counts() == {"cats": 11, "dogs": 13}
    assert answers.applied(dataset, [there, back]) == dataset


def test_answers_hold_for_the_same_pictures_in_a_folder_of_another_name() -> None:
    dataset = dataset_of(Picture("pets/dogs/3.jpg x", 1, "cats3", 90, 90))
    given = [answers.about(dataset, "conflict", "leave out", ["pets/dogs/3.jpg x"])]
    again = dataset_of(Picture("animals/dogs/3.jpg x", 1, "cats3", 90, 90), top="animals")
    assert files(again) - files(answers.applied(again, given)) == {"animals/dogs/3.jpg x"}


def test_an_answer_about_a_picture_that_is_not_there_any_more_does_nothing() -> None:
    dataset = dataset_of()
    given = [answers.about(dataset, "dark", "leave out", ["pets/cats/3.jpg"])]
    without = replace(dataset, pictures=tuple(p for p in dataset.pictures if p.content != "cats3"))
    assert answers.applied(without, given) == without


def test_a_class_without_pictures_is_no_class_any_more() -> None:
    dataset = dataset_of(Picture("pets/a/1.jpg", 2, "a1", 90, 90))
    dataset = replace(dataset, class_names=("cats", "dogs", "eels"))
    rest = answers.applied(dataset, [answers.about(dataset, "few", "leave out", ["pets/a/1.jpg"])])
    assert rest.class_names == ("cats", "dogs")


def test_what_is_kept_is_not_found_again_and_the_rest_is_counted_anew() -> None:
    dark = [Picture(f"pets/cats/dark{n}.jpg", 0, f"dark{n}", 90, 90, remarks=("dark",)) for n in range(3)]
    dataset = dataset_of(*dark)
    (found,) = answers.standing(dataset, (), ())
    assert found.message.startswith("3 pictures are nearly black")
    (left,) = answers.standing(dataset, (), (answers.about(dataset, "dark", "keep", [dark[0].file]),))
    assert left.message.startswith("2 pictures are nearly black") and dark[0].file not in left.files
    assert answers.standing(dataset, (), (answers.about(dataset, "dark", "keep", [p.file for p in dark]),)) == ()


def test_a_finding_about_the_whole_is_dismissed_as_a_whole() -> None:
    dataset = dataset_of()
    alarm = Finding("shortcut", "The files give it away.")
    assert answers.standing(dataset, (alarm,), ()) == (alarm,)
    assert answers.standing(dataset, (alarm,), (Answer("shortcut", "keep"),)) == ()
    assert alarm.kind in health.SLOW


def test_answers_read_back_and_each_can_be_taken_back(project: Project) -> None:
    dataset = dataset_of()
    first = answers.about(dataset, "dark", "leave out", ["pets/cats/3.jpg"])
    second = answers.about(dataset, "dark", "move", ["pets/cats/4.jpg"], "dogs")
    for answer in (first, second):
        answers.give(project, dataset, answer)
    file = answers.file_of(project)
    assert answers.load(file) == (first, second)
    answers.take_back(project, 1, first)
    assert answers.load(file) == (first, second), "another window was quicker: the wrong one is not taken back"
    answers.take_back(project, 0, first)
    assert answers.load(file) == (second,)


def test_an_answer_that_would_leave_one_class_is_refused_and_not_written(project: Project) -> None:
    dataset = dataset_of()
    cats = [picture.file for picture in dataset.pictures if picture.label == 0]
    with pytest.raises(DatasetError, match="only “dogs”"):
        answers.give(project, dataset, answers.about(dataset, "tiny", "leave out", cats))
    assert answers.load(answers.file_of(project)) == ()
