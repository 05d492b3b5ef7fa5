"""The sample sets: which there are, and how one comes to lie in a folder."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tlcore.errors import UserError
from tlcore.samples import gauges, leaves, signs

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sample:
    """One sample set.

    Args:
        name: Lower case, for the command line and the page.
        sentence: What it shows and what makes it hard, for people.
        class_names: In alphabetical order or the natural one of the classes.
        per_class: Pictures of each class.
        draw: (class name, random draws) -> one RGB picture.
    """

    name: str
    sentence: str
    class_names: tuple[str, ...]
    per_class: int
    draw: Callable[[str, np.random.Generator], Image.Image]


SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample("leaves", "Leaves, healthy or spotted.", leaves.CLASS_NAMES, 90, leaves.draw),
        Sample(
            "gauges",
            "Dials that point low, normal or high. A mirrored low looks like a high!",
            gauges.CLASS_NAMES,
            70,
            gauges.draw,
        ),
        Sample("signs", "Four signs drawn by hand on paper.", signs.CLASS_NAMES, 60, signs.draw),
    )
}


def get(name: str) -> Sample:
    """Return a sample set by its name.

    Raises:
        UserError: There is none of this name.
    """
    if name in SAMPLES:
        return SAMPLES[name]
    raise UserError(f"There is no sample set named “{name}”.", f"Choose one of: {', '.join(SAMPLES)}.")


def refuse_taken(folder: Path) -> None:
    """Raise where a set would be mixed with something else.

    Raises:
        UserError: The folder is there already and not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is there already.", "Name a new folder, so that nothing is overwritten.")


def write(sample: Sample, folder: Path, progress: Progress | None = None) -> None:
    """Draw a sample set into a new folder, one sub-folder per class; the pictures are the same every time.

    Raises:
        UserError: The folder is there already and not empty.
    """
    refuse_taken(folder)
    done, total = 0, len(sample.class_names) * sample.per_class
    for class_name in sample.class_names:
        (folder / class_name).mkdir(parents=True)
        for number in range(sample.per_class):
            # One source of chance per picture: a set that grows keeps the pictures that it had.
            draws = np.random.default_rng((zlib.crc32(f"{sample.name}/{class_name}".encode()), number))
            sample.draw(class_name, draws).save(folder / class_name / f"{class_name}_{number:03d}.jpg", quality=88)
            done += 1
            if progress is not None:
                progress(done, total)
