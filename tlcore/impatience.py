"""Two presses of one button that were meant as one. No TensorFlow here."""

import time

SECONDS = 5.0
"""Within this time the same wish again is the same wish: a page that has not answered yet is pressed again."""


def is_second_press(made: float) -> bool:
    """Return whether whoever asks for what was made at that time, in seconds since 1970, has only pressed twice."""
    return 0 <= time.time() - made < SECONDS  # below 0 the clock was put back
