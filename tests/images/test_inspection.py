"""What looking over a folder notices, on drawn pictures in real files."""

import io
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
import pytest
from drawing import draw_scenes, scene
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from tlcore.images import dataset as datasets
from tlcore.images import flattery, health, impression, inspection
from tlcore.images import split as splits
from tlcore.images.finding import Finding
from tlcore.images.inspection import Inspection


def kinds(found: Inspection) -> dict[str, Finding]:
    return {each.kind: each for each in health.findings(found.dataset, found.tiles)}


def by_file(found: Inspection) -> dict[str, datasets.Picture]:
    return {picture.file: picture for picture in found.dataset.pictures}


def saved_again(image: Image.Image) -> Image.Image:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=40)
    return Image.open(content)


def cropped(image: Image.Image) -> Image.Image:
    wide, high = image.size
    return image.crop((round(wide * 0.04), round(high * 0.02), round(wide * 0.97), round(high * 0.96)))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": saved_again,
    "half the size": lambda image: image.resize((120, 90), Image.Resampling.BICUBIC),
    "cropped": cropped,
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "all at once": lambda image: saved_again(ImageEnhance.Brightness(cropped(image)).enhance(0.8)),
}


def test_pictures_of_different_things_are_not_called_the_same(tmp_path: Path) -> None:
    found = inspection.inspect(draw_scenes(tmp_path, per_class=60))
    assert {picture.group for picture in found.dataset.pictures} == {""}
    assert kinds(found) == {}


