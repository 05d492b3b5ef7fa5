"""The rooms of pictures on real photos, where a developer has them beside the project."""

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tlcore.images import archive, flattery, folder, health, inspection, intake, picture, pixels, split
from tlcore.images.dataset import Dataset
from tlcore.images.inspection import Inspection

ZIPS = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = pytest.mark.real


def needs(name: str) -> Path:
    if not (ZIPS / name).is_file():
        pytest.skip(f"the real pictures {name} are not on this computer")
    return ZIPS / name


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    root = tmp_path_factory.mktemp("real") / "flowers"
    archive.unpack(needs("flowers.zip"), root)
    return inspection.inspect(root)


@pytest.fixture(scope="module")
def flowers(inspected: Inspection) -> Dataset:
    return inspected.dataset


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three classes of hand signs; class 7 holds the three large photos with EXIF orientation 6."""
    place = tmp_path_factory.mktemp("real")
    with zipfile.ZipFile(needs("sign_digits.zip")) as whole, zipfile.ZipFile(place / "some.zip", "w") as part:
        for info in whole.infolist():
            if info.filename.split("/")[-2:-1] in (["2"], ["7"], ["9"]):
                part.writestr(info, whole.read(info))
    archive.unpack(place / "some.zip", place / "hands")
    return folder.scan(place / "hands")


def test_flowers_come_in_whole(flowers: Dataset) -> None:
    assert flowers.class_names == ("daisy", "dandelion", "rose", "sunflower", "tulip")
    assert set(flowers.counts().values()) == {386}
    assert Counter(entry.part for entry in flowers.pictures) == {"train": 1500, "test": 430}
    assert flowers.set_aside == ()


def test_the_four_groups_of_equal_flowers_are_found_and_nothing_else_is_held_against_them(
    inspected: Inspection,
) -> None:
    found = {each.kind: each for each in health.findings(inspected.dataset, inspected.tiles)}
    assert set(found) == {"duplicate", "conflict", "leak", "near_copy"}
    assert len(found["duplicate"].files) == 8
    assert len(found["conflict"].files) == 4
    assert len(found["leak"].files) == 8


def test_flowers_that_look_the_same_were_found_and_do_flatter(inspected: Inspection) -> None:
    groups = Counter(entry.group for entry in inspected.dataset.pictures if entry.group)
    assert sorted(groups.values()) == [2] * 11 + [3], "each looked at: they are the same photo, four times cropped"
    measured = flattery.measure(inspected.dataset, inspected.tiles)
    assert (measured.pictures, measured.groups) == (33, 16)
    assert 0 < measured.twins < 0.04
    assert measured.plain > measured.honest


def test_flowers_that_look_the_same_never_stand_on_two_sides(flowers: Dataset) -> None:
    for seed in range(5):
        parts = split.draw(flowers, 0.15, 0.15, seed)
        assert len(parts.test) == 430
        assert len(parts.left_out) == 4
        seen = [{flowers.pictures[row].kin for row in part} for part in (parts.train, parts.validation, parts.test)]
        assert not seen[0] & seen[1]
        assert not (seen[0] | seen[1]) & seen[2]
        assert set(Counter(flowers.pictures[row].label for row in parts.validation).values()) <= {43, 44, 45, 46}


def test_neither_cats_and_dogs_nor_hand_signs_raise_an_alarm_about_their_files(hands: Dataset) -> None:
    pets = intake.inspect(needs("cats_dogs.zip"))
    assert {each.kind for each in health.findings(pets.dataset, pets.tiles)} == {"near_copy"}
    looked_at = inspection.inspect(hands.root)
    assert health.findings(looked_at.dataset, looked_at.tiles) == ()


def test_the_pixels_of_flowers_are_what_a_single_reading_gives(flowers: Dataset) -> None:
    array = pixels.pixels(flowers, 64)
    for row in range(0, len(flowers.pictures), 97):
        assert np.array_equal(array[row], picture.read(flowers.root / flowers.pictures[row].file, 64))


def test_hand_signs_sort_as_numbers_and_their_litter_is_not_mentioned(hands: Dataset) -> None:
    assert hands.class_names == ("2", "7", "9")
    assert hands.set_aside == ()


def test_large_photos_are_turned_and_shrink_while_decoding_as_well_as_after(hands: Dataset) -> None:
    large = [entry for entry in hands.pictures if entry.width > 1000]
    assert len(large) == 3
    for entry in large:
        file = hands.root / entry.file
        with Image.open(file) as opened:
            assert opened.getexif()[0x0112] == 6
            whole = ImageOps.exif_transpose(opened).convert("RGB")
        assert whole.width == whole.height == entry.width
        wanted = np.asarray(whole.resize((96, 96), Image.Resampling.BICUBIC))
        difference = np.abs(picture.read(file, 96).astype(int) - wanted)
        assert difference.mean() < 0.5
        assert difference.max() <= 6


def test_the_command_line_takes_the_zip_of_cats_and_dogs_as_it_is() -> None:
    dataset = intake.open_pictures(needs("cats_dogs.zip"))
    assert dataset.counts() == {"cats": 600, "dogs": 600}
    assert dataset.set_aside == ()
