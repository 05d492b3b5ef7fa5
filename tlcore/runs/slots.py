"""The devices that runs are given one at a time, and the locks that stand for them. No TensorFlow here.

A computer with graphics cards has one slot for each, any other has one. ``THAW_DEVICES`` says otherwise. A lock says
that a device is taken; the note beside it says by which run and since when, and counts only while the lock is held.
"""

import contextlib
import functools
import os
import shutil
import statistics
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic, lock, workspace

_REMEMBERED = 20  # runs from which a usual one is told
_ASK_AGAIN_S = 60.0
_answered: dict[str, int] = {}


@dataclass(frozen=True)
class Holder:
    """A run that has a device.

    Args:
        run: Its folder.
        since: When it got the device, in seconds since 1970.
    """

    run: str
    since: float


def count() -> int:
    """Return how many runs may train at once."""
    return workspace.devices() or max(1, len(_card_names()))


def _card_names() -> list[str]:
    """Return the graphics cards that may be used: those that ``CUDA_VISIBLE_DEVICES`` names, or all."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return [name.strip() for name in allowed.split(",") if name.strip() not in ("", "-1")]
    return [str(number) for number in range(cards())]


def cards() -> int:
    """Return how many graphics cards the maker's own program names; 0 where it is missing, fails or names none.

    One that fails is asked again after a minute: after a start of the computer its driver may not be ready yet.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    if program not in _answered:
        found = _ask(program, int(time.monotonic() / _ASK_AGAIN_S))
        if found is None:
            return 0
        _answered[program] = found
    return _answered[program]


@functools.lru_cache(maxsize=1)
def _ask(program: str, asked: int) -> int | None:
    """Ask once; ``asked`` makes a later time a new one. None where it fails."""
    try:
        answer = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return sum(line.startswith("GPU ") for line in answer.stdout.splitlines()) if answer.returncode == 0 else None


def lock_file(slot: int) -> Path:
    """Return the lock that is held as long as a run has a device; slots count from 0."""
    workspace.home().mkdir(parents=True, exist_ok=True)
    return workspace.home() / (f"device-{slot}.lock" if slot else "device.lock")


def environment(slot: int) -> dict[str, str]:
    """Return what a worker has to see of the environment so that it takes this device and no other.

    Where more runs may train at once than there are cards, they share them.
    """
    names = _card_names()
    return {"CUDA_VISIBLE_DEVICES": names[slot % len(names)]} if len(names) > 1 else {}


def note(slot: int, run: Path) -> None:
    """Note that a run has just got a device; who notes it holds the lock."""
    atomic.write_json(_note_file(slot), asdict(Holder(str(run), time.time())))


def note_end(slot: int) -> None:
    """Remember how long a run had its device, just before it is given back."""
    found = _noted(slot)
    if found:
        kept = [*_durations(), max(0.0, time.time() - found.since)]
        atomic.write_json(_durations_file(), kept[-_REMEMBERED:])


def holder(slot: int) -> Holder | None:
    """Return which run has a device, or None where none has it or none has said so."""
    return _noted(slot) if lock.is_held(lock_file(slot)) else None


def usual_s() -> float | None:
    """Return for how many seconds a run here usually has its device: the middle of the last ones, None before any."""
    known = _durations()
    return statistics.median(known) if known else None


def _noted(slot: int) -> Holder | None:
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):  # none yet, or damaged by a loss of power
        return Holder(**atomic.read_json(_note_file(slot)))
    return None


def _durations() -> list[float]:
    with contextlib.suppress(FileNotFoundError, ValueError):  # none yet, or damaged by a loss of power
        return [float(duration) for duration in atomic.read_json(_durations_file())]
    return []


def _note_file(slot: int) -> Path:
    return workspace.home() / "queue" / f"device-{slot}.json"


def _durations_file() -> Path:
    return workspace.home() / "queue" / "durations.json"
