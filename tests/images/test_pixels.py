import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import drawing
import numpy as np
import pytest

from tlcore.errors import DatasetError, UserError
from tlcore.images import folder, picture, pixels
from tlcore.images.dataset import Dataset
from tlcore.images.folder import Keep
from tlcore.row_file import RowFile


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"


@pytest.fixture
def dataset(tmp_path: Path, home: Path) -> Dataset:
    return folder.scan(drawing.draw_folder(tmp_path / "drawn", per_class=12))


def test_rows_are_the_pictures_in_their_order(dataset: Dataset) -> None:
    array = pixels.pixels(dataset, 24, "pad")
    assert isinstance(array, np.memmap)
    assert (array.shape, array.dtype) == ((24, 24, 24, 3), np.uint8)
    assert not array.flags.writeable
    for row, entry in enumerate(dataset.pictures):
        assert np.array_equal(array[row], picture.read(dataset.root / entry.file, 24, "pad"))


def test_a_second_run_finds_what_the_first_decoded_wherever_the_pictures_lie_now(dataset: Dataset) -> None:
    first = pixels.pixels(dataset, 24)
    told: list[tuple[int, int]] = []
    moved = replace(dataset, root=Path("nowhere"))
    again = pixels.pixels(moved, 24, progress=lambda done, total: told.append((done, total)))
    assert np.array_equal(first, again)
    assert told == []


def test_another_size_resize_order_or_method_is_another_array(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = replace(dataset, pictures=dataset.pictures[::-1])
    names = [
        pixels.cache_file(dataset, 24, "crop"),
        pixels.cache_file(dataset, 25, "crop"),
        pixels.cache_file(dataset, 24, "pad"),
        pixels.cache_file(turned, 24, "crop"),
    ]
    monkeypatch.setattr(picture, "METHOD", picture.METHOD + 1)
    names.append(pixels.cache_file(dataset, 24, "crop"))
    assert len(set(names)) == 5


def test_progress_is_told_and_may_stop_the_work(dataset: Dataset) -> None:
    class Stop(Exception):
        pass

    def stop_at_five(done: int, total: int) -> None:
        assert total == 24
        if done == 5:
            raise Stop

    with pytest.raises(Stop):
        pixels.pixels(dataset, 24, progress=stop_at_five)
    file = pixels.cache_file(dataset, 24, "crop")
    assert [path.suffix for path in file.parent.iterdir()] == [".lock"], "something half done stayed behind"
    told: list[int] = []
    pixels.pixels(dataset, 24, progress=lambda done, total: told.append(done))
    assert told == list(range(1, 25))


@pytest.mark.parametrize("damage", ["empty", "short", "head", "shape"])
def test_a_damaged_array_is_made_again(dataset: Dataset, damage: str) -> None:
    whole = np.array(pixels.pixels(dataset, 24))
    file = pixels.cache_file(dataset, 24, "crop")
    content = file.read_bytes()
    damaged = {"empty": b"", "short": content[:-100], "head": b"x" * 200 + content[200:]}.get(damage)
    if damaged is None:
        np.save(file, whole[:5])
    else:
        file.write_bytes(damaged)
    assert np.array_equal(pixels.pixels(dataset, 24), whole)


def test_two_processes_at_once_decode_once_and_both_have_it(dataset: Dataset, tmp_path: Path, home: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from tlcore.images import folder, pixels\n"
        "told = []\n"
        "d = folder.scan(pathlib.Path(sys.argv[1]))\n"
        "a = pixels.pixels(d, 48, progress=lambda done, total: told.append(done))\n"
        "print(int(a.sum()), max(told, default=0))\n"
    )
    command = [sys.executable, "-c", code, str(dataset.root)]
    root = Path(pixels.__file__).parents[2]
    both = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    total = str(int(pixels.pixels(dataset, 48).sum()))
    assert [line[0] for line in said] == [total, total]
    assert sorted(line[1] for line in said) == ["0", "24"]


@pytest.mark.parametrize("change", ["gone", "other", "broken"])
def test_a_picture_that_changed_since_is_named(dataset: Dataset, change: str) -> None:
    file = dataset.root / dataset.pictures[7].file
    if change == "gone":
        file.unlink()
    elif change == "other":
        file.write_bytes((dataset.root / dataset.pictures[8].file).read_bytes())
    else:
        file.write_bytes(b"")
    with pytest.raises(DatasetError, match="have changed since they were looked over") as refused:
        pixels.pixels(dataset, 24)
    assert dataset.pictures[7].file in refused.value.problem


def test_a_file_in_the_place_of_the_cache_folder_is_said_in_plain_words(dataset: Dataset, home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "cache").write_bytes(b"")
    with pytest.raises(UserError, match="cannot be written") as refused:
        pixels.pixels(dataset, 24)
    assert "THAW_HOME" in refused.value.advice
    assert refused.value.detail


def test_the_scan_itself_can_write_the_array(dataset: Dataset, tmp_path: Path) -> None:
    (dataset.root / "cold/0.png").write_bytes(b"broken")
    with RowFile(tmp_path / "squares.npy", (24, 24, 3), "uint8") as squares:
        again = folder.scan(dataset.root, keep=Keep(square=squares.append, side=24))
    assert np.array_equal(np.load(tmp_path / "squares.npy", mmap_mode="r"), pixels.pixels(again, 24))
