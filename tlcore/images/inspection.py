"""A folder looked over thoroughly: a dataset whose pictures know who looks like whom, and what else was noticed.

No TensorFlow here.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tlcore.images import folder, impression, twins
from tlcore.images.dataset import Dataset
from tlcore.images.folder import Keep, Progress
from tlcore.images.impression import Impression
from tlcore.images.layout import Reading
from tlcore.images.limits import Limits


@dataclass(frozen=True, eq=False)
class Inspection:
    """What looking over a folder gave.

    Args:
        dataset: Looked-over pictures with their looks, groups and remarks.
        tiles: (N, 32, 32, 3) uint8: each picture squeezed to a square, in the order of ``dataset.pictures``.
    """

    dataset: Dataset
    tiles: np.ndarray


def inspect(
    root: Path,
    progress: Progress | None = None,
    thumbnails: Path | None = None,
    *,
    within: tuple[Path, ...] = (),
    at_least: int = 2,
    reading: Reading | None = None,
    limits: Limits | None = None,
) -> Inspection:
    """Look over a folder of labelled pictures; every file is opened once.

    Args:
        root: As in ``folder.scan``.
        progress: As in ``folder.scan``.
        thumbnails: The folder that gets a thumbnail of every usable picture.
        within: As in ``folder.scan``.
        at_least: As in ``folder.scan``.
        reading: As in ``folder.scan``.
        limits: As in ``folder.scan``.

    Raises:
        DatasetError, UserError, OSError: As in ``folder.scan``.
    """
    impressions: list[Impression] = []
    keep = Keep(impression=impressions.append, thumbnails=thumbnails)
    found = folder.scan(root, progress, keep, within=within, at_least=at_least, reading=reading, limits=limits)
    tiles = np.stack([each.tile for each in impressions])
    looks, are_grey = impression.looks(tiles), impression.are_grey(tiles)
    groups = twins.groups(found.pictures, looks, tiles)
    pictures = tuple(
        replace(picture, look=look, group=group, remarks=each.remarks + (("grey",) if is_grey else ()))
        for picture, each, look, group, is_grey in zip(
            found.pictures, impressions, looks, groups, are_grey, strict=True
        )
    )
    return Inspection(replace(found, pictures=pictures), tiles)
