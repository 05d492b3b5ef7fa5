"""Who else may see a project or work in it: by links that its owner makes and can withdraw. No TensorFlow here.

Whoever opens a link is a guest from then on, known by the identity of the browser, until the link is withdrawn. Links
and guests lie in ``shares.json`` of the project.
"""

import contextlib
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import filelock

from tlcore import atomic, impatience
from tlcore.errors import UserError

Access = Literal["read", "full"]
_MOST = 50  # links of one project


@dataclass(frozen=True)
class Link:
    """A way in.

    Args:
        secret: What the address carries; 128 random bits.
        access: "read": see pictures, runs and results, and take models away. "full": bring pictures, train, stop and
            delete runs too. Deleting the project and sharing it stay with its owner.
        made: When it was made, in seconds since 1970.
        guests: Identities of the browsers that came through it.
    """

    secret: str
    access: Access
    made: float
    guests: tuple[str, ...] = field(default=())


def links(project: Path) -> tuple[Link, ...]:
    """Return the links into a project, oldest first."""
    with contextlib.suppress(
        FileNotFoundError, ValueError, KeyError, TypeError
    ):  # none yet, or damaged: nobody comes in
        return tuple(
            Link(**link | {"guests": tuple(link["guests"])}) for link in atomic.read_json(project / "shares.json")
        )
    return ()


def make(project: Path, access: Access) -> Link:
    """Make a new link into a project; a second press of the same button makes no second one.

    Raises:
        UserError: There are too many already.
    """
    with _alone(project):
        known = links(project)
        if known and _is_the_same(known[-1], access):
            return known[-1]
        if len(known) >= _MOST:
            raise UserError(f"This project has {_MOST} links.", "Withdraw one that is no longer needed.")
        made = Link(secrets.token_urlsafe(16), access, time.time())
        _save(project, (*known, made))
    return made


def withdraw(project: Path, secret: str) -> None:
    """Take a link back: whoever came through it sees nothing any more; nothing where there is no such link."""
    if _of_secret(links(project), secret) is None:  # or a deleted project would get a folder in its place
        return
    with _alone(project):
        _save(project, tuple(link for link in links(project) if link.secret != secret))


def accept(project: Path, secret: str, identity: str) -> bool:
    """Let a browser in by a link; return False where there is no such link.

    Who has come by several links may do what the best of them allows.
    """
    if _of_secret(links(project), secret) is None:
        return False
    with _alone(project):
        known = links(project)
        found = _of_secret(known, secret)
        if found is None:
            return False
        if identity not in found.guests:
            come = replace(found, guests=(*found.guests, identity))
            _save(project, tuple(come if link is found else link for link in known))
    return True


def access_of(project: Path, identity: str) -> Access | None:
    """Return what a guest may do in a project, or None for a stranger."""
    found = {link.access for link in links(project) if _is_among(identity, link.guests)}
    return "full" if "full" in found else "read" if found else None


def _is_the_same(link: Link, access: Access) -> bool:
    return link.access == access and not link.guests and impatience.is_second_press(link.made)


def _is_among(identity: str, guests: tuple[str, ...]) -> bool:
    return any(secrets.compare_digest(identity, guest) for guest in guests)


def _of_secret(known: tuple[Link, ...], secret: str) -> Link | None:
    return next((link for link in known if secrets.compare_digest(link.secret.encode(), secret.encode())), None)


def _alone(project: Path) -> filelock.BaseFileLock:
    return filelock.FileLock(project / ".shares.lock")


def _save(project: Path, known: tuple[Link, ...]) -> None:
    atomic.write_json(project / "shares.json", [asdict(link) for link in known], durable=True)
