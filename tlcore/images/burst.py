"""Which pictures were shot moments apart, by the camera's time or by their names. No TensorFlow here."""

import itertools
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from tlcore.images import layout
from tlcore.images.dataset import Picture

MOMENTS_S = 5.0
"""Seconds between two shots of one camera that count as following each other. A camera that fires by itself takes
several a second, and who presses again needs one to three; most cameras note whole seconds, which adds one."""
APART_S = 600.0
"""Seconds from which on two files are no burst, whatever their names say: time to rearrange what is photographed."""


def follow(pictures: Sequence[Picture], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return for pairs of rows whether one picture follows the other; (N,) bool.

    They do if one camera took them within ``MOMENTS_S``, wherever the files lie; or if one is the next file after the
    other in the same folder, counting as people do, unless their times are ``APART_S`` or more from each other.

    Args:
        pictures: In the order of the dataset.
        first: (N,) rows.
        second: (N,) rows of their partners.
    """
    if not len(first):
        return np.zeros(0, bool)
    seconds = np.array([_seconds(picture.taken) for picture in pictures])
    numbers = {camera: number for number, camera in enumerate(dict.fromkeys(each.camera for each in pictures))}
    cameras = np.array([numbers[picture.camera] for picture in pictures])
    apart = np.abs(seconds[first] - seconds[second])  # not a number where one of them has no time: then neither holds
    following = _next_files(pictures)
    by_name = (following[first] == second) | (following[second] == first)
    by_time = (apart <= MOMENTS_S) & (cameras[first] == cameras[second])
    return by_time | (by_name & ~(apart >= APART_S))


def _seconds(taken: str) -> float:
    """Return a moment in seconds; not a number for none."""
    return (datetime.fromisoformat(taken) - datetime(1970, 1, 1)).total_seconds() if taken else float("nan")


def _next_files(pictures: Sequence[Picture]) -> np.ndarray:
    """Return for each row the row of the next file in the same folder, counting as people do; -1 for the last."""
    order = sorted(range(len(pictures)), key=lambda row: layout.natural_order(pictures[row].file))
    following = np.full(len(pictures), -1)
    for row, after in itertools.pairwise(order):
        if pictures[row].file.rpartition("/")[0] == pictures[after].file.rpartition("/")[0]:
            following[row] = after
    return following
