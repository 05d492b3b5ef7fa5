"""Which pictures travel along as examples, and under which names."""

import json
from pathlib import Path

from tlcore.export import script
from tlcore.images.dataset import Picture
from tlcore.results.prediction import Answer


def pictures(root: Path, counts: list[int], size: int = 10) -> list[Picture]:
    made = []
    for label, count in enumerate(counts):
        for number in range(count):
            name = f"{label}-{number}.jpg"
            (root / name).write_bytes(b"x" * size)
            made.append(Picture(name, label, name, 9, 9))
    return made


def test_two_classes_share_the_eight_places(tmp_path):
    chosen = script.choose_examples(tmp_path, pictures(tmp_path, [20, 20]))
    assert [p.label for p in chosen] == [0, 1] * 4


def test_a_class_with_one_picture_is_shown_too(tmp_path):
    chosen = script.choose_examples(tmp_path, pictures(tmp_path, [20, 1, 2]))
    assert sorted(p.label for p in chosen) == [0, 0, 0, 0, 0, 1, 2, 2]


def test_of_many_classes_eight_are_shown_once(tmp_path):
    chosen = script.choose_examples(tmp_path, pictures(tmp_path, [3] * 40))
    assert [p.label for p in chosen] == [0, 5, 10, 15, 20, 25, 30, 35]


def test_a_large_file_gives_way_to_a_small_one(tmp_path):
    candidates = pictures(tmp_path, [10])
    (tmp_path / candidates[0].file).write_bytes(bytes(3_000_000))
    assert candidates[0] not in script.choose_examples(tmp_path, candidates)


def test_without_pictures_there_are_no_examples(tmp_path):
    assert script.choose_examples(tmp_path, []) == []


def test_example_names_are_plain_on_every_system():
    answers = [Answer(Path("قطط/كلب.JPG"), (1.0,)), Answer(Path("x/a.日本"), (1.0,)), Answer(Path("x/none"), (1.0,))]
    files, expected = script.examples(answers)
    assert list(files) == ["examples/01.jpg", "examples/02", "examples/03"]
    assert list(json.loads(expected)) == ["01.jpg", "02", "03"]


def test_a_line_break_in_a_class_name_does_not_shift_the_labels():
    assert script._labels(["one\ntwo", "three"]) == "one two\nthree\n"
