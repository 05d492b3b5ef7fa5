"""Large sets: neighbours come from a process of its own, and whatever becomes of that process, the look-over ends."""

import contextlib
import os
import signal
from pathlib import Path

import filelock
import pytest
from drawing import draw_scenes, scene
from PIL import Image

from tlcore.images import comparison, health, inspection, neighbours, squares
from tlcore.images import split as splits
from tlcore.images.folder import Progress
from tlcore.images.inspection import Inspection

SENTENCE = "The pictures were compared by their perceptual hashes only, because "


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """More pictures than are compared pair by pair; among them a crop, and a picture turned by a quarter."""
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    root = draw_scenes(tmp_path / "pictures", per_class=comparison.EVERY_PAIR // 2)
    wide, high = scene(3).size
    middle = (round(wide * 0.15), round(high * 0.15), round(wide * 0.85), round(high * 0.85))
    scene(3).crop(middle).save(root / "a" / "zz crop.jpg", quality=90)
    scene(9).transpose(Image.Transpose.ROTATE_90).save(root / "a" / "zz turned.jpg", quality=90)
    return root


def grouped(found: Inspection) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for picture in found.dataset.pictures:
        if picture.group:
            groups.setdefault(picture.group, set()).add(picture.file)
    return {frozenset(files) for files in groups.values()}


TURNED, CROPPED = frozenset({"a/063.jpg", "a/zz turned.jpg"}), frozenset({"a/021.jpg", "a/zz crop.jpg"})


def test_a_large_set_waits_for_its_turn_finds_a_crop_and_a_quarter_turn_and_keeps_both_on_one_side(many: Path) -> None:
    other = filelock.FileLock(neighbours.lock_file(), thread_local=False)
    other.acquire()
    told: list[str] = []

    def about(task: str) -> Progress:
        told.append(task)
        if task == neighbours.WAITING:
            other.release()
        return lambda done, total: None

    found = inspection.inspect(many, about=about)
    assert found.hash_only == ""
    assert grouped(found) == {TURNED, CROPPED}
    assert neighbours.WAITING in told and told[-1] == neighbours.COMPARING
    for seed in range(10):
        split = splits.draw(found.dataset, 0.3, 0.3, seed)
        for pair in (TURNED, CROPPED):
            sides = [{found.dataset.pictures[row].file for row in rows} & pair
                     for rows in (split.train, split.validation, split.test)]  # fmt: skip
            assert sorted(len(side) for side in sides) == [0, 0, 2]


def searches() -> list[int]:
    """Return the processes that look for neighbours, of those that this one has started and not collected."""
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        pytest.skip("needs /proc, which tells which processes this one has started")
    found = []
    for task in tasks.iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread or a process has just ended
            started = (task / "children").read_text().split()
            found += [
                int(child) for child in started if neighbours.MODULE in Path(f"/proc/{child}/cmdline").read_text()
            ]
    return found


@pytest.mark.skipif(os.name != "posix", reason="signals as on Linux and macOS")
def test_a_process_that_is_killed_in_the_middle_leaves_what_hashes_find_and_a_plain_sentence(many: Path) -> None:
    before = set(searches())

    def about(task: str) -> Progress:
        for child in set(searches()) - before:
            os.kill(child, signal.SIGKILL)
        return lambda done, total: None

    found = inspection.inspect(many, about=about)
    assert grouped(found) == {TURNED}
    said = {each.kind: each for each in health.findings(found.dataset, found.tiles, found.hash_only)}
    assert set(said) == {"near_copy", "hash_only"}
    assert said["hash_only"].message.startswith(SENTENCE + "the part of Thaw that looks for cropped copies was ended")
    assert said["hash_only"].message.count(". ") == 0, "one sentence"


def test_a_process_that_cannot_work_is_a_reason_too(many: Path, tmp_path: Path) -> None:
    neighbours.lock_file().mkdir(parents=True)  # so that nobody can hold it
    found = inspection.inspect(many)
    assert grouped(found) == {TURNED}
    assert "broke off (exit code 1: IsADirectoryError" in found.hash_only


def test_the_process_ends_when_whoever_asked_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    with squares.kept() as kept, filelock.FileLock(neighbours.lock_file()):  # it waits, and says so
        search = neighbours.Search(kept.folder)
        assert search.process.stdin is not None
        search.process.stdin.close()
        assert search.process.wait(timeout=60) == 1


def test_small_sets_start_no_process(tmp_path: Path) -> None:
    draw_scenes(tmp_path, per_class=20)
    scene(3).crop((36, 27, 204, 153)).save(tmp_path / "b" / "zz crop.jpg", quality=90)
    before, seen = set(searches()), set[int]()
    found = inspection.inspect(tmp_path, lambda done, total: seen.update(set(searches()) - before))
    assert grouped(found) == {frozenset({"a/021.jpg", "b/zz crop.jpg"})}
    assert not seen
