"""A process that reads strangers' pictures, and both ends of the wire to it. No TensorFlow here.

``python -m tlcore.images.decoder`` gets names of files on its standard input and says what it saw on its standard
output, one picture after the other, so that it is always known which one it is at. A picture that crashes it, hangs or
eats the memory costs that process and nothing else. What passes is JSON and plain pixels, never pickles: a decoder that
a hostile picture has taken over can tell lies about pictures, and that is all.
"""

import contextlib
import faulthandler
import json
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tlcore.errors import UserError
from tlcore.images import decoded, picture
from tlcore.images.decoded import Decoded, Wish
from tlcore.images.impression import Impression

if sys.platform != "win32":
    import resource

START_S = 60.0
"""A decoder that has not said a word for so long cannot start. It takes 0.1 seconds where nothing else runs."""

_LONGEST = 2**26  # bytes of one message; what claims to be longer was not sent by a decoder in its right mind
_HEAD = struct.Struct(">I")  # length of the JSON that follows
_ALONE_S = 10.0  # after its limit a decoder ends itself if nobody did, because its parent is gone and Python hangs


@dataclass(frozen=True)
class Limits:
    """What one picture may cost before it is set aside.

    Args:
        seconds: From the moment the decoder turns to the file until its answer, reading from disk included. Of 12
            pictures with all the 89 million pixels that are read at all, each stored in another way, the slowest (a
            lossless JPEG 2000 with transparency) took 15 seconds of processor time; this is four times as much.
        memory_bytes: Address space of the process. The hungriest of the same 12 (32-bit grey TIFF, and that JPEG 2000)
            made it 2.3 GB. Linux and the BSDs hold it; macOS and Windows have no such limit for a process that limits
            itself: there the system ends a decoder when the memory of the whole computer is used up.
    """

    seconds: float = 60.0
    memory_bytes: int = 4 * 2**30


class Lost(Exception):
    """A decoder has ended in the middle of its work.

    Args:
        reason: What the picture did that it was at, in words that go on after a file's name; empty if it was at none.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# ---- the end that asks


class Decoder:
    """A running decoder; one thread at a time may ask it."""

    def __init__(self, limits: Limits) -> None:
        """Start it and wait until it says that it is ready.

        Raises:
            UserError: It cannot be started.
        """
        self.limits = limits
        self._at = (-1, time.monotonic())  # the number of the file in its order, and since when
        self._late: int | None = None
        self._has_worked = False
        self.process = _started(limits)
        try:
            with self._watched(START_S):
                _receive(self.process.stdout)
        except (OSError, EOFError) as error:
            self.end()
            raise UserError(
                "The program that reads pictures could not be started.",
                "Start Thaw again. If it happens again, install it anew and check that this computer has memory free.",
                f"{' '.join(map(str, self.process.args))} ended with {self.process.returncode}: {error!r}",
            ) from error

    def look(self, root: Path, files: list[str], wish: Wish) -> Iterator[Decoded]:
        """Yield what came of each file, in order.

        Args:
            root: A folder.
            files: Paths below it.
            wish: What is wanted of each.

        Raises:
            Lost: It has ended; what was yielded before is good, and the next file is the one it was at.
            OSError: The disk refused a thumbnail.
        """
        self._at = (0, time.monotonic())
        with self._watched(self.limits.seconds):
            try:
                _send(self.process.stdin, {"root": str(root.absolute()), "files": files, "wish": asdict(wish)})
                _receive(self.process.stdout)
            except (OSError, EOFError) as error:  # killed while it waited: no file is to blame
                raise Lost("" if self._has_worked else "brought its decoder down") from error
            self._has_worked = True
            for number in range(len(files)):
                try:
                    answer, pixels = _receive(self.process.stdout)
                except (OSError, EOFError, ValueError) as error:
                    raise Lost(self._what_happened()) from error
                self._at = (number + 1, time.monotonic())
                yield _understood(answer, pixels)

    def _what_happened(self) -> str:
        """Say what the picture did at which the decoder ended."""
        if self._late is None:
            return "brought its decoder down"
        if self._late != self._at[0]:  # its answer came at the very last moment, and the next was not begun
            return ""
        return f"took longer than {self.limits.seconds:g} seconds to decode"

    @contextlib.contextmanager
    def _watched(self, seconds: float) -> Iterator[None]:
        """End it as soon as one picture takes longer than that; inside the block."""
        is_over = threading.Event()

        def watch() -> None:
            left = seconds
            while left > 0 and not is_over.wait(left):
                number, since = self._at
                left = since + seconds - time.monotonic()
                if left <= 0:
                    self._late = number
                    self.process.kill()

        threading.Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            is_over.set()

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def end(self) -> None:
        """End it at once, whatever it is at."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):  # what it was told last may still wait here
            self.process.communicate()


