import os
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tlcore.errors import DatasetError
from tlcore.images import folder, impression, layout, picture, thumbnails
from tlcore.images.dataset import Dataset
from tlcore.images.folder import Keep
from tlcore.images.impression import Impression


def draw(file: Path, colour: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 8), (colour % 256, colour // 256 * 40, 7)).save(file)


def drawn(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        draw(root / name, number)
    return root


def reasons(dataset: Dataset) -> dict[str, str]:
    return {entry.file: entry.reason for entry in dataset.set_aside}


def test_a_folder_per_class_becomes_a_dataset(tmp_path: Path) -> None:
    dataset = folder.scan(drawn(tmp_path, "dogs/b.png", "cats/a.png", "cats/c.png"))
    assert dataset.class_names == ("cats", "dogs")
    assert [(entry.file, entry.label) for entry in dataset.pictures] == [
        ("cats/a.png", 0),
        ("cats/c.png", 0),
        ("dogs/b.png", 1),
    ]
    assert (dataset.pictures[0].width, dataset.pictures[0].height, dataset.pictures[0].part) == (12, 8, "")
    assert dataset.set_aside == ()
    assert dataset.root == tmp_path


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Validation", "VAL"])
def test_part_folders_are_understood(tmp_path: Path, name: str) -> None:
    names = [f"{part}/{kind}/1.png" for part in ("Train", name, "test") for kind in ("cats", "dogs")]
    dataset = folder.scan(drawn(tmp_path, *names))
    assert dataset.class_names == ("cats", "dogs")
    assert Counter(entry.part for entry in dataset.pictures) == {"train": 2, "validation": 2, "test": 2}


@pytest.mark.parametrize(
    ("train", "test"), [("Training", "Testing"), ("training_set", "test_set"), ("Train Set", "TEST-SET")]
)
def test_part_folders_may_be_named_in_other_usual_ways(tmp_path: Path, train: str, test: str) -> None:
    names = [f"{part}/{kind}/1.png" for part in (train, test) for kind in ("cats", "dogs")]
    dataset = folder.scan(drawn(tmp_path, *names))
    assert dataset.class_names == ("cats", "dogs")
    assert Counter(entry.part for entry in dataset.pictures) == {"train": 2, "test": 2}


@pytest.mark.parametrize("wrapping", ["pets", "a/b/c", "download/pets"])
@pytest.mark.parametrize("parts", [("",), ("train/", "test/")])
def test_wrapping_folders_do_not_matter(tmp_path: Path, wrapping: str, parts: tuple[str, ...]) -> None:
    names = [f"{wrapping}/{part}{kind}/1.png" for part in parts for kind in ("cats", "dogs")]
    drawn(tmp_path, *names)
    (tmp_path / "__MACOSX" / "pets").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "pets" / "._1.png").write_bytes(b"x")
    dataset = folder.scan(tmp_path)
    assert dataset.class_names == ("cats", "dogs")
    assert {entry.part for entry in dataset.pictures} == {part.strip("/") for part in parts}
    assert dataset.set_aside == ()


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    dataset = folder.scan(drawn(tmp_path, "bus/1.png", "car/1.png", "train/1.png"))
    assert dataset.class_names == ("bus", "car", "train")
    assert {entry.part for entry in dataset.pictures} == {""}


def test_what_lies_beside_part_folders_is_set_aside(tmp_path: Path) -> None:
    names = ["train/cats/1.png", "train/dogs/1.png", "test/cats/2.png", "test/3.png", "docs/x/4.png", "5.png"]
    dataset = folder.scan(drawn(tmp_path, *names))
    assert dataset.class_names == ("cats", "dogs")
    assert reasons(dataset) == dict.fromkeys(
        ["test/3.png", "docs/x/4.png", "5.png"], "lies outside of any class folder"
    )


def test_a_picture_beside_class_folders_is_set_aside(tmp_path: Path) -> None:
    dataset = folder.scan(drawn(tmp_path, "cats/1.png", "dogs/2.png", "stray.png"))
    assert reasons(dataset) == {"stray.png": "lies outside of any class folder"}
    assert dataset.set_aside[0].kind == "misplaced"


def test_folders_inside_a_class_belong_to_it(tmp_path: Path) -> None:
    dataset = folder.scan(drawn(tmp_path, "cats/2024/may/1.png", "cats/2.png", "dogs/3.png"))
    assert dataset.counts() == {"cats": 2, "dogs": 1}


def test_litter_is_not_worth_a_word(tmp_path: Path) -> None:
    drawn(tmp_path, "cats/1.png", "dogs/2.png")
    for name in (
        ".DS_Store",
        "cats/.DS_Store",
        "cats/Thumbs.db",
        "dogs/desktop.ini",
        "dogs/.hidden.png",
        ".git/x/1.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    dataset = folder.scan(tmp_path)
    assert len(dataset.pictures) == 2
    assert dataset.set_aside == ()


def test_class_names_sort_as_people_sort(tmp_path: Path) -> None:
    names = ["10", "9", "1", "2", "class 10", "Class 2", "apple", "Banana"]
    dataset = folder.scan(drawn(tmp_path, *(f"{name}/1.png" for name in names)))
    assert dataset.class_names == ("1", "2", "9", "10", "apple", "Banana", "Class 2", "class 10")


def test_class_names_in_any_script_survive(tmp_path: Path) -> None:
    names = ("قطط", "猫", "🐱 cats", "Ünïcode", "it's 100% a class", "²")
    dataset = folder.scan(drawn(tmp_path, *(f"{name}/1.png" for name in names)))
    assert set(dataset.class_names) == set(names)


@pytest.mark.skipif(os.name != "posix", reason="other systems do not keep both spellings apart")
def test_two_spellings_of_one_name_are_one_class(tmp_path: Path) -> None:
    other = unicodedata.normalize("NFD", "café")
    dataset = folder.scan(drawn(tmp_path, "train/café/1.png", "train/tea/1.png", f"test/{other}/1.png"))
    assert dataset.class_names == ("café", "tea")
    assert (tmp_path / dataset.pictures[0].file).is_file()


def test_a_file_that_cannot_be_used_never_stops_the_rest(tmp_path: Path) -> None:
    drawn(tmp_path, "cats/1.png", "dogs/2.png")
    (tmp_path / "cats/empty.jpg").write_bytes(b"")
    (tmp_path / "cats/page.jpg").write_bytes(b"<!doctype html><title>404</title>")
    (tmp_path / "dogs/notes.txt").write_bytes(b"a note")
    (tmp_path / "dogs/cut.png").write_bytes((tmp_path / "dogs/2.png").read_bytes()[:40])
    dataset = folder.scan(tmp_path)
    assert [entry.file for entry in dataset.pictures] == ["cats/1.png", "dogs/2.png"]
    found = reasons(dataset)
    assert found["cats/empty.jpg"] == "is empty (0 bytes)"
    assert "begins like a web page" in found["cats/page.jpg"]
    assert "a text file" in found["dogs/notes.txt"]
    assert "damaged" in found["dogs/cut.png"] or "cut short" in found["dogs/cut.png"]
    assert {entry.kind for entry in dataset.set_aside} == {"unreadable"}


def test_a_class_folder_without_a_usable_picture_is_reported_and_no_class(tmp_path: Path) -> None:
    drawn(tmp_path, "cats/1.png", "dogs/2.png")
    (tmp_path / "birds").mkdir()
    (tmp_path / "fish").mkdir()
    (tmp_path / "fish/1.jpg").write_bytes(b"no picture")
    dataset = folder.scan(tmp_path)
    assert dataset.class_names == ("cats", "dogs")
    assert [entry.file for entry in dataset.set_aside if entry.kind == "empty"] == ["birds", "fish"]


def test_one_class_is_named_and_a_second_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as refused:
        folder.scan(drawn(tmp_path, "cats/1.png", "cats/2.png"))
    assert refused.value.problem == "We found one class, “cats”. A classifier needs at least two."
    assert "“dogs”" in refused.value.advice


def test_one_class_is_enough_for_an_exam(tmp_path: Path) -> None:
    dataset = folder.scan(drawn(tmp_path, "cats/1.png", "cats/2.png"), at_least=1)
    assert dataset.class_names == ("cats",)


def test_one_usable_class_of_two_says_why(tmp_path: Path) -> None:
    drawn(tmp_path, "cats/1.png")
    (tmp_path / "dogs").mkdir()
    (tmp_path / "dogs/1.jpg").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"2 class folders, but only “cats” .* dogs/1.jpg is empty"):
        folder.scan(tmp_path)


def test_pictures_without_class_folders_are_counted_and_explained(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="We found 3 files, but no class folders"):
        folder.scan(drawn(tmp_path, "1.png", "2.png", "3.png"))


def test_an_empty_folder_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="We found no pictures"):
        folder.scan(tmp_path)
    with pytest.raises(DatasetError, match="cannot be opened"):
        folder.scan(tmp_path / "nowhere")


