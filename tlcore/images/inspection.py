"""A folder looked over thoroughly: a dataset whose pictures know who looks like whom, and what else was noticed.

No TensorFlow here.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tlcore.images import comparison, folder, impression, twins
from tlcore.images.dataset import Dataset
from tlcore.images.folder import Keep, Progress
from tlcore.images.impression import Impression
from tlcore.images.layout import Reading
from tlcore.images.limits import Limits
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
    thumbnails: Path | None = None,
    *,
    within: tuple[Path, ...] = (),
    at_least: int = 2,
    reading: Reading | None = None,
    about: About | None = None,
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
        about: Told what is done after the files were opened, see ``neighbours.About``.
        limits: As in ``folder.scan``.

    Raises:
        DatasetError, UserError, OSError: As in ``folder.scan``.
    """
    seen: list[Impression] = []
    with comparison.begun(progress) as compared:

        def look(content: str, judged: Impression) -> None:
            if judged.larger is not None:
                compared.add(content, judged.larger)
            seen.append(replace(judged, larger=None))  # or the memory would fill with them

        keep = Keep(impression=look, thumbnails=thumbnails)
        found = folder.scan(
            root, compared.progress, keep, within=within, at_least=at_least, reading=reading, limits=limits
        )
        parts = compared.parts(about)
        tiles = np.stack([each.tile for each in seen])
        looks, are_grey = impression.looks(tiles), impression.are_grey(tiles)
        larger = compared.larger if compared.has_all else None
        groups = twins.groups(found.pictures, looks, tiles, parts.pairs, larger)
    pictures = tuple(
        replace(picture, look=look, group=group, remarks=each.remarks + (("grey",) if is_grey else ()))
        for picture, each, look, group, is_grey in zip(found.pictures, seen, looks, groups, are_grey, strict=True)
    )
    return Inspection(replace(found, pictures=pictures), tiles, parts.hash_only)