@pytest.mark.parametrize("change", COPIES)
def test_a_copy_that_was_changed_a_little_is_recognised(change: str, tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    COPIES[change](scene(3)).save(tmp_path / "a" / "zz copy.jpg", quality=90)
    found = inspection.inspect(tmp_path)
    assert {file for file, picture in by_file(found).items() if picture.group} == {"a/021.jpg", "a/zz copy.jpg"}
    noticed = kinds(found)
    assert set(noticed) == {"near_copy"}
    assert noticed["near_copy"].spare == ("a/zz copy.jpg",), "the larger one, or the first, stays"


def test_a_copy_in_another_class_is_said_by_itself(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    saved_again(scene(3)).save(tmp_path / "b" / "zz copy.jpg")
    noticed = kinds(inspection.inspect(tmp_path))
    assert set(noticed) == {"near_copy", "near_conflict"}
    assert noticed["near_conflict"].files == ("a/021.jpg", "b/zz copy.jpg")
    assert "“a” and “b”" in noticed["near_conflict"].message
    assert noticed["near_copy"].spare == (), "which of the two is right, only a person knows"


def test_a_series_of_shots_is_one_group_although_its_ends_differ(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    wide = scene(7, (480, 180))
    for number in range(10):  # the camera moves on by 6 pixels each time
        wide.crop((number * 6, 0, number * 6 + 240, 180)).save(tmp_path / "a" / f"burst {number}.jpg", quality=90)
    found = inspection.inspect(tmp_path)
    burst = {picture.group for file, picture in by_file(found).items() if "burst" in file}
    assert len(burst) == 1 and burst != {""}
    for seed in range(20):
        split = splits.draw(found.dataset, 0.3, 0.3, seed)
        sides = [rows for rows in (split.train, split.validation, split.test)
                 if any("burst" in found.dataset.pictures[row].file for row in rows)]  # fmt: skip
        assert len(sides) == 1


def test_photos_of_one_dial_are_not_all_called_the_same(tmp_path: Path) -> None:
    for label, name in enumerate(("low", "high")):
        (tmp_path / name).mkdir()
        for number in range(15):
            dial = scene(0).filter(ImageFilter.GaussianBlur(1))
            angle = np.radians(170 * label + 11 * number)
            tip = (120 + 80 * np.cos(angle), 90 - 80 * np.sin(angle))
            ImageDraw.Draw(dial).line(((120, 90), tip), fill="black", width=9)
            dial.save(tmp_path / name / f"{number}.jpg", quality=92)
    found = inspection.inspect(tmp_path)
    assert sum(picture.group != "" for picture in found.dataset.pictures) <= 6
    splits.draw(found.dataset, 0.2, 0.2, 0)


@pytest.mark.parametrize(
    ("kind", "image"),
    [
        ("tiny", scene(500).resize((30, 24))),
        ("dark", ImageEnhance.Brightness(scene(500)).enhance(0.08)),
        ("bright", Image.eval(scene(500), lambda value: 248 + value // 40)),
        ("blurry", scene(500).filter(ImageFilter.GaussianBlur(6))),
    ],
)
def test_a_picture_on_which_little_can_be_seen_is_named(kind: str, image: Image.Image, tmp_path: Path) -> None:
    image.save(draw_scenes(tmp_path) / "b" / "odd.jpg", quality=92)
    noticed = kinds(inspection.inspect(tmp_path))
    assert kind in noticed and noticed[kind].files == ("b/odd.jpg",)
    assert noticed[kind].message.startswith("1 picture ")


def test_looks_are_those_of_the_well_known_library() -> None:
    tiles = np.stack([np.asarray(scene(seed).resize((32, 32), Image.Resampling.BOX)) for seed in range(40)])
    known = [str(imagehash.phash(Image.fromarray(tile).convert("L"))) for tile in tiles]
    assert sum(mine == its for mine, its in zip(impression.looks(tiles), known, strict=True)) >= 39, "but for rounding"


def test_pictures_of_one_colour_do_not_count_as_the_same(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    for value in range(20, 220, 20):
        Image.new("RGB", (90, 90), (value, value, 255 - value)).save(tmp_path / "a" / f"flat {value}.jpg")
    assert "near_copy" not in kinds(inspection.inspect(tmp_path))


def test_grey_pictures_in_one_class_and_colour_in_the_other_are_said(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    for file in (tmp_path / "a").iterdir():
        Image.open(file).convert("L").convert("RGB").save(file, quality=92)
    assert len(kinds(inspection.inspect(tmp_path))["mixed_colour"].files) == 15


def test_a_few_grey_pictures_everywhere_do_no_harm(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    for file in (*sorted((tmp_path / "a").iterdir())[:3], *sorted((tmp_path / "b").iterdir())[:3]):
        Image.open(file).convert("L").convert("RGB").save(file, quality=92)
    assert kinds(inspection.inspect(tmp_path)) == {}


def test_one_class_in_png_and_the_other_in_jpeg_raises_the_alarm(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    for file in sorted((tmp_path / "a").iterdir()):
        Image.open(file).save(file.with_suffix(".png"))
        file.unlink()
    noticed = kinds(inspection.inspect(tmp_path))
    assert set(noticed) == {"shortcut"}
    assert "100% of the pictures of “a”" in noticed["shortcut"].message
    assert "All of “a” are PNG, and none of the others is" in noticed["shortcut"].message


def test_one_class_of_four_from_another_source_raises_the_alarm_beside_a_class_too_small_to_tell(
    tmp_path: Path,
) -> None:
    draw_scenes(tmp_path, ("a", "b", "c", "d"))
    for file in sorted((tmp_path / "d").iterdir())[4:]:
        file.unlink()
    for file in (tmp_path / "b").iterdir():
        Image.open(file).resize((200, 150)).save(file, quality=92)
    noticed = kinds(inspection.inspect(tmp_path))
    assert set(noticed) == {"shortcut", "few"}
    assert "All of “b” are 200 x 150 pixels" in noticed["shortcut"].message


def test_classes_of_different_size_raise_the_alarm(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    for file in (tmp_path / "a").iterdir():
        Image.open(file).resize((200, 150)).save(file, quality=92)
    noticed = kinds(inspection.inspect(tmp_path))
    assert "200 x 150 pixels" in noticed["shortcut"].message


def test_a_rim_of_its_own_around_one_class_is_a_hint_and_no_alarm(tmp_path: Path) -> None:
    draw_scenes(tmp_path, per_class=25)
    for file in (tmp_path / "a").iterdir():
        pixels = np.array(Image.open(file)).astype(int)
        rim = np.ones(pixels.shape[:2], bool)
        rim[14:-14, 14:-14] = False
        pixels[rim] += (70, -30, -30)  # a tint leaves the grain, and with it the size of the file, as it is
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, quality=92)
    noticed = kinds(inspection.inspect(tmp_path))
    assert "border" in noticed and "shortcut" not in noticed


def test_what_copies_would_have_done_is_measured_and_reads_back(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    alone = inspection.inspect(tmp_path)
    assert flattery.measure(alone.dataset, alone.tiles) == flattery.Flattery()
    for number in range(15):
        saved_again(scene(number)).save(tmp_path / "a" / f"copy {number}.jpg")
    found = inspection.inspect(tmp_path)
    measured = flattery.measure(found.dataset, found.tiles)
    assert (measured.pictures, measured.groups, measured.draws) == (30, 15, 10)
    assert 0.5 < measured.twins < 0.7, (
        "15 of 45 pictures have no twin, and a twin is outside of the exam in 6 of 7 cases"
    )
    assert measured.plain > measured.honest + 0.1
    flattery.save(measured, tmp_path / "flattery.json")
    assert flattery.load(tmp_path / "flattery.json") == measured
    assert flattery.load(tmp_path / "nowhere.json") == flattery.Flattery()


def test_an_inspected_dataset_reads_back_and_an_older_one_opens(tmp_path: Path) -> None:
    found = inspection.inspect(draw_scenes(tmp_path / "pictures", per_class=3)).dataset
    datasets.save(found, tmp_path / "dataset.json")
    assert datasets.load(tmp_path / "dataset.json") == found
    assert all(len(picture.look) == 16 and picture.stored == "JPEG RGB" for picture in found.pictures)
    older = datasets.Picture(**{"file": "a.jpg", "label": 0, "content": "c", "width": 9, "height": 9})
    assert (older.kin, older.look, older.remarks) == ("c", "", ())
