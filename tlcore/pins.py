"""What unfinished runs need of the cache: it is never removed, so that a run goes on with the very same numbers.

A list of files for each run, in ``cache/pins``. It counts as long as the run's folder is there, or can be taken back,
and its training is not over. No TensorFlow here.
"""

import contextlib
import hashlib
from pathlib import Path

from tlcore import atomic, removal, workspace


def pin(run: Path, file: Path) -> None:
    """Keep a file of the cache as long as a run needs it.

    Args:
        run: The run's folder.
        file: Anything below the cache, there or not.
    """
    files = pinned_by(run)
    if file not in files:
        atomic.write_json(_list_of(run), {"run": str(run), "files": [str(each) for each in (*files, file)]})


def pinned_by(run: Path) -> tuple[Path, ...]:
    """Return the files that one run needs."""
    with contextlib.suppress(OSError, ValueError, KeyError):  # none yet, or a list that a loss of power has damaged
        return tuple(map(Path, _read(_list_of(run))["files"]))
    return ()


def release(run: Path) -> None:
    """Let a run's files go the way of all others."""
    _list_of(run).unlink(missing_ok=True)


def pinned() -> frozenset[Path]:
    """Return every file that an unfinished run needs; lists of runs that were deleted for good are removed."""
    found: set[Path] = set()
    for listed in _folder().glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):  # just removed, or no such list
            value = _read(listed)
            if removal.is_kept(Path(value["run"])):
                found.update(map(Path, value["files"]))
            else:
                listed.unlink(missing_ok=True)
    return frozenset(found)


def _folder() -> Path:
    return workspace.cache_folder() / "pins"


def _list_of(run: Path) -> Path:
    return _folder() / f"{hashlib.sha256(str(run).encode()).hexdigest()[:24]}.json"


def _read(listed: Path) -> dict:
    return atomic.read_json(listed)
