"""Small copies of pictures for the page, made while a project is looked over. No TensorFlow here.

Each is a JPEG named by the content of its picture, so it outlives a renamed file and is made once.
"""

import io
from pathlib import Path

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


def write(folder: Path, content: str, small: Image.Image) -> None:
    """Write the thumbnail of a picture if there is none yet: RGB, at most ``LONGEST_SIDE`` pixels wide and high."""
    file = file_of(folder, content)
    if not file.exists():
        jpeg = io.BytesIO()
        small.save(jpeg, "JPEG", quality=_QUALITY)
        atomic.write_bytes(file, jpeg.getvalue())
