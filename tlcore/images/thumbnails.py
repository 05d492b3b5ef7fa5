"""Small copies of pictures for the page, made while a project is looked over. No TensorFlow here.

Each is a JPEG named by the content of its picture, so it outlives a renamed file and is made once.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tlcore import atomic

LONGEST_SIDE = 160
"""Pixels of the longer side; the shape of the picture stays."""

_QUALITY = 80


def file_of(folder: Path, content: str) -> Path:
    """Return where the thumbnail of a picture lies.

    Args:
        folder: The project's folder of thumbnails.
        content: ``Picture.content``.
    """
    return folder / f"{content}.jpg"


def writer(folder: Path) -> Callable[[str, np.ndarray], None]:
    """Return a function (content, (h, w, 3) uint8 pixels) that writes a thumbnail, for ``folder.Keep(small=...)``.

    It may be called from several threads at once.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def write(content: str, pixels: np.ndarray) -> None:
        file = file_of(folder, content)
        if not file.exists():
            jpeg = io.BytesIO()
            Image.fromarray(pixels).save(jpeg, "JPEG", quality=_QUALITY)
            atomic.write_bytes(file, jpeg.getvalue())

    return write
