"""Work that waits for C code or for other processes, done in threads, handed on in order. No TensorFlow here."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from tlcore import cores

AHEAD = 8
"""How many results may wait per thread, unless told: enough for pictures, where some take much longer than others."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def count() -> int:
    """Return how many threads keep the cores of this process busy: one more, because some wait for the disk."""
    return cores.count() + 1


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None, ahead: int = AHEAD
) -> Generator[Result, None, None]:
    """Yield ``function(item)`` for each item, in the order of the items, with ``count()`` threads unless told.

    Only ``ahead`` results per thread wait at a time, so memory stays small however many items there are. An exception
    of ``function`` is raised here, and what has not been started then is not started any more.
    """
    threads = threads or count()
    with ThreadPoolExecutor(threads, thread_name_prefix="pictures") as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= threads * ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
