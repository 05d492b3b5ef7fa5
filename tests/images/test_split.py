import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tlcore.errors import DatasetError, UploadError
from tlcore.images import split as splits
from tlcore.images import split_table
from tlcore.images.dataset import Dataset, Part, Picture
from tlcore.images.split import Split

NAMES = ("birds", "cats", "dogs")


def dataset_of(*pictures: tuple[int, str, Part]) -> Dataset:
    """A dataset of (label, content, part)."""
    entries = tuple(
        Picture(f"{part or 'all'}/{NAMES[label]}/{number:04}.jpg", label, content, 10, 10, part)
        for number, (label, content, part) in enumerate(pictures)
    )
    used = max(entry.label for entry in entries) + 1
    return Dataset(Path("pictures"), NAMES[:used], entries)


def plain(per_class: int = 40, classes: int = 3, part: Part = "") -> list[tuple[int, str, Part]]:
    return [(label, f"{label}-{number}-{part}", part) for label in range(classes) for number in range(per_class)]


def contents(dataset: Dataset, rows: tuple[int, ...]) -> set[str]:
    return {dataset.pictures[row].content for row in rows}


def per_class(dataset: Dataset, rows: tuple[int, ...]) -> dict[int, int]:
    return dict(Counter(dataset.pictures[row].label for row in rows))


def assert_whole(dataset: Dataset, split: Split) -> None:
    """Every picture stands in exactly one part, and no content on two sides."""
    parts = (split.train, split.validation, split.test, split.left_out)
    assert sorted(row for part in parts for row in part) == list(range(len(dataset.pictures)))
    assert all(list(part) == sorted(part) for part in parts)
    train, validation, test = (contents(dataset, part) for part in parts[:3])
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_every_class_gives_its_share_to_each_part() -> None:
    dataset = dataset_of(*plain(40))
    split = splits.draw(dataset, 0.15, 0.25, seed=3)
    assert_whole(dataset, split)
    assert per_class(dataset, split.train) == dict.fromkeys(range(3), 24)
    assert per_class(dataset, split.validation) == dict.fromkeys(range(3), 6)
    assert per_class(dataset, split.test) == dict.fromkeys(range(3), 10)
    assert split.left_out == ()
    assert split.seed == 3


def test_the_same_seed_draws_the_same_and_another_seed_another() -> None:
    dataset = dataset_of(*plain(40))
    assert splits.draw(dataset, 0.2, 0.2, 1) == splits.draw(dataset, 0.2, 0.2, 1)
    assert splits.draw(dataset, 0.2, 0.2, 1).test != splits.draw(dataset, 0.2, 0.2, 2).test


def test_the_draw_is_the_same_on_every_computer() -> None:
    dataset = dataset_of(*plain(6, classes=2))
    split = splits.draw(dataset, 0.2, 0.2, 0)
    assert (split.train, split.validation, split.test) == FIXED


def test_the_names_of_files_do_not_matter() -> None:
    dataset = dataset_of(*plain(30))
    renamed = replace(dataset, pictures=tuple(random.Random(4).sample(dataset.pictures, len(dataset.pictures))))
    first, second = splits.draw(dataset, 0.2, 0.2, 7), splits.draw(renamed, 0.2, 0.2, 7)
    assert contents(dataset, first.test) == contents(renamed, second.test)
    assert contents(dataset, first.validation) == contents(renamed, second.validation)


def test_a_given_exam_stays_and_only_check_pictures_are_drawn() -> None:
    dataset = dataset_of(*plain(20, part="train"), *plain(7, part="test"))
    split = splits.draw(dataset, 0.2, 0.3, 0)
    assert_whole(dataset, split)
    assert split.test == tuple(range(60, 81))
    assert per_class(dataset, split.validation) == dict.fromkeys(range(3), 4)


def test_given_check_pictures_stay_and_only_an_exam_is_drawn() -> None:
    dataset = dataset_of(*plain(20, part="train"), *plain(5, part="validation"))
    split = splits.draw(dataset, 0.2, 0.3, 0)
    assert_whole(dataset, split)
    assert split.validation == tuple(range(60, 75))
    assert per_class(dataset, split.test) == dict.fromkeys(range(3), 6)


def test_with_both_parts_given_everything_else_is_for_training() -> None:
    dataset = dataset_of(*plain(4, part="train"), *plain(2), *plain(2, part="validation"), *plain(2, part="test"))
    split = splits.draw(dataset, 0.2, 0.3, 0)
    assert_whole(dataset, split)
    assert split.train == tuple(range(18))


def test_equal_pictures_never_stand_on_two_sides() -> None:
    draws = random.Random(9)
    for seed in range(30):
        pictures = [(label, f"{label}-{draws.randrange(25)}", "") for label in range(3) for _ in range(60)]
        pictures += [(draws.randrange(3), f"shared-{draws.randrange(5)}", "") for _ in range(8)]
        dataset = dataset_of(*pictures)
        assert_whole(dataset, splits.draw(dataset, 0.2, 0.2, seed))


