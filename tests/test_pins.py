"""What an unfinished run needs stays in the cache."""

import pytest

from tlcore import cache, pins


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    return tmp_path


def kept(name: str):
    file = cache.folder("features") / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"1234")
    return file


def test_a_pinned_file_outlives_clearing_until_its_run_lets_go(home):
    run = home / "run"
    run.mkdir()
    mine, other = kept("mine.npy"), kept("other.npy")
    pins.pin(run, mine)
    pins.pin(run, mine)
    assert cache.clear() == 4
    assert mine.exists() and not other.exists()
    pins.release(run)
    pins.release(run)
    assert cache.clear() == 4 and not mine.exists()


def test_a_run_that_was_deleted_needs_nothing(home):
    run = home / "run"
    run.mkdir()
    file = kept("mine.npy")
    pins.pin(run, file)
    run.rmdir()
    assert pins.pinned() == frozenset()
    assert cache.clear() == 4


def test_what_two_runs_need_stays_until_both_are_over(home):
    file = kept("both.npy")
    for name in ("one", "two"):
        (home / name).mkdir()
        pins.pin(home / name, file)
    pins.release(home / "one")
    assert cache.clear() == 0
    pins.release(home / "two")
    assert cache.clear() == 4


def test_what_one_run_needs_is_told_apart_from_what_others_need(home):
    mine, theirs = kept("mine.npy"), kept("theirs.npy")
    for name, file in (("one", mine), ("two", theirs)):
        (home / name).mkdir()
        pins.pin(home / name, file)
    assert pins.pinned_by(home / "one") == (mine,) and pins.pinned_by(home / "none") == ()
    assert cache.pinned_bytes() == 8 and cache.pinned_bytes(but=frozenset({mine})) == 4
