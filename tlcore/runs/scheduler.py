"""Starts waiting runs as devices become free, one per device. No TensorFlow here.

Lives in the web process, as a thread. Where several web processes serve one installation, a lock decides which of them
schedules; when that one ends, the next takes over. Runs that were started go on without any of them.
"""

import contextlib
import errno
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import filelock

from tlcore import disk, lock, notice, workspace
from tlcore.errors import UserError
from tlcore.runs import events, local, queue, slots
from tlcore.runs import run as runs
from tlcore.runs.queue import Ticket
from tlcore.runs.run import Run

LOOK_EVERY_S = 0.2
TAKE_UP_S = 60.0
"""How long a supervisor may take to hold its device; a very busy computer needs some seconds to start Python."""
_NO_MEMORY = {errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE}
TRIES = 3
"""How often a run is started that nobody takes up, before it is given up."""
WAIT_S = 5.0
"""How long a full disk or memory is waited for before the next look."""


@dataclass(frozen=True)
class _Starting:
    """A run that was started and does not hold its device yet."""

    ticket: Ticket
    until: float

    def is_over(self) -> bool:
        """Return whether its supervisor has taken it up, or took too long."""
        return not queue.is_in(self.ticket.folder) or time.monotonic() > self.until


class Scheduler:
    """Gives free devices to who is next."""

    def __init__(self) -> None:
        self._starting: dict[int, _Starting] = {}

    def tick(self) -> None:
        """Look once at all devices.

        Raises:
            OSError: Nothing can be started now, for want of disk or memory.
        """
        for slot in range(slots.count()):
            if slot in self._starting and self._starting[slot].is_over():
                del self._starting[slot]
            if slot in self._starting or lock.is_held(slots.lock_file(slot)):
                continue
            ticket = next((ticket for ticket in queue.line() if not self._is_taken(ticket)), None)
            if ticket is None:
                return
            self._start(ticket, slot)

    def _is_taken(self, ticket: Ticket) -> bool:
        """Return whether a run is being started, by this process or by one that scheduled before."""
        is_starting = any(starting.ticket.run == ticket.run for starting in self._starting.values())
        try:
            return is_starting or runs.is_locked(Run(ticket.folder))
        except OSError:  # of somebody else, or broken: starting it fails, and then it is given up
            return is_starting

    def _start(self, ticket: Ticket, slot: int) -> None:
        """Start a run, or give it up where that has failed too often: it would keep all others waiting."""
        run = Run(ticket.folder)
        if not run.recipe_file.is_file():  # deleted just now
            queue.leave(run.folder)
            return
        if ticket.tries >= TRIES:
            _give_up(run, "")
            return
        queue.note_turn(ticket)
        self._starting[slot] = _Starting(ticket, time.monotonic() + TAKE_UP_S)
        try:
            local.start(run, slot)
        except (UserError, ValueError, KeyError, TypeError) as error:  # its recipe cannot be read any more
            del self._starting[slot]
            _give_up(run, repr(error))
        except OSError as error:
            del self._starting[slot]
            if disk.is_full(error) or error.errno in _NO_MEMORY:  # which is not its fault: this try does not count
                queue.put_back(ticket)
            raise


def _give_up(run: Run, detail: str) -> None:
    """Take a run out of the line that cannot be started, and say so; also one whose own folder takes no word."""
    failed = events.Failed(
        "This run could not be started.",
        "Start a new one with the same settings; if that fails too, whoever runs Thaw finds more in worker.log.",
        detail,
    )
    try:
        run.events.write(failed)
    except OSError as error:
        if disk.is_full(error):
            raise
        notice.say(f"A run that cannot be started takes no word either: {error}")
    queue.leave(run.folder)


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Schedule in a thread as long as the block lasts, whenever no other process does."""
    ending = threading.Event()
    thread = threading.Thread(target=_schedule, args=(ending,), name="scheduler", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def lock_file() -> filelock.FileLock:
    """Return the lock that whoever schedules in this installation holds."""
    workspace.home().mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(workspace.home() / "scheduler.lock", thread_local=False)


def _schedule(ending: threading.Event) -> None:
    """Schedule whenever no other process does."""
    while not ending.is_set():
        try:
            with lock_file().acquire(timeout=LOOK_EVERY_S):
                _look(ending)
        except filelock.Timeout:
            continue
        except OSError as error:
            _say(error)
            ending.wait(WAIT_S)


def _look(ending: threading.Event) -> None:
    """Look again and again; what goes wrong is said and waited for: without this thread nothing would start."""
    scheduler = Scheduler()
    while not ending.wait(LOOK_EVERY_S):
        try:
            scheduler.tick()
        except (OSError, UserError) as error:  # a full disk or memory, a setting that is no number
            _say(error)
            ending.wait(WAIT_S)
        except Exception:
            notice.say(traceback.format_exc())
            ending.wait(WAIT_S)


def _say(error: Exception) -> None:
    notice.say(f"The next training cannot be started yet: {error}")
