"""A file from the internet; after a broken connection it goes on where it was. No TensorFlow here.

Nobody vouches for what comes. The file is written where the caller says, beside its place, and it is the caller who
compares it with what is known of it and renames it.
"""

import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tlcore import workspace

ORIGIN = "https://storage.googleapis.com"
"""The server that keeps Keras' weights and the sets of its tutorials; a mirror of it has the same paths."""

_ATTEMPTS = 3  # the first and two more
_PAUSE_S = 0.5
_TIMEOUT_S = 30
_CHUNK_BYTES = 1 << 18

Progress = Callable[[int, int], None]
"""Called with the bytes that are here so far and the bytes in all (0 where the server does not say)."""


class Unreachable(Exception):
    """An address cannot be fetched. The text says why, as a half sentence: "the server answered 404"."""


class Unexpected(Exception):
    """An address gives another file than the one that is known. The text says what differs, as a half sentence."""


def mirrored(address: str, mirror: str = "") -> str:
    """Return the address to ask in the place of an original one.

    Args:
        address: The original. One that is not on ``ORIGIN`` stays as it is.
        mirror: Stands for ``ORIGIN``, with the same paths below it; default is the one of this installation
            (``THAW_WEIGHTS_URL``), if any.
    """
    base = mirror or workspace.weights_url() or ORIGIN
    return base.rstrip("/") + address.removeprefix(ORIGIN) if address.startswith(f"{ORIGIN}/") else address


def receive(address: str, target: Path, progress: Progress | None = None, size_bytes: int = 0) -> None:
    """Fetch an address into a file. What is in the file already is taken for its beginning and not asked for again.

    A connection that breaks off is tried three times in all. What has come by then stays, for another call.

    Args:
        address: http or https.
        target: The file, in a folder that exists.
        progress: See ``Progress``.
        size_bytes: How many bytes it must have; 0 where that is not known.

    Raises:
        Unreachable: It did not come whole.
        Unexpected: It has another size.
        OSError: The disk refuses it.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _receive(address, target, progress, size_bytes)
            return
        except urllib.error.HTTPError as error:
            if error.code < 500 or attempt == _ATTEMPTS:
                raise Unreachable(f"the server answered {error.code}") from error
        except urllib.error.URLError as error:
            if attempt == _ATTEMPTS:
                raise Unreachable("there is no connection") from error
        except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
            if attempt == _ATTEMPTS:
                raise Unreachable("the connection broke off") from error
        time.sleep(_PAUSE_S * attempt)


def difference(file: Path, expected: str) -> str:
    """Compare a file with its hash, SHA-256 (64 digits) or MD5 (32); return how it differs, a half sentence, or ""."""
    kind = "sha256" if len(expected) == 64 else "md5"
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, kind).hexdigest()
    return "" if digest == expected else f"its {kind.upper()} is {digest} instead of {expected}"


def _receive(address: str, target: Path, progress: Progress | None, size_bytes: int) -> None:
    """Ask once for what is missing."""
    here = target.stat().st_size if target.is_file() else 0
    if here and here == size_bytes:
        return
    with _asked(address, here) as response:
        goes_on = response.status == 206
        if goes_on and not response.headers.get("Content-Range", "").startswith(f"bytes {here}-"):
            target.unlink()
            raise http.client.HTTPException("another part than the one that was asked for")
        here = here if goes_on else 0
        length = response.headers.get("Content-Length")
        total = here + int(length) if length else size_bytes
        if size_bytes and total != size_bytes:
            raise Unexpected(f"it has {total:,} bytes instead of {size_bytes:,}")
        with target.open("ab" if goes_on else "wb") as file:
            # Without a length a server could go on for ever.
            while chunk := response.read(_CHUNK_BYTES if not size_bytes else min(_CHUNK_BYTES, size_bytes - here + 1)):
                here += len(chunk)
                if size_bytes and here > size_bytes:
                    raise Unexpected(f"it has more than {size_bytes:,} bytes")
                file.write(chunk)
                if progress:
                    progress(here, total)
            file.flush()
            os.fsync(file.fileno())
    # ``read`` with a size returns short at a cut connection instead of raising.
    if here < total:
        raise http.client.IncompleteRead(b"", total - here)


def _asked(address: str, here: int) -> http.client.HTTPResponse:
    """Ask for what comes behind so many bytes; a server that has nothing behind them is asked for everything."""
    headers = {"User-Agent": "thaw"}
    try:
        behind = headers | {"Range": f"bytes={here}-"} if here else headers
        answer = urllib.request.urlopen(urllib.request.Request(address, headers=behind), timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if not here or error.code != 416:
            raise
        answer = urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=_TIMEOUT_S)
    return answer