def test_progress_is_told_for_every_file(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    folder.scan(drawn(tmp_path, "cats/1.png", "dogs/2.png"), lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_squares_and_impressions_come_in_the_order_of_the_pictures(tmp_path: Path) -> None:
    drawn(tmp_path, *(f"{kind}/{number}.png" for kind in ("cats", "dogs") for number in range(60)))
    (tmp_path / "cats/3.png").write_bytes(b"broken")
    squares: dict[int, np.ndarray] = {}
    impressions: list[tuple[str, Impression]] = []
    keep = Keep(square=squares.__setitem__, side=6, resize="pad", impression=lambda *told: impressions.append(told))
    dataset = folder.scan(tmp_path, keep=keep)
    assert list(squares) == list(range(119))
    for row, entry in enumerate(dataset.pictures):
        assert np.array_equal(squares[row], picture.read(tmp_path / entry.file, 6, "pad"))
        small = picture.look(tmp_path / entry.file, small_side=thumbnails.LONGEST_SIDE).small
        content, found = impressions[row]
        expected = impression.impression(small)
        assert content == entry.content
        assert np.array_equal(found.tile, expected.tile) and np.array_equal(found.larger, expected.larger)
        assert found.remarks == expected.remarks


def test_a_folder_is_found_from_where_the_command_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn(tmp_path / "pictures", "cats/1.png", "dogs/2.png")
    monkeypatch.chdir(tmp_path)
    dataset = folder.scan(Path("pictures"), keep=Keep(thumbnails=Path("small")))
    assert len(dataset.pictures) == len(list((tmp_path / "small").iterdir())) == 2


@pytest.mark.skipif(os.name != "posix", reason="links need rights of their own on Windows")
def test_links_out_of_the_allowed_folders_are_set_aside(tmp_path: Path) -> None:
    outside = drawn(tmp_path / "outside", "secret/1.png", "2.png")
    root = drawn(tmp_path / "root", "cats/1.png", "dogs/2.png")
    (root / "cats/link.png").symlink_to(outside / "2.png")
    (root / "secret").symlink_to(outside / "secret")
    (root / "dogs/nowhere.png").symlink_to(root / "gone.png")
    (root / "dogs/inside.png").symlink_to(root / "cats/1.png")
    dataset = folder.scan(root, within=(root.resolve(),))
    assert dataset.counts() == {"cats": 1, "dogs": 2}
    assert set(reasons(dataset)) == {"cats/link.png", "secret", "dogs/nowhere.png"}
    assert folder.scan(root).counts() == {"cats": 2, "dogs": 2, "secret": 1}


@pytest.mark.skipif(os.name != "posix", reason="links need rights of their own on Windows")
def test_a_link_back_to_a_folder_above_does_not_go_on_for_ever(tmp_path: Path) -> None:
    drawn(tmp_path, "cats/1.png", "dogs/2.png")
    (tmp_path / "cats/again").symlink_to(tmp_path)
    assert len(folder.scan(tmp_path).pictures) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_set_aside_and_not_waited_for(tmp_path: Path) -> None:
    drawn(tmp_path, "cats/1.png", "dogs/2.png")
    os.mkfifo(tmp_path / "cats/pipe.png")
    assert reasons(folder.scan(tmp_path)) == {"cats/pipe.png": "is not an ordinary file"}


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname == "Darwin", reason="this system has no such names")
def test_a_name_that_is_no_text_is_set_aside(tmp_path: Path) -> None:
    drawn(tmp_path, "cats/1.png", "dogs/2.png")
    draw(Path(os.fsdecode(os.fsencode(tmp_path) + b"/cats/\xff.png")), 5)
    (entry,) = folder.scan(tmp_path).set_aside
    assert "not readable text" in entry.reason
    entry.file.encode()


def test_numbers_are_compared_as_numbers_and_case_decides_last() -> None:
    names = ["b10", "B9", "a", "A", "b 1", "10", "9"]
    assert sorted(names, key=layout.natural_order) == ["9", "10", "A", "a", "B9", "b10", "b 1"]
