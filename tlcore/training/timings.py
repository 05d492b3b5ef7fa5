"""What was timed on this computer, remembered, so that it is timed once. No TensorFlow here.

One file, ``THAW_HOME/timings.json``. Removing it makes Thaw time everything anew.
"""

import hashlib
import json
from typing import Any

import filelock

from tlcore import atomic, workspace


def get(*what: Any) -> dict[str, Any] | None:
    """Return what was remembered of something, or None.

    Args:
        what: Everything that the timing depends on: device, versions, backbone, cut, size.
    """
    return _read().get(_key(what))


def put(found: dict[str, Any], *what: Any) -> None:
    """Remember the timing of something."""
    file = workspace.home() / "timings.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(file.with_suffix(".lock")):
        atomic.write_json(file, _read() | {_key(what): found | {"of": list(map(str, what))}})


def _read() -> dict[str, Any]:
    """Return everything that was remembered; a file that is no such list counts as none and is written anew."""
    file = workspace.home() / "timings.json"
    try:
        found = atomic.read_json(file) if file.is_file() else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _key(what: tuple[Any, ...]) -> str:
    return hashlib.sha256(json.dumps(list(map(str, what))).encode()).hexdigest()[:24]
