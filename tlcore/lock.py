"""Whether a file lock is held: the one sign of life that cannot lie. No TensorFlow here.

After ``kill -9`` of a child that was not collected yet its process number still looks alive; its lock is free.
"""

from pathlib import Path

import filelock


def is_held(file: Path) -> bool:
    """Return whether any living process holds the lock of this file."""
    lock = filelock.FileLock(file)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    lock.release()
    return False
