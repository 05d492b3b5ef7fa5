"""A process that reads strangers' pictures, and both ends of the wire to it. No TensorFlow here.

``python -m tlcore.images.decoder`` gets names of files on its standard input, writes down what it saw in a file, one
picture after the other, and says on its standard output when it is through with all. What is written down outlives it,
so it is known which picture it was at when it ended, and nobody has to be woken for each picture (that took a tenth of
the processor time of small ones). A picture that crashes it, hangs or eats the memory costs that process and nothing
else. What passes is JSON and plain pixels, never pickles: a decoder that a hostile picture has taken over finds no
easy way into the process that started it.
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
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from tlcore.errors import UserError
from tlcore.images import decoded, picture
from tlcore.images.camera import Shot
from tlcore.images.decoded import Decoded, Wish
from tlcore.images.impression import Impression
from tlcore.images.limits import Limits, hold_memory

START_S = 60.0
"""A decoder that has not said a word for so long cannot start. It takes 0.1 seconds where nothing else runs."""

_LONGEST = 2**26  # bytes of one message; what claims to be longer was not sent by a decoder in its right mind
_HEAD = struct.Struct(">I")  # length of the JSON that follows
_FACTS = [field.name for field in fields(picture.Seen) if field.name not in ("square", "small")]
_ALONE_S = 10.0  # after its limit a decoder ends itself if nobody did, because its parent is gone and Python hangs


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
        self._late: int | None = None  # how much was written down when it was ended for being late
        self._has_worked = False
        descriptor, name = tempfile.mkstemp(prefix="thaw-decoder-")
        self._notes, self._notes_file = os.fdopen(descriptor, "r+b"), Path(name)
        self.process = _started(limits, name)
        try:
            with self._watched(START_S):
                _receive(self.process.stdout)
            if os.name == "posix":  # both have it open, and so it goes with them
                self._notes_file.unlink()
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
        self._notes.truncate(0)
        self._notes.seek(0)
        order = {"root": str(root.absolute()), "files": files, "wish": asdict(wish)}
        with self._watched(self.limits.seconds):
            try:
                _send(self.process.stdin, order)
                end, _ = _receive(self.process.stdout)
            except (OSError, EOFError, ValueError):
                end = {"lost": True}
        count = 0
        for count, found in enumerate(self._written_down(len(files)), start=1):  # noqa: B007
            yield found
        if "lost" in end or ("through" in end and count < len(files)):
            raise Lost(self._what_happened())
        if "refused" in end:
            raise OSError(*end["refused"])
        self._has_worked = True

    def _written_down(self, most: int) -> Iterator[Decoded]:
        """Yield what came of each file that it came to an end with."""
        with contextlib.suppress(EOFError, ValueError):
            for _ in range(most):
                yield _understood(*_receive(self._notes))

    def _what_happened(self) -> str:
        """Say what the picture did at which the decoder ended."""
        size = os.fstat(self._notes.fileno()).st_size
        if self._late is not None:  # unless its answer came at the very last moment, and the next was not begun
            return f"took longer than {self.limits.seconds:g} seconds to decode" if self._late == size else ""
        # With nothing written down it may have been killed while it waited: a new one shows what the file does.
        return "" if size == 0 and self._has_worked else "brought its decoder down"

    @contextlib.contextmanager
    def _watched(self, seconds: float) -> Iterator[None]:
        """End it as soon as one picture takes longer than that; inside the block."""
        is_over = threading.Event()

        def watch() -> None:
            size, left = 0, seconds
            while not is_over.wait(left):
                notes = os.fstat(self._notes.fileno())
                if notes.st_size == size:
                    self._late = size
                    self.process.kill()
                    return
                size, age = notes.st_size, time.time() - notes.st_mtime
                left = min(max(seconds - age, seconds / 10), seconds)

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
        self._notes.close()
        self._notes_file.unlink(missing_ok=True)


def _started(limits: Limits, notes: str) -> "subprocess.Popen[bytes]":
    """Start a decoder. One thread of linear algebra is enough for it, and each more takes memory."""
    return subprocess.Popen(
        [sys.executable, "-m", "tlcore.images.decoder", notes, str(limits.seconds), str(limits.memory_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        creationflags=subprocess.CREATE_NO_WINDOW if os.name == "nt" else 0,
    )


def _understood(answer: dict[str, Any], pixels: list[np.ndarray]) -> Decoded:
    """Turn an answer into a value, or raise what went wrong beside the picture."""
    if "defect" in answer:
        raise RuntimeError(f"A decoder stumbled over a defect of Thaw:\n{answer['defect']}")
    if "reason" in answer:
        return Decoded(answer["reason"])
    judged = None
    if "remarks" in answer:
        judged = Impression(pixels.pop(0), tuple(answer["remarks"]), pixels.pop(0))
    seen = picture.Seen(**answer["seen"], square=pixels[0] if pixels else None)
    return Decoded("", answer["content"], answer["size_bytes"], seen, judged, Shot(**answer["shot"]))


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
    """Answer until the other end is gone; the decoder's whole life. Arguments: file to write to, seconds, bytes."""
    name, seconds, memory_bytes = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what native code prints must not lie between the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; who started this answers it
    memory = hold_memory(memory_bytes)
    faulthandler.enable()
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    with Path(name).open("ab") as notes:
        _send(answers, {"ready": True})
        while True:
            try:
                _work(orders.get(), notes, seconds, memory)
                _send(answers, {"through": True})
            except OSError as error:
                _send(answers, {"refused": (error.errno, error.strerror)})


def _work(order: dict[str, Any], notes: Any, seconds: float, memory: str) -> None:
    """Decode what was ordered and write it down.

    Raises:
        OSError: The disk refused a thumbnail or what is written down.
    """
    wish, renewed = Wish(**order["wish"]), -_ALONE_S
    for file in order["files"]:
        if time.monotonic() > renewed + _ALONE_S / 2:
            renewed = time.monotonic()
            faulthandler.dump_traceback_later(seconds + _ALONE_S, exit=True)
        _send(notes, *_answer(f"{order['root']}/{file}", wish, memory))
    faulthandler.cancel_dump_traceback_later()


def _listen(orders: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Take orders, and end the process as soon as nobody is there any more to give some, whatever it is doing."""
    with os.fdopen(0, "rb", closefd=False) as stream:
        while True:
            try:
                orders.put(_receive(stream)[0])
            except (OSError, EOFError):
                os._exit(0)


def _answer(file: str, wish: Wish, memory: str) -> tuple[dict[str, Any], tuple[np.ndarray, ...]]:
    """Read one file; return what to say of it and the pixels that go along."""
    try:
        found = decoded.decode(file, wish, memory)
    except OSError:
        raise
    except Exception:
        return {"defect": traceback.format_exc()}, ()
    if found.seen is None:
        return {"reason": found.reason}, ()
    seen, judged = found.seen, found.impression
    facts = {name: getattr(seen, name) for name in _FACTS}
    said: dict[str, Any] = {"content": found.content, "size_bytes": found.size_bytes, "seen": facts}
    said["shot"] = asdict(found.shot)
    if judged is not None:
        said["remarks"] = judged.remarks
    pixels = (*((judged.tile, judged.larger) if judged is not None else ()), seen.square)
    return said, tuple(array for array in pixels if array is not None)


if __name__ == "__main__":
    main()
