"""The processor cores that this process may use. No TensorFlow here."""

import os

_POLITENESS = 15
"""Of 19; alone on a computer it costs nothing. One that serves pages gets as much of a busy core as 28 of these (the
weights of the Linux scheduler), so thirty people may bring in pictures at once."""


def count() -> int:
    """Return how many there are: those of the computer, or fewer where a container or a scheduler allows fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def let_others_first() -> None:
    """Let the system serve other processes first from now on: pages answer at once while this one keeps all cores busy.

    Windows has no such word for it; there all are served alike.
    """
    if hasattr(os, "nice"):
        os.nice(_POLITENESS)
