from pathlib import Path

import numpy as np
import pytest

from tlcore.images import answers, finding, health
from tlcore.images.dataset import Dataset, Part, Picture, SetAside
from tlcore.images.finding import Finding


def dataset_of(counts: dict[str, int], *more: tuple[str, str, Part], set_aside: tuple[SetAside, ...] = ()) -> Dataset:
    """A dataset with so many different pictures a class, and (class, content, part) besides."""
    names = tuple(counts)
    entries = [(name, f"{name}-{number}", "") for name, count in counts.items() for number in range(count)] + list(more)
    pictures = tuple(
        Picture(f"{part}/{name}/{number}.jpg", names.index(name), content, 90, 90, part)
        for number, (name, content, part) in enumerate(entries)
    )
    return Dataset(Path("pictures"), names, pictures, set_aside)


def only(dataset: Dataset) -> Finding:
    (found,) = health.counted_findings(dataset)
    return found


def test_a_healthy_dataset_has_no_findings() -> None:
    assert health.counted_findings(dataset_of({"cats": 30, "dogs": 40})) == ()


def test_files_that_could_not_be_opened_are_counted_and_named() -> None:
    entries = tuple(SetAside(f"cats/{number}.jpg", "is empty (0 bytes)") for number in range(5))
    found = only(dataset_of({"cats": 20, "dogs": 25}, set_aside=entries))
    assert found.kind == "unreadable"
    assert found.message.startswith("5 of 50 files could not be opened: cats/0.jpg (is empty (0 bytes)), ")
    assert "They are left out. You can go on, or replace them and bring" in found.message
    assert len(found.files) == 5
    one = only(dataset_of({"cats": 20, "dogs": 25}, set_aside=entries[:1]))
    assert "It is left out. You can go on, or replace it and bring" in one.message


def test_misplaced_files_are_not_called_unreadable() -> None:
    entry = SetAside("stray.jpg", "lies outside of any class folder", "misplaced")
    assert health.counted_findings(dataset_of({"cats": 20, "dogs": 25}, set_aside=(entry,))) == ()


def test_a_class_folder_without_pictures_is_named() -> None:
    found = only(dataset_of({"cats": 20, "dogs": 25}, set_aside=(SetAside("birds", "is empty", "empty"),)))
    assert (found.kind, found.files) == ("empty", ("birds",))


def test_the_same_picture_twice_is_a_duplicate_but_no_conflict() -> None:
    found = only(dataset_of({"cats": 20, "dogs": 25}, ("cats", "x", ""), ("cats", "x", ""), ("cats", "x", "")))
    assert found.kind == "duplicate"
    assert found.message.startswith("1 picture")
    assert "2 spare" in found.message
    assert len(found.files) == 3


def test_the_same_picture_in_two_classes_is_a_conflict_too() -> None:
    found = health.counted_findings(dataset_of({"cats": 20, "dogs": 25}, ("cats", "x", ""), ("dogs", "x", "")))
    assert [each.kind for each in found] == ["conflict", "duplicate"]
    assert "“cats” and “dogs”" in found[0].message


@pytest.mark.parametrize("parts", [("train", "test"), ("", "test"), ("validation", "test"), ("train", "validation")])
def test_the_same_picture_in_two_parts_is_a_leak_too(parts: tuple[Part, Part]) -> None:
    found = health.counted_findings(
        dataset_of({"cats": 20, "dogs": 25}, ("cats", "x", parts[0]), ("cats", "x", parts[1]))
    )
    assert [each.kind for each in found] == ["leak", "duplicate"]
    assert len(found[0].files) == 2


def test_imbalance_is_said_with_both_numbers() -> None:
    found = only(dataset_of({"cats": 100, "dogs": 20}))
    assert found.kind == "imbalance"
    assert "“cats” has 100 pictures, “dogs” only 20: 5 times fewer" in found.message
    assert health.counted_findings(dataset_of({"cats": 99, "dogs": 20})) == ()


def test_few_counts_different_pictures_and_says_how_many_are_missing() -> None:
    found = health.counted_findings(dataset_of({"cats": 30, "dogs": 8}, ("dogs", "dogs-1", "")))
    assert [each.kind for each in found] == ["few", "duplicate"]
    assert "“dogs” has 8 pictures" in found[0].message
    assert "at least 2 more" in found[0].message
    assert len(found[0].files) == 9


def test_findings_read_back_as_they_were_written(tmp_path: Path) -> None:
    found = health.counted_findings(dataset_of({"猫": 30, "dogs": 2}))
    finding.save(found, tmp_path / "findings.json")
    assert finding.load(tmp_path / "findings.json") == found
    assert "猫" in (tmp_path / "findings.json").read_text(encoding="utf-8")


def nested(*folders: str) -> Dataset:
    """Fifteen different pictures in each of these folders, the first of which is the class."""
    names = tuple(dict.fromkeys(folder.split("/")[0] for folder in folders))
    pictures = tuple(
        Picture(f"{folder}/{number}.jpg", names.index(folder.split("/")[0]), f"{folder}{number}", 90, 90)
        for folder in folders
        for number in range(15)
    )
    return Dataset(Path("pictures"), names, pictures)


def test_classes_with_the_same_folders_inside_look_like_parts() -> None:
    found = only(nested("first half/cats", "first half/dogs", "second half/cats", "second half/dogs"))
    assert found.kind == "parts"
    assert "“first half”" in found.message and "cats, dogs" in found.message


def test_classes_with_their_own_folders_inside_do_not_look_like_parts() -> None:
    assert health.counted_findings(nested("cats/2024", "cats/2025", "dogs/home", "dogs/park")) == ()
    assert health.counted_findings(nested("cats/2024", "dogs/2024")) == ()


def test_pictures_compared_by_hash_only_are_said_in_one_sentence_that_stays_until_it_is_dismissed() -> None:
    dataset = dataset_of({"cats": 20, "dogs": 25})
    found = health.findings(dataset, np.zeros((45, 32, 32, 3), np.uint8), "the memory ran out")
    (said,) = [each for each in found if each.kind == "hash_only"]
    assert "perceptual hashes only, because the memory ran out, so copies" in said.message
    assert said.message.count(".") == 1 and not said.files
    assert said in answers.standing(dataset, found, ())
    dismissed = answers.Answer("hash_only", "keep", ())
    assert said not in answers.standing(dataset, found, (dismissed,))
