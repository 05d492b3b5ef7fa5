from pathlib import Path

import pytest

from tlcore.images import layout, mapping
from tlcore.images.layout import Reading


def laid(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"not opened")
    return root


def understood(root: Path, reading: Reading | None = None) -> mapping.Mapping:
    return mapping.of(layout.find(root, reading=reading))


def asked(found: mapping.Mapping) -> dict[str, tuple[str, ...]]:
    return {question.kind: question.names for question in found.questions}


def counts(found: mapping.Mapping) -> dict[str, dict[str, int]]:
    return {row.class_name: row.files for row in found.rows}


def test_class_folders_are_read_in_one_way_only(tmp_path: Path) -> None:
    found = understood(laid(tmp_path, "pets/cats/1.jpg", "pets/cats/2024/2.jpg", "pets/dogs/1.jpg"))
    assert counts(found) == {"cats": {"": 2}, "dogs": {"": 1}}
    assert [row.folder for row in found.rows] == ["pets/cats", "pets/dogs"]
    assert (found.questions, found.table, found.left_out) == ((), "", 0)


def test_parts_are_counted_one_by_one(tmp_path: Path) -> None:
    names = [f"{part}/{name}/{number}.jpg" for part in ("train", "val", "test") for name in "ab" for number in range(3)]
    found = understood(laid(tmp_path, *names))
    assert counts(found) == {name: {"train": 3, "validation": 3, "test": 3} for name in "ab"}
    assert not found.questions


def test_a_table_is_named(tmp_path: Path) -> None:
    laid(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "labels.csv").write_text("filename,label\n1.jpg,cat\n2.jpg,Cat\n")
    found = understood(tmp_path)
    assert (found.table, counts(found), found.questions) == ("labels.csv", {"Cat": {"": 1}, "cat": {"": 1}}, ())


def test_one_class_alone_cannot_go_on(tmp_path: Path) -> None:
    found = understood(laid(tmp_path, "cats/1.jpg", "cats/2.jpg"))
    assert asked(found) == {"one_class": ("cats",)}
    assert not found.can_go_on


def test_loose_pictures_cannot_go_on(tmp_path: Path) -> None:
    found = understood(laid(tmp_path, "1.jpg", "2.PNG", "notes.txt"))
    assert asked(found) == {"no_class": ("1.jpg", "2.PNG")}
    assert not found.can_go_on


@pytest.mark.parametrize("part", ["", "train/"])
def test_folders_inside_several_classes_may_be_the_classes(tmp_path: Path, part: str) -> None:
    laid(tmp_path, *(f"{part}{place}/{kind}/1.jpg" for place in ("north", "south") for kind in ("cats", "dogs")))
    found = understood(tmp_path)
    assert asked(found) == {"inner": ("cats", "dogs")}
    assert found.can_go_on
    assert set(counts(found)) == {"north", "south"}
    inner = understood(tmp_path, Reading(inner=True))
    assert {name: sum(files.values()) for name, files in counts(inner).items()} == {"cats": 2, "dogs": 2}


def test_classes_of_different_groups_may_be_the_classes_too(tmp_path: Path) -> None:
    laid(tmp_path, "animals/cat/1.jpg", "animals/dog/1.jpg", "vehicles/car/1.jpg", "vehicles/bus/1.jpg")
    assert asked(understood(tmp_path))["inner"] == ("bus", "car", "cat", "dog")


@pytest.mark.parametrize(
    "names",
    [
        ("cats/2024/1.jpg", "dogs/2024/1.jpg"),
        ("cats/1.jpg", "cats/a/1.jpg", "cats/b/1.jpg", "dogs/1.jpg", "dogs/a/2.jpg", "dogs/b/2.jpg"),
        ("cats/a/1.jpg", "cats/b/1.jpg", "dogs/1.jpg"),
        ("cats/1.jpg", "cats/notes/a.txt", "cats/x/b.txt", "dogs/1.jpg", "dogs/notes/a.txt", "dogs/x/b.txt"),
    ],
)
def test_folders_that_merely_keep_order_are_not_asked_about(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert understood(laid(tmp_path, *names)).questions == ()


def test_names_that_differ_in_capital_letters_are_asked_about(tmp_path: Path) -> None:
    laid(tmp_path, "train/Cats/1.jpg", "train/dogs/1.jpg", "test/cats/2.jpg", "test/dogs/2.jpg")
    found = understood(tmp_path)
    assert asked(found) == {"case": ("Cats", "cats")}
    together = understood(tmp_path, Reading(one_case=True))
    assert len(counts(together)) == 2 and not together.questions


def test_pictures_beside_class_folders_are_asked_about_and_other_files_are_not(tmp_path: Path) -> None:
    laid(tmp_path, "cats/1.jpg", "dogs/1.jpg", "README.txt", "labels.txt")
    assert understood(tmp_path).questions == ()
    laid(tmp_path, *(f"{number}.jpg" for number in range(9)))
    found = understood(tmp_path)
    assert asked(found) == {"outside": ("0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg")}
    assert found.questions[0].count == 9 and found.left_out == 11 and found.can_go_on


def test_an_empty_folder_is_no_question(tmp_path: Path) -> None:
    assert understood(tmp_path) == mapping.Mapping(())


def test_a_mapping_is_kept(tmp_path: Path) -> None:
    found = understood(laid(tmp_path / "set", "寒い/1.jpg", "dogs/1.jpg", "3.jpg"))
    mapping.save(found, tmp_path / "mapping.json")
    assert mapping.load(tmp_path / "mapping.json") == found
    assert mapping.load(tmp_path / "nothing.json") is None
