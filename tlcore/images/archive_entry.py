"""One file or folder in an archive, of whatever kind the archive is. No TensorFlow here."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Literal


class Damaged(Exception):
    """An archive cannot be read to its end as what it begins as."""


class Protected(Exception):
    """An archive needs a password."""


@dataclass(frozen=True)
class Entry:
    """What an archive says of one thing in it. Distrusted.

    Args:
        name: Its path as its owner meant it, with forward slashes.
        kind: "link" is any kind of link; "other" is a device, a pipe or whatever else is no ordinary file.
        size_bytes: What it takes when unpacked, as the archive says.
        open: Gives its bytes, never more than the archive says.
    """

    name: str
    kind: Literal["file", "folder", "link", "other"]
    size_bytes: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]
