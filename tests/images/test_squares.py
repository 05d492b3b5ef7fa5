"""The file of squares: there while pictures are compared, and gone after."""

from pathlib import Path

import numpy as np
import pytest

from tlcore import workspace
from tlcore.images import squares


def small(value: int) -> np.ndarray:
    return np.full((squares.SIDE, squares.SIDE, 3), value, np.uint8)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


def left() -> list[Path]:
    return list((workspace.cache_folder() / "compared").iterdir())


def test_each_content_has_one_row_and_all_are_gone_in_the_end() -> None:
    with squares.kept() as kept:
        for value in range(200):
            kept.add(str(value % 50), small(value % 50))
        assert len(kept.rows) == 50 and left()
        array = np.array(kept.array())
        assert array.shape == (50, 96, 96, 3)
        assert all((array[row] == int(content)).all() for content, row in kept.rows.items())
    assert left() == []


def test_what_a_killed_process_left_goes_with_the_next_one_and_what_is_in_use_stays() -> None:
    place = workspace.cache_folder() / "compared"
    (place / "left").mkdir(parents=True)
    (place / "left" / squares.FILE).write_bytes(b"0" * 100)
    (place / "left.lock").touch()
    with squares.kept() as one:
        assert not (place / "left").exists() and not (place / "left.lock").exists()
        with squares.kept():
            assert one.folder.is_dir()
    assert left() == []


def test_a_full_disk_is_a_reason_and_no_error(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_HOME", str(small_disk / "home"))
    with squares.kept() as kept:
        for value in range(200):
            kept.add(str(value), small(value))
        assert 0 < len(kept.rows) < 150
        assert kept.problem == "the disk refused to keep small copies (No space left on device)"
