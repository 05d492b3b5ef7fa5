"""What the camera noted, read from real files, whole and damaged."""

import io
from pathlib import Path

import pytest
from drawing import draw_scenes, scene
from photographing import photo

from tlcore.images import camera, folder
from tlcore.images.camera import Shot


def test_the_time_of_a_photo_is_read_with_its_fraction_and_its_camera() -> None:
    assert camera.shot(photo(1, "2024:05:17 09:30:01", "25")) == Shot("2024-05-17T09:30:01.250", "Thaw Test 1")
    assert camera.shot(photo(1, "2024:05:17 09:30:01")).taken == "2024-05-17T09:30:01.000"


@pytest.mark.parametrize(
    "taken", ["0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday", "", "2024:13:41 25:61:00"]
)
def test_a_clock_that_was_never_set_gives_no_time(taken: str) -> None:
    assert camera.shot(photo(1, taken)) == Shot("", "Thaw Test 1")


def test_a_picture_without_notes_has_neither_time_nor_camera() -> None:
    content = io.BytesIO()
    scene(1).save(content, "JPEG")
    assert camera.shot(content.getvalue()) == camera.shot(b"Exif\x00\x00") == camera.shot(b"") == Shot()


@pytest.mark.filterwarnings("ignore:.*")
def test_notes_that_are_damaged_anywhere_do_no_harm() -> None:
    whole = photo(1, "2024:05:17 09:30:01")
    start = whole.index(b"Exif")
    for place in range(start - 2, start + 200):
        for value in (0, 0x7F, 0xFF):
            damaged = bytearray(whole)
            damaged[place] = value
            assert isinstance(camera.shot(bytes(damaged)), Shot)
    for end in range(start, start + 200):
        assert isinstance(camera.shot(whole[:end]), Shot)


def test_a_picture_with_damaged_notes_is_used_like_any_other(tmp_path: Path) -> None:
    draw_scenes(tmp_path, per_class=2)
    whole = photo(1, "2024:05:17 09:30:01")
    (tmp_path / "a" / "whole.jpg").write_bytes(whole)
    notes = whole.index(b"Exif") + 6
    (tmp_path / "a" / "damaged.jpg").write_bytes(whole[:notes] + b"\xff\x00" * 30 + whole[notes + 60 :])
    found = folder.scan(tmp_path)
    assert not found.set_aside
    taken = {picture.file: (picture.taken, picture.camera) for picture in found.pictures}
    assert taken["a/whole.jpg"] == ("2024-05-17T09:30:01.000", "Thaw Test 1")
    assert taken["a/damaged.jpg"] == taken["b/000.jpg"] == ("", "")
