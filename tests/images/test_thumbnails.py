from pathlib import Path

import drawing
from PIL import Image

from tlcore.images import folder, thumbnails
from tlcore.images.folder import Keep


def test_every_picture_gets_a_small_copy_named_by_its_content(tmp_path: Path) -> None:
    root = drawing.draw_folder(tmp_path / "drawn", per_class=5, side=300)
    dataset = folder.scan(root, keep=Keep(thumbnails=tmp_path / "small"))
    for entry in dataset.pictures:
        with Image.open(thumbnails.file_of(tmp_path / "small", entry.content)) as copy:
            assert (copy.format, copy.size) == ("JPEG", (160, 160))
    assert len(list((tmp_path / "small").iterdir())) == 10


def test_a_small_copy_is_made_once(tmp_path: Path) -> None:
    thumbnails.write(tmp_path / "small", "abc", Image.new("RGB", (6, 4)))
    thumbnails.write(tmp_path / "small", "abc", Image.new("RGB", (9, 9), "white"))
    with Image.open(thumbnails.file_of(tmp_path / "small", "abc")) as copy:
        assert copy.size == (6, 4)
