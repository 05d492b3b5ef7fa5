"""Photos as a camera writes them: with the time of the exposure, the maker and the model."""

import io

import numpy as np
from drawing import scene
from PIL import Image


def photo(seed: int, taken: str, fraction: str = "", model: str = "Test 1", restless: int = 0) -> bytes:
    """Return a JPEG of a scene with Exif notes.

    Args:
        seed: Of the scene.
        taken: As cameras write it, "2024:05:17 09:30:01".
        fraction: Of the second, its digits.
        model: Of the camera.
        restless: How far colours wander off, of 255, as on leaves in the wind; another photo of the same.
    """
    image = scene(seed)
    if restless:
        wind = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        moved = np.asarray(Image.fromarray(wind).resize(image.size, Image.Resampling.BICUBIC)).astype(int) - 128
        image = Image.fromarray((np.asarray(image) + moved * restless / 128).clip(0, 255).astype(np.uint8))
    notes = Image.Exif()
    notes[0x010F], notes[0x0110] = "Thaw", model
    details = notes.get_ifd(0x8769)
    details[0x9003] = taken
    if fraction:
        details[0x9291] = fraction
    content = io.BytesIO()
    image.save(content, "JPEG", quality=92, exif=notes)
    return content.getvalue()
