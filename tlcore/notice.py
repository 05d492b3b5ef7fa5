"""A line for whoever runs the server. No TensorFlow here."""

import contextlib
import sys


def say(text: str) -> None:
    """Print a line on standard error; where nothing can be printed (a full disk, a closed terminal), go on without."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)