def test_a_picture_that_is_there_many_times_does_not_fill_the_exam() -> None:
    pictures = [(0, "same", "")] * 20 + [(0, f"0-{number}", "") for number in range(20)] + plain(40, classes=3)[40:]
    dataset = dataset_of(*pictures)
    for seed in range(10):
        split = splits.draw(dataset, 0.15, 0.15, seed)
        assert per_class(dataset, split.test)[0] == 6
        assert "same" in contents(dataset, split.train)


def test_a_training_picture_that_is_also_in_the_exam_is_left_out() -> None:
    dataset = dataset_of(*plain(10, part="train"), (0, "leak", "train"), (1, "leak", "test"), *plain(3, part="test"))
    split = splits.draw(dataset, 0.2, 0.2, 0)
    assert_whole(dataset, split)
    assert split.left_out == (30,)
    assert 31 in split.test


def test_a_check_picture_that_is_also_in_the_exam_is_left_out() -> None:
    dataset = dataset_of(
        *plain(10, part="train"), *plain(3, part="validation"), *plain(3, part="test"),
        (0, "a", "validation"), (0, "a", "test"), (0, "b", "train"), (0, "b", "validation"),
    )  # fmt: skip
    split = splits.draw(dataset, 0.2, 0.2, 0)
    assert_whole(dataset, split)
    assert split.left_out == (48, 50)


@pytest.mark.parametrize("shares", [(0.15, 0.15), (0.02, 0.02), (0.6, 0.2), (0.2, 0.6), (0.4, 0.4)])
@pytest.mark.parametrize("size", [3, 4, 5, 7, 11])
def test_small_classes_have_at_least_one_picture_in_every_part(size: int, shares: tuple[float, float]) -> None:
    dataset = dataset_of(*plain(size))
    split = splits.draw(dataset, *shares, 0)
    assert_whole(dataset, split)
    for rows in (split.train, split.validation, split.test):
        assert set(per_class(dataset, rows)) == {0, 1, 2}


def test_a_class_too_small_is_refused_with_its_name_and_the_number_needed() -> None:
    dataset = dataset_of(*plain(10, classes=2), (2, "x", ""), (2, "y", ""))
    with pytest.raises(DatasetError, match=r"“dogs” has 2 different pictures .* at least 3 are needed") as refused:
        splits.draw(dataset, 0.15, 0.15, 0)
    assert "Add pictures of “dogs”" in refused.value.advice


def test_a_class_of_one_picture_is_refused_in_the_singular() -> None:
    dataset = dataset_of(*plain(10, classes=2), (2, "x", ""))
    with pytest.raises(DatasetError, match=r"“dogs” has only 1 picture to draw from, but at least 3 are needed"):
        splits.draw(dataset, 0.15, 0.15, 0)


def test_copies_do_not_make_a_class_larger() -> None:
    dataset = dataset_of(*plain(10, classes=1), *[(1, f"x{number % 2}", "") for number in range(12)])
    with pytest.raises(DatasetError, match="“cats” has 2 different pictures"):
        splits.draw(dataset, 0.15, 0.15, 0)


def test_a_class_of_two_is_enough_where_the_exam_is_given() -> None:
    dataset = dataset_of(*plain(2, classes=2, part="train"), *plain(2, classes=2, part="test"))
    split = splits.draw(dataset, 0.15, 0.15, 0)
    assert per_class(dataset, split.train) == per_class(dataset, split.validation) == {0: 1, 1: 1}


def test_a_given_exam_may_miss_a_class() -> None:
    dataset = dataset_of(*plain(6, part="train"), *plain(2, classes=2, part="test"))
    assert set(per_class(dataset, splits.draw(dataset, 0.2, 0.2, 0).test)) == {0, 1}


def test_a_class_that_only_the_exam_has_is_refused() -> None:
    dataset = dataset_of(*plain(6, classes=2, part="train"), *plain(2, classes=3, part="test"))
    with pytest.raises(DatasetError, match="“dogs” has 0 different pictures"):
        splits.draw(dataset, 0.2, 0.2, 0)


def test_a_class_whose_pictures_all_lie_in_another_one_too_is_refused_and_told_why() -> None:
    shared = [(label, f"shared-{number}", "") for label in (0, 1) for number in range(6)]
    with pytest.raises(DatasetError, match=r"“cats” .* also lie in another class"):
        splits.draw(dataset_of(*shared, *plain(10, classes=1)), 0.2, 0.2, 0)


def test_a_split_reads_back_as_it_was_written(tmp_path: Path) -> None:
    split = splits.draw(dataset_of(*plain(10)), 0.2, 0.2, 5)
    splits.save(split, tmp_path / "split.json")
    assert splits.load(tmp_path / "split.json") == split