def _started(limits: Limits) -> "subprocess.Popen[bytes]":
    """Start a decoder. One thread of linear algebra is enough for it, and each more takes memory."""
    return subprocess.Popen(
        [sys.executable, "-m", "tlcore.images.decoder", str(limits.seconds), str(limits.memory_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        creationflags=subprocess.CREATE_NO_WINDOW if os.name == "nt" else 0,
    )


def _understood(answer: dict[str, Any], pixels: list[np.ndarray]) -> Decoded:
    """Turn an answer into a value, or raise what went wrong beside the picture."""
    if "refused" in answer:
        raise OSError(*answer["refused"])
    if "defect" in answer:
        raise RuntimeError(f"A decoder stumbled over a defect of Thaw:\n{answer['defect']}")
    if "reason" in answer:
        return Decoded(answer["reason"])
    seen = picture.Seen(**answer["seen"])
    judged = None
    if "remarks" in answer:
        judged = Impression(pixels.pop(0), tuple(answer["remarks"]))
    return Decoded("", answer["content"], answer["size_bytes"], replace(seen, square=(pixels or [None])[0]), judged)


# ---- the wire


def _send(stream: Any, value: dict[str, Any], pixels: tuple[np.ndarray, ...] = ()) -> None:
    """Write a value and arrays of pixels, (h, w, 3) uint8."""
    head = json.dumps(value | {"shapes": [array.shape for array in pixels]}).encode()
    stream.write(b"".join((_HEAD.pack(len(head)), head, *(array.tobytes() for array in pixels))))
    stream.flush()


def _receive(stream: Any) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Read what ``_send`` wrote.

    Raises:
        EOFError: The other end is gone.
    """
    (length,) = _HEAD.unpack(_exactly(stream, _HEAD.size))
    value = json.loads(_exactly(stream, length))
    shapes = value.pop("shapes")
    pixels = [np.frombuffer(_exactly(stream, high * wide * 3), np.uint8) for high, wide, _ in shapes]
    return value, [array.reshape(shape) for array, shape in zip(pixels, shapes, strict=True)]


def _exactly(stream: Any, count: int) -> bytes:
    content = stream.read(count) if count <= _LONGEST else b""
    if len(content) < count:
        raise EOFError("the other end is gone")
    return content


# ---- the end that answers


def main() -> None:
    """Answer until the other end is gone; the decoder's whole life. Arguments: seconds and bytes, as in ``Limits``."""
    seconds, memory_bytes = float(sys.argv[1]), int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what native code prints must not lie between the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; who started this answers it
    memory = _limit_memory(memory_bytes)
    faulthandler.enable()
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    _send(answers, {"ready": True})
    while True:
        order = orders.get()
        _send(answers, {"begun": True})
        wish, renewed = Wish(**order["wish"]), -_ALONE_S
        for file in order["files"]:
            if time.monotonic() > renewed + _ALONE_S / 2:
                renewed = time.monotonic()
                faulthandler.dump_traceback_later(seconds + _ALONE_S, exit=True)
            _send(answers, *_answer(f"{order['root']}/{file}", wish, memory))
        faulthandler.cancel_dump_traceback_later()


def _listen(orders: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Take orders, and end the process as soon as nobody is there any more to give some, whatever it is doing."""
    with os.fdopen(0, "rb", closefd=False) as stream:
        while True:
            try:
                orders.put(_receive(stream)[0])
            except (OSError, EOFError):
                os._exit(0)


def _limit_memory(memory_bytes: int) -> str:
    """Hold this process to so much address space where the system can; say what a picture may take."""
    if sys.platform in ("win32", "darwin"):
        return "this computer has free"
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    return f"the {limit // 2**20} MB that one picture may take"


def _answer(file: str, wish: Wish, memory: str) -> tuple[dict[str, Any], tuple[np.ndarray, ...]]:
    """Read one file; return what to say of it and the pixels that go along."""
    try:
        found = decoded.decode(file, wish, memory)
    except OSError as error:
        return {"refused": (error.errno, error.strerror)}, ()
    except Exception:
        return {"defect": traceback.format_exc()}, ()
    if found.seen is None:
        return {"reason": found.reason}, ()
    seen, judged = found.seen, found.impression
    facts = {"width": seen.width, "height": seen.height, "frames": seen.frames, "stored": seen.stored}
    said: dict[str, Any] = {"content": found.content, "size_bytes": found.size_bytes, "seen": facts}
    if judged is not None:
        said["remarks"] = judged.remarks
    pixels = (judged.tile if judged is not None else None, seen.square)
    return said, tuple(array for array in pixels if array is not None)


if __name__ == "__main__":
    main()
