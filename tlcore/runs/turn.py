"""When a waiting run is expected to begin. No TensorFlow here."""

import contextlib
import functools
import heapq
import time
from dataclasses import dataclass
from pathlib import Path

from tlcore import lock
from tlcore.errors import UserError
from tlcore.runs import events, pace, queue, slots
from tlcore.runs.run import Run
from tlcore.training import recipe as recipes

_LOOKED_AT_S = 5.0
"""For how long what was read of another run's events counts: thirty people may wait for the same one."""
_SOON_S = 1.0
"""The least that is foretold of a device that is held: only one that is free is free at once."""


@dataclass(frozen=True)
class Turn:
    """Where a run stands in line.

    Args:
        place: From 1, the next one.
        waiting: How many wait in all.
        starts_in_s: Expected seconds until it begins; None as long as nothing is known about runs here.
    """

    place: int
    waiting: int
    starts_in_s: float | None


def of(run: Run) -> Turn | None:
    """Return the turn of a run, or None where it is not in line."""
    folders = [ticket.folder for ticket in queue.line()]
    if run.folder not in folders:
        return None
    ahead = folders.index(run.folder)
    return Turn(ahead + 1, len(folders), _starts_in_s(ahead))


def _starts_in_s(ahead: int) -> float | None:
    """Return when the run with that many before it begins: each takes the device that is free first."""
    free_in = [_free_in_s(slot) for slot in range(slots.count())]
    usual = slots.usual_s()
    if ahead == 0 and 0.0 in free_in:
        return 0.0
    if usual is None and (ahead or None in free_in):
        return None
    free = [usual if seconds is None else seconds for seconds in free_in]
    heapq.heapify(free)
    for _ in range(ahead):
        heapq.heapreplace(free, free[0] + usual)
    return free[0]


def _free_in_s(slot: int) -> float | None:
    """Return in how many seconds a device is expected to be free; None where that cannot be told."""
    if not lock.is_held(slots.lock_file(slot)):
        return 0.0
    holder = slots.holder(slot)
    if holder is None:  # it has not said which run it is yet
        return None
    left = _left_s(Path(holder.run), int(time.time() / _LOOKED_AT_S))
    usual = slots.usual_s()
    if left is None and usual is not None:
        left = usual - (time.time() - holder.since)
        if left <= 0:  # it takes longer than they usually do, and says nothing yet about how much
            return None
    return None if left is None else max(_SOON_S, left)


@functools.lru_cache(maxsize=16)
def _left_s(folder: Path, looked_at: int) -> float | None:
    """Return how long a training will still take by its own pace; ``looked_at`` makes a later look a new one."""
    run = Run(folder)
    with contextlib.suppress(
        OSError, ValueError, KeyError, TypeError, UserError
    ):  # not settled yet, deleted or damaged
        recipe = recipes.load(run.resolved_file)
        told = events.in_force(run.events.read(without=(events.BatchEnd, events.Progress))[0])
        if any(events.last(told, kind) for kind in (events.Trained, events.Stopped, events.Interrupted)):
            return 0.0  # its results are being made
        found = pace.measure(told, recipe.epochs)
        return found.left_s if found.is_last_phase else None
    return None
