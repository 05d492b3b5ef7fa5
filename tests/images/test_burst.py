"""Which pictures were shot moments apart."""

from pathlib import Path

import numpy as np
import pytest
from drawing import draw_scenes
from photographing import photo

from tlcore.images import burst, inspection
from tlcore.images.dataset import Picture

RESTLESS = 34  # too unlike for a copy, alike enough for two shots
NOON = "2024-05-17T12:00:00.000"


def picture(file: str, taken: str = "", camera: str = "Thaw Test 1") -> Picture:
    return Picture(file, 0, file, 8, 8, taken=taken, camera=camera)


@pytest.mark.parametrize(
    ("one", "other", "follows"),
    [
        (picture("a/1.jpg"), picture("a/2.jpg"), True),
        (picture("a/9.jpg"), picture("a/10.jpg"), True),
        (picture("a/1.jpg"), picture("b/2.jpg"), False),
        (picture("a/9.jpg", NOON), picture("b/1.jpg", "2024-05-17T12:00:04.900"), True),
        (picture("a/9.jpg", NOON), picture("b/1.jpg", "2024-05-17T11:59:58.000"), True),
        (picture("a/9.jpg", NOON), picture("b/1.jpg", "2024-05-17T12:00:05.100"), False),
        (picture("a/9.jpg", NOON), picture("b/1.jpg", NOON, "another"), False),
        (picture("a/9.jpg", NOON), picture("b/1.jpg"), False),
        (picture("a/1.jpg", NOON), picture("a/2.jpg", "2024-05-17T12:09:00.000"), True),
        (picture("a/1.jpg", NOON), picture("a/2.jpg", "2024-05-17T12:10:00.000"), False),
        (picture("a/1.jpg", NOON), picture("a/2.jpg", "2024-05-16T12:00:00.000"), False),
        (picture("a/1.jpg", NOON), picture("a/2.jpg"), True),
    ],
)
def test_shots_follow_each_other_by_time_or_else_by_name(one: Picture, other: Picture, follows: bool) -> None:
    rows = np.array([0, 1])
    assert burst.follow([one, other], rows, rows[::-1]).tolist() == [follows, follows]


@pytest.mark.parametrize(
    ("names", "seconds", "alike"),
    [
        (("a/7.jpg", "b/IMG_3.jpg"), 3, True),
        (("a/7.jpg", "b/IMG_3.jpg"), 40, False),
        (("a/x1.jpg", "a/x2.jpg"), 40, True),
    ],
)
def test_two_shots_of_one_thing_are_a_burst_by_their_times_across_names_and_classes(
    names: tuple[str, str], seconds: int, alike: bool, tmp_path: Path
) -> None:
    draw_scenes(tmp_path)
    (tmp_path / names[0]).write_bytes(photo(500, "2024:05:17 09:30:01"))
    (tmp_path / names[1]).write_bytes(photo(500, f"2024:05:17 09:30:{1 + seconds:02}", restless=RESTLESS))
    found = {each.file: each.group for each in inspection.inspect(tmp_path).dataset.pictures if each.group}
    assert set(found) == (set(names) if alike else set())


def test_shots_half_an_hour_apart_are_no_burst_although_their_names_follow(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    (tmp_path / "a" / "x1.jpg").write_bytes(photo(500, "2024:05:17 09:30:01"))
    (tmp_path / "a" / "x2.jpg").write_bytes(photo(500, "2024:05:17 10:00:01", restless=RESTLESS))
    assert {each.group for each in inspection.inspect(tmp_path).dataset.pictures} == {""}
