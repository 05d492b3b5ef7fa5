"""A folder looked over thoroughly: a dataset whose pictures know who looks like whom, and what else was noticed.

No TensorFlow here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tlcore.images import comparison, folder, impression, thumbnails, twins
from tlcore.images.dataset import Dataset
from tlcore.images.folder import Keep, Progress
from tlcore.images.impression import Impression
from tlcore.images.layout import Reading
from tlcore.images.neighbours import About


@dataclass(frozen=True, eq=False)
class Inspection:
    """What looking over a folder gave.

    Args:
        dataset: Looked-over pictures with their looks, groups and remarks.
        tiles: (N, 32, 32, 3) uint8: each picture squeezed to a square, in the order of ``dataset.pictures``.
        hash_only: Why copies were looked for by perceptual hash only, a half sentence; "" if they were not.
    """

    dataset: Dataset
    tiles: np.ndarray
    hash_only: str = ""


def inspect(
    root: Path,
    progress: Progress | None = None,
    keep_small: Callable[[str, np.ndarray], None] | None = None,
    *,
    within: tuple[Path, ...] = (),
    at_least: int = 2,
    reading: Reading | None = None,
    about: About | None = None,
) -> Inspection:
    """Look over a folder of labelled pictures; every file is opened once.

    Args:
        root: As in ``folder.scan``.
        progress: As in ``folder.scan``.
        keep_small: Called in any thread with the hash of a file's bytes and its small copy, (h, w, 3) uint8.
        within: As in ``folder.scan``.
        at_least: As in ``folder.scan``.
        reading: As in ``folder.scan``.
        about: Told what is done after the files were opened, see ``neighbours.About``.

    Raises:
        DatasetError: As in ``folder.scan``.
    """
    seen: dict[str, Impression] = {}
    with comparison.begun(progress) as compared:

        def look(content: str, small: np.ndarray) -> None:
            seen[content] = impression.impression(small)
            compared.add(content, small)
            if keep_small is not None:
                keep_small(content, small)

        keep = Keep(small=look, small_side=thumbnails.LONGEST_SIDE)
        found = folder.scan(root, compared.progress, keep, within=within, at_least=at_least, reading=reading)
        parts = compared.parts(about)
        impressions = [seen[picture.content] for picture in found.pictures]
        tiles = np.stack([each.tile for each in impressions])
        looks, are_grey = impression.looks(tiles), impression.are_grey(tiles)
        larger = compared.larger if compared.has_all else None
        groups = twins.groups(found.pictures, looks, tiles, parts.pairs, larger)
    pictures = tuple(
        replace(picture, look=look, group=group, remarks=each.remarks + (("grey",) if is_grey else ()))
        for picture, each, look, group, is_grey in zip(
            found.pictures, impressions, looks, groups, are_grey, strict=True
        )
    )
    return Inspection(replace(found, pictures=pictures), tiles, parts.hash_only)
