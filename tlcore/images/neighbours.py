"""Which pictures the network takes for neighbours, asked in a process of its own. No TensorFlow here.

Starting TensorFlow takes seconds, so the process (``tlcore.backbones.nearest``) is started while the pictures are still
being opened, and waits. Both ends of the wire are here. The question is the number of pictures, on the standard input
of the process. The answer lies in a file; before it, lines of JSON on its standard output tell how far it has come.
When its standard input closes, it ends. Only one at a time works on this computer and the others wait, because each
takes most of a gigabyte.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import workspace
from tlcore.images.folder import Progress

MODULE = "tlcore.backbones.nearest"
COMPARING, WAITING = "Comparing the pictures", "Comparing the pictures, as soon as another set is done"
_ANSWER, _LOG = "nearest.npy", "nearest.log"
_PART = "the part of Thaw that looks for cropped copies"
_SILENT_S = (
    180.0  # a process that says nothing for so long hangs; it tells every batch, and every second while it waits
)

About = Callable[[str], Progress]
"""Takes what is being done, a short phrase, and returns a function for how far it is."""


class Unanswered(Exception):
    """There is no answer. The text says why, in a half sentence: "the memory of this computer ran out"."""


class Search:
    """The asking side. Use it as a context: at its end the process is gone, whatever happened."""

    def __init__(self, folder: Path) -> None:
        """Start the process.

        Args:
            folder: Where the squares lie, see ``squares``; log and answer will lie there too.
        """
        self.folder = folder
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "2"}
        # On the processor: the graphics card is for training.
        own = {"CUDA_VISIBLE_DEVICES": "-1", "PYTHONUNBUFFERED": "1", "THAW_HOME": str(workspace.home())}
        with (folder / _LOG).open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=Path(__file__).resolve().parents[2],
                env=quiet | os.environ | own,
            )
        self._heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> "Search":
        return self

    def __exit__(self, *ended: object) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, count: int, about: About) -> np.ndarray:
        """Return the pairs of rows that are neighbours: (M, 2) int32, the second may be a part of the first.

        Args:
            count: How many squares there are.
            about: Told what is waited for, and how far it is.

        Raises:
            Unanswered: The process failed.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(b"%d\n" % count)
            self.process.stdin.flush()
        except OSError as error:
            raise Unanswered(self._ending()) from error
        self._follow(about)
        if self.process.wait() != 0:
            raise Unanswered(self._ending())
        return np.load(self.folder / _ANSWER, allow_pickle=False)

    def _follow(self, about: About) -> None:
        """Hand on what the process tells until it has ended."""
        progress, is_waiting = about(COMPARING), False
        while line := self._next_line():
            said = _understood(line)
            if "problem" in said:
                raise Unanswered(said["problem"])
            if said.get("waiting", is_waiting) != is_waiting:
                is_waiting = not is_waiting
                progress = about(WAITING if is_waiting else COMPARING)
            if "done" in said:
                progress(said["done"], said["total"])

    def _next_line(self) -> bytes:
        try:
            return self._heard.get(timeout=_SILENT_S)
        except queue.Empty:
            raise Unanswered(f"{_PART} did not answer") from None

    def _listen(self) -> None:
        """Take lines off the process' hands, so that waiting for one can end; the last one is empty."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._heard.put(line)
        self._heard.put(b"")

    def _ending(self) -> str:
        """Say why a process is gone."""
        code = self.process.wait()
        if code in (-9, 137):
            return (
                "the part of Thaw that looks for cropped copies was ended from outside, most often for want of memory"
            )
        last = (self.folder / _LOG).read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2][:200]
        return f"{_PART} broke off (exit code {code}{': ' * bool(last)}{last})"


def tell(**said: int | bool | str) -> None:
    """Tell the asking side: ``waiting``, ``done`` with ``total``, or ``problem``."""
    print(json.dumps(said), flush=True)


def answer(pairs: np.ndarray, folder: Path) -> None:
    """Write the answer: (M, 2) int32."""
    np.save(folder / _ANSWER, pairs)


def lock_file() -> Path:
    """Return the lock that one process on this computer holds while it works."""
    workspace.home().mkdir(parents=True, exist_ok=True)
    return workspace.home() / "nearest.lock"


def _understood(line: bytes) -> dict[str, Any]:
    """Return what a line tells; nothing for one that a library has printed."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
