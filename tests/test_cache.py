import os
import subprocess
import sys
import time
from pathlib import Path

import filelock
import pytest

from tlcore import cache, pins
from tlcore.errors import UserError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def put(kind: str, name: str, size: int, hours_ago: float) -> Path:
    """Keep a file that was last used some hours ago."""
    file = cache.folder(kind) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))
    then = time.time() - 3600 * hours_ago
    os.utime(file, (then, then))
    return file


def read(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def test_what_is_there_is_not_made_again_and_counts_as_used() -> None:
    file = put("pixels", "a.npy", 3, hours_ago=5)
    assert cache.once(file, read, lambda: pytest.fail("made again")) == bytes(3)
    assert time.time() - cache.entries()[0].used < 600


def test_what_is_missing_is_made() -> None:
    file = cache.folder("features") / "b.npy"
    assert cache.once(file, read, lambda: file.write_bytes(b"made") and None) == b"made"


def test_while_another_process_makes_it_one_waits_and_then_takes_its_work(home: Path) -> None:
    file = cache.folder("features") / "c.npy"
    file.parent.mkdir(parents=True)
    program = (
        "import sys, time, filelock, pathlib\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "with filelock.FileLock(file.with_suffix('.lock')):\n"
        "    print('has it', flush=True)\n"
        "    time.sleep(1.2)\n"
        "    file.write_bytes(b'theirs')\n"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE)
    assert other.stdout and other.stdout.readline().strip() == b"has it"
    told: list[tuple[int, int]] = []
    found = cache.once(file, read, lambda: pytest.fail("made twice"), lambda *said: told.append(said), total=7)
    other.communicate()
    assert found == b"theirs"
    assert told and set(told) == {(0, 7)}


def test_room_is_made_by_removing_what_was_unused_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_CACHE_GB", "0.001")
    oldest = put("pixels", "oldest.npy", 400_000, hours_ago=9)
    older = put("features", "older.npy", 400_000, hours_ago=8)
    newest = put("pixels", "newest.npy", 100_000, hours_ago=1)
    assert cache.make_room(450_000) == 400_000
    assert (oldest.exists(), older.exists(), newest.exists()) == (False, True, True)
    assert cache.make_room(100_000) == 0
    assert cache.size_bytes() == 500_000


def test_what_is_just_being_made_stays() -> None:
    file = put("pixels", "a.npy", 10, hours_ago=9)
    with filelock.FileLock(file.with_suffix(".lock")):
        assert cache.clear() == 0
    assert cache.clear() == 10
    assert not file.exists()


def test_unpacked_archives_are_never_removed(home: Path) -> None:
    place = home / "cache" / "archives" / "abc"
    place.mkdir(parents=True)
    (place / "picture.jpg").write_bytes(bytes(10))
    assert cache.clear() == 0
    assert (place / "picture.jpg").exists()


def test_there_is_nothing_at_first() -> None:
    assert cache.entries() == ()
    assert cache.clear() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_said_in_plain_words() -> None:
    full = Path("/dev/full")  # a device that is always full
    with (
        pytest.raises(UserError, match="The disk is full: 9 pictures of 96 pixels need 3 MB") as said,
        cache.explained("9 pictures of 96 pixels", 3_000_000, "choose a smaller picture size"),
    ):
        full.write_bytes(b"x")
    assert "choose a smaller picture size" in said.value.advice


def test_sizes_are_said_as_people_read_them() -> None:
    assert [cache.in_words(size) for size in (2_400_000, 12_000_000_000)] == ["2 MB", "12.0 GB"]


def test_on_a_full_disk_what_was_unused_longest_goes_first(small_disk, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(small_disk))
    monkeypatch.setattr(cache, "RESERVE", 500_000)
    files = [cache.folder("pixels") / f"{number}.npy" for number in range(2)]
    for age, file in zip((2000.0, 1000.0), files, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(1_000_000))
        os.utime(file, (time.time() - age, time.time() - age))
    assert cache.make_room(800_000) == 1_000_000
    assert [file.exists() for file in files] == [False, True]


def test_what_unfinished_runs_need_is_counted_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path))
    file = cache.folder("features") / "a.npy"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(1000))
    assert cache.pinned_bytes() == 0
    (tmp_path / "run").mkdir()
    pins.pin(tmp_path / "run", file)
    assert cache.pinned_bytes() == 1000


def test_what_a_killed_writer_left_half_written_counts_and_goes_and_what_is_being_written_stays() -> None:
    left = put("features", ".abc.0f0f0f0f.npy", 5, hours_ago=2)
    written = put("features", ".def.0f0f0f0f.npy", 7, hours_ago=3)
    assert cache.size_bytes() == 12
    with filelock.FileLock(written.with_name("def.lock")):
        assert cache.clear() == 5
    assert not left.exists() and written.exists()


def test_whoever_makes_a_file_removes_what_an_earlier_writer_of_it_left() -> None:
    left, other = put("features", ".abc.0f0f0f0f.npy", 5, 2), put("features", ".abd.0f0f0f0f.npy", 5, 2)
    file = cache.folder("features") / "abc.npy"
    assert cache.once(file, read, lambda: file.write_bytes(b"made") and None) == b"made"
    assert not left.exists() and other.exists()