def alike(group: str, *contents: str, label: int = 0, part: Part = "") -> list[Picture]:
    return [
        Picture(f"{part}/{NAMES[label]}/{content}.jpg", label, content, 10, 10, part, group=group)
        for content in contents
    ]


def with_more(dataset: Dataset, *pictures: Picture) -> Dataset:
    return replace(dataset, pictures=(*dataset.pictures, *pictures))


def test_pictures_that_look_the_same_never_stand_on_two_sides() -> None:
    dataset = with_more(dataset_of(*plain(12)), *alike("g", "x", "y", "z"), *alike("h", "u", "v", label=1))
    for seed in range(40):
        split = splits.draw(dataset, 0.25, 0.25, seed)
        assert_whole(dataset, split)
        for group in ("g", "h"):
            sides = [rows for rows in (split.train, split.validation, split.test)
                     if any(dataset.pictures[row].group == group for row in rows)]  # fmt: skip
            assert len(sides) == 1


def test_a_training_picture_that_looks_like_one_of_a_given_exam_is_left_out() -> None:
    dataset = dataset_of(*plain(10, part="train"), *plain(3, part="test"))
    dataset = with_more(dataset, *alike("g", "x", part="train"), *alike("g", "y", part="test"))
    split = splits.draw(dataset, 0.2, 0.2, 0)
    assert [dataset.pictures[row].content for row in split.left_out] == ["x"]


def test_pictures_that_look_the_same_do_not_make_a_class_larger() -> None:
    dataset = with_more(dataset_of(*plain(10, classes=1), (1, "a", "")), *alike("g", "x", "y", "z", label=1))
    with pytest.raises(DatasetError, match=r"“cats” has 2 different pictures .* Pictures that look the same count as"):
        splits.draw(dataset, 0.15, 0.15, 0)


def test_who_was_drawn_stays_when_pictures_are_added_and_when_they_come_back(tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    dataset = dataset_of(*plain(20))
    first = splits.draw(dataset, 0.2, 0.2, 0, splits.kept(file))
    splits.keep(dataset, first, file)
    assert splits.draw(dataset, 0.2, 0.2, 0, splits.kept(file)) == first
    added = [(label, f"new-{label}-{number}", "") for label in range(3) for number in range(20)]
    more = dataset_of(*plain(20), *added)
    second = splits.draw(more, 0.2, 0.2, 0, splits.kept(file))
    assert_whole(more, second)
    assert contents(dataset, first.test) < contents(more, second.test)
    assert contents(dataset, first.validation) < contents(more, second.validation)
    assert contents(dataset, first.train) <= contents(more, second.train), "the added ones fill the exam"
    assert per_class(more, second.test) == dict.fromkeys(range(3), 8)
    splits.keep(more, second, file)
    fewer = replace(dataset, pictures=dataset.pictures[:-5])
    splits.keep(fewer, splits.draw(fewer, 0.2, 0.2, 0, splits.kept(file)), file)
    again = splits.draw(more, 0.2, 0.2, 0, splits.kept(file))
    assert contents(more, second.test) <= contents(more, again.test), "those that were gone come back to the exam"


def test_a_new_copy_of_an_exam_picture_goes_to_the_exam_too() -> None:
    dataset = with_more(dataset_of(*plain(20)), *alike("g", "old"), *alike("g", "new"))
    before = {"old": "test"} | {f"0-{number}-": "train" for number in range(20)}
    split = splits.draw(dataset, 0.2, 0.2, 0, before)
    assert {"old", "new"} <= contents(dataset, split.test)


def test_a_split_is_a_table_that_reads_back(tmp_path: Path) -> None:
    dataset = dataset_of(*plain(10, part="train"), (0, "leak", "train"), (1, "leak", "test"), *plain(3, part="test"))
    split = splits.draw(dataset, 0.2, 0.2, 0)
    text = split_table.table(dataset, split)
    lines = text.splitlines()
    assert lines[0] == "file,class,part" and len(lines) == 1 + len(dataset.pictures)
    assert all(lines[1 + row].endswith(",exam") for row in split.test)
    assert sum(line.endswith(",left out") for line in lines) == 1
    (tmp_path / "split.csv").write_text(text, encoding="utf-8")
    parts = split_table.read(tmp_path / "split.csv", dataset)
    assert {content for content, part in parts.items() if part == "validation"} == contents(dataset, split.validation)


def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("name,label\na,b\n")
    for name in ("other.csv", "nowhere.csv"):
        with pytest.raises(UploadError, match="is no table of file, class, part"):
            split_table.read(tmp_path / name, dataset_of(*plain(3)))


FIXED = ((1, 2, 4, 5, 6, 7, 10, 11), (0, 9), (3, 8))
