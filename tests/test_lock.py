"""A lock tells whether anybody works, and looking does not."""

import threading

import filelock

from tlcore import lock


def test_who_only_looks_is_never_taken_for_somebody_at_work(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "_LOOK_S", 1.0)  # however busy the computer is
    file = tmp_path / "lock"
    file.touch()
    seen = []
    looking = [threading.Thread(target=lambda: seen.extend(lock.is_held(file) for _ in range(100))) for _ in range(4)]
    for look in looking:
        look.start()
    for look in looking:
        look.join()
    assert seen == [False] * 400
    with filelock.FileLock(file):
        assert lock.is_held(file)
    assert not lock.is_held(file)
