"""Who waits for a device, and who is next. No TensorFlow here.

Each waiting run has a ticket in ``THAW_HOME/queue``: written when it is ordered, removed by its supervisor when that
has taken it up. Turns go round between people, so that who orders ten runs does not keep nine others waiting: who was
served longest ago is next, and of each person's runs the oldest.
"""

import contextlib
import hashlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import filelock

from tlcore import atomic, workspace
from tlcore.errors import UserError

_SERVED = "served.json"
_REMEMBERED = 1000  # people whose last turn is remembered; of more, the longest ago are forgotten


@dataclass(frozen=True)
class Ticket:
    """A waiting run.

    Args:
        run: Its folder.
        person: Whose it is, as ``name_of`` gives it.
        time: When it was ordered, in seconds since 1970.
        tries: How often it was started and not taken up.
    """

    run: str
    person: str
    time: float
    tries: int = 0

    @property
    def folder(self) -> Path:
        """Return the run's folder."""
        return Path(self.run)


def name_of(identity: str) -> str:
    """Return a name for a person that is no secret, unlike the identity in the cookie."""
    return hashlib.sha256(f"queue {identity}".encode()).hexdigest()[:16]


@contextlib.contextmanager
def room(person: str) -> Iterator[None]:
    """Let a person order one more run inside the block; orders are taken one after the other.

    Raises:
        UserError: The person has as many waiting runs as one may have.
    """
    with _alone("orders"):
        mine = [ticket for ticket in _tickets() if ticket.person == person]
        if len(mine) >= workspace.waiting_runs():
            waiting = "1 run" if len(mine) == 1 else f"{len(mine)} runs"
            raise UserError(
                f"You have {waiting} waiting, and that is as many as one person may have.",
                "Wait until one of them begins, or stop one.",
            )
        yield


def enter(folder: Path, person: str) -> None:
    """Let a run wait for its turn."""
    _write(Ticket(str(folder), person, time.time()))


def leave(folder: Path) -> bool:
    """Take a run out of the line; return whether it was in it."""
    try:
        atomic.patiently(_file_of(folder).unlink)
    except FileNotFoundError:
        return False
    return True


def is_in(folder: Path) -> bool:
    """Return whether a run waits for its turn."""
    return _file_of(folder).exists()


def line() -> tuple[Ticket, ...]:
    """Return all who wait, the next one first."""
    waiting: dict[str, list[Ticket]] = {}
    for ticket in sorted(_tickets(), key=lambda ticket: ticket.time):
        waiting.setdefault(ticket.person, []).append(ticket)
    served = _served()
    people = sorted(waiting, key=lambda person: (served.get(person, 0.0), waiting[person][0].time))
    turns = max(map(len, waiting.values()), default=0)
    return tuple(waiting[person][turn] for turn in range(turns) for person in people if turn < len(waiting[person]))


def note_turn(ticket: Ticket) -> None:
    """Remember that a run is being started: whose turn it was, and how often that was tried."""
    with _alone("served"):
        latest = sorted((_served() | {ticket.person: time.time()}).items(), key=lambda served: served[1])
        atomic.write_json(_folder() / _SERVED, dict(latest[-_REMEMBERED:]))
    if is_in(ticket.folder):
        _write(replace(ticket, tries=ticket.tries + 1))


def put_back(ticket: Ticket) -> None:
    """Forget that a run was being started, if it is still in line."""
    if is_in(ticket.folder):
        _write(ticket)


def _folder() -> Path:
    return workspace.home() / "queue"


def _file_of(folder: Path) -> Path:
    return _folder() / f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}.ticket"


def _write(ticket: Ticket) -> None:
    atomic.write_json(_file_of(ticket.folder), asdict(ticket), durable=True)


def _alone(what: str) -> filelock.BaseFileLock:
    _folder().mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(_folder() / f"{what}.lock")


def _tickets() -> list[Ticket]:
    """Return the tickets of runs that are still there."""
    found = []
    for file in _folder().glob("*.ticket"):
        if file.name.startswith("."):  # just being written
            continue
        try:
            ticket = Ticket(**atomic.read_json(file))
        except (FileNotFoundError, PermissionError):  # its turn has just come; on Windows, it is just being written
            continue
        except (ValueError, TypeError):  # damaged by a loss of power: the run's page offers to go on
            file.unlink(missing_ok=True)
            continue
        if ticket.folder.is_dir():
            found.append(ticket)
        else:
            file.unlink(missing_ok=True)
    return found


def _served() -> dict[str, float]:
    """Return when each person had a turn last, in seconds since 1970."""
    with contextlib.suppress(FileNotFoundError, ValueError):  # nobody yet, or damaged by a loss of power: all are equal
        served, now = atomic.read_json(_folder() / _SERVED), time.time()
        return {person: min(moment, now) for person, moment in served.items()}  # the clock may have been put back
    return {}
