"""Whether a file lock is held: the one sign of life that cannot lie. No TensorFlow here.

After ``kill -9`` of a child that was not collected yet its process number still looks alive; its lock is free.
"""

from pathlib import Path

import filelock

_LOOK_S = 0.02
"""Who only looks holds it for far less: two who look at once must not take each other for somebody at work."""


def is_held(file: Path) -> bool:
    """Return whether any living process holds the lock of this file; looking leaves nothing behind."""
    if not file.exists():
        return False
    lock = filelock.FileLock(file)
    try:
        lock.acquire(timeout=_LOOK_S, poll_interval=_LOOK_S / 20)
    except filelock.Timeout:
        return True
    lock.release()
    return False
