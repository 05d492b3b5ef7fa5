"""Sample sets: drawn the same every time, readable, as many as promised."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tlcore.errors import UserError
from tlcore.images import health, inspection
from tlcore.samples import canvas, sample

ALIKE = ("near_copy", "near_conflict")  # two dials may differ in their needles only, which is the point of the set


@pytest.mark.parametrize("name", sample.SAMPLES)
def test_a_set_has_the_promised_classes_and_pictures_and_nothing_to_complain_about(name, tmp_path):
    chosen = sample.get(name)
    seen = []
    sample.write(chosen, tmp_path / name, lambda done, total: seen.append((done, total)))
    seen_over = inspection.inspect(tmp_path / name)
    dataset = seen_over.dataset
    assert dataset.counts() == dict.fromkeys(chosen.class_names, chosen.per_class)
    assert (
        dataset.set_aside == ()
        and [finding.kind for finding in health.findings(dataset, seen_over.tiles) if finding.kind not in ALIKE] == []
    )
    assert 2 <= len(chosen.class_names) <= 5
    assert seen[-1] == (len(dataset.pictures), len(dataset.pictures))


def drawn(name: str, number: int) -> list[bytes]:
    chosen = sample.get(name)
    return [chosen.draw(label, np.random.default_rng(number)).tobytes() for label in chosen.class_names]


@pytest.mark.parametrize("name", sample.SAMPLES)
def test_the_same_chance_draws_the_same_picture_and_another_chance_another_one(name):
    assert drawn(name, 1) == drawn(name, 1)
    assert not set(drawn(name, 1)) & set(drawn(name, 2))
    assert len(set(drawn(name, 1))) == len(sample.get(name).class_names)


def test_pictures_written_twice_are_equal_to_the_last_byte(tmp_path):
    small = sample.Sample("signs", "Few of them.", ("cross", "hook"), 2, sample.get("signs").draw)
    for folder_name in ("a", "b"):
        sample.write(small, tmp_path / folder_name)
    digests = [
        [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted((tmp_path / name).rglob("*.jpg"))]
        for name in ("a", "b")
    ]
    assert digests[0] == digests[1] and len(set(digests[0])) == 4


def test_a_drawn_picture_is_square_rgb():
    picture = sample.get("gauges").draw("low", np.random.default_rng(0))
    assert isinstance(picture, Image.Image) and (picture.size, picture.mode) == ((canvas.SIDE, canvas.SIDE), "RGB")


def test_nothing_is_ever_drawn_over(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        sample.write(sample.get("signs"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_set_is_refused_with_the_names_there_are():
    with pytest.raises(UserError, match="leaves"):
        sample.get("dinosaurs")
