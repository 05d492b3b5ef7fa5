"""Many files decoded by a few processes at once, handed on in order. No TensorFlow here.

Decoders are started when they are needed, one for each core at most, and kept for the next time; they end with the
process that started them. One that was lost is replaced, and all files but the one it was at go on.
"""

import atexit
import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from tlcore.images import threads
from tlcore.images.decoded import Decoded, Wish
from tlcore.images.decoder import Decoder, Lost
from tlcore.images.limits import Limits

BATCH = 16
"""Files that a decoder is given at once: enough that handing out costs nothing, few enough that all end together.
Also how many files are worth a decoder of their own."""

_idle: list[Decoder] = []
_lock = threading.Lock()


def in_order(
    root: Path, files: Sequence[str], wish: Wish, limits: Limits | None = None, decoders: int | None = None
) -> Iterator[Decoded]:
    """Yield what came of each file, in the order of the files.

    Only a few batches per decoder wait at a time, so memory stays small however many files there are.

    Args:
        root: A folder.
        files: Paths below it, with forward slashes.
        wish: What is wanted of each.
        limits: What one picture may cost.
        decoders: How many processes work at once; as many as there are cores unless given.

    Raises:
        UserError: No decoder can be started.
        OSError: The disk refused a thumbnail.
    """
    most = min(decoders or threads.count() - 1, -(-len(files) // BATCH))
    crew = _Crew(root, wish, limits or Limits())
    batches = [list(files[start : start + BATCH]) for start in range(0, len(files), BATCH)]
    results = threads.in_order(crew.decode, batches, max(1, most))
    try:
        yield from itertools.chain.from_iterable(results)
    finally:
        crew.break_off()
        results.close()


class _Crew:
    """The decoders that are busy with one folder."""

    def __init__(self, root: Path, wish: Wish, limits: Limits) -> None:
        self._root, self._wish, self._limits = root, wish, limits
        self._busy: set[Decoder] = set()
        self._is_over = False

    def decode(self, files: list[str]) -> list[Decoded]:
        """Have files decoded; whoever was lost is replaced, and the file it was at set aside."""
        done: list[Decoded] = []
        while len(done) < len(files) and not self._is_over:
            with self._decoder() as decoder:
                try:
                    for found in decoder.look(self._root, files[len(done) :], self._wish):
                        done.append(found)  # one by one, because those before a loss count
                except Lost as lost:
                    decoder.end()
                    done += [Decoded(lost.reason)] if lost.reason else []
        return done

    @contextlib.contextmanager
    def _decoder(self) -> Iterator[Decoder]:
        """Give a decoder that nobody else uses, and keep it for the next one if it ended its work."""
        decoder = _idle_one(self._limits) or Decoder(self._limits)
        with _lock:
            self._busy.add(decoder)
            if self._is_over:  # while it was started
                decoder.process.kill()
        try:
            yield decoder
        except BaseException:
            decoder.end()  # it would go on with files that nobody waits for
            raise
        finally:
            with _lock:
                self._busy.discard(decoder)
        _keep(decoder)

    def break_off(self) -> None:
        """Begin nothing more and end who is busy: nobody waits for it."""
        with _lock:
            self._is_over = True
            for decoder in self._busy:
                decoder.process.kill()


def _idle_one(limits: Limits) -> Decoder | None:
    """Return a decoder with these limits that waits for work, if there is one."""
    with _lock:
        for decoder in [each for each in _idle if each.limits == limits]:
            _idle.remove(decoder)
            if decoder.lives:
                return decoder
            decoder.end()
    return None


def _keep(decoder: Decoder) -> None:
    """Keep a decoder for the next folder, and let the oldest go if there are more than cores."""
    with _lock:
        if decoder.lives:
            _idle.append(decoder)
        while len(_idle) >= threads.count():
            _idle.pop(0).end()


@atexit.register
def _end_all() -> None:
    with _lock:
        while _idle:
            _idle.pop().end()
