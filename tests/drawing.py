"""Labelled pictures drawn for the tests: small, quick to learn, the same every time."""

import colorsys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def draw_folder(
    root: Path, class_names: tuple[str, ...] = ("cold", "warm"), per_class: int = 20, side: int = 40
) -> Path:
    """Draw a folder per class: a disc in the hue of the class on a noisy ground, at another place in each picture."""
    noise = np.random.default_rng(11)
    rows, columns = np.mgrid[0:side, 0:side]
    for label, name in enumerate(class_names):
        (root / name).mkdir(parents=True)
        colour = np.array(colorsys.hsv_to_rgb(label / len(class_names), 0.8, 0.9)) * 255
        for number in range(per_class):
            ground = noise.integers(60, 200, (side, side, 3))
            middle = noise.uniform(side * 0.35, side * 0.65, 2)
            disc = (rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < (side * 0.3) ** 2
            ground[disc] = colour + noise.integers(-30, 30, (int(disc.sum()), 3))
            Image.fromarray(ground.clip(0, 255).astype("uint8")).save(root / name / f"{number}.png")
    return root


def scene(seed: int, size: tuple[int, int] = (240, 180)) -> Image.Image:
    """Draw a picture that no other seed resembles: soft ground, a few shapes, some grain."""
    draws = np.random.default_rng(seed)
    ground = Image.fromarray(draws.integers(40, 216, (3, 4, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(ground)
    for _ in range(9):
        x, y, wide, high = draws.uniform((0, 0, 0.08, 0.08), (0.8, 0.8, 0.35, 0.35)) * (size * 2)
        shape = pen.ellipse if draws.random() < 0.5 else pen.rectangle
        shape((x, y, x + wide, y + high), fill=tuple(draws.integers(0, 256, 3).tolist()))
    grain = draws.normal(0, 6, (size[1], size[0], 3))
    return Image.fromarray((np.asarray(ground) + grain).clip(0, 255).astype(np.uint8))


def draw_scenes(root: Path, names: tuple[str, ...] = ("a", "b"), per_class: int = 15) -> Path:
    """Write scenes of their own into a folder per class, all in the same format and size."""
    for label, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for number in range(per_class):
            scene(1000 * label + number).save(root / name / f"{number * 7:03}.jpg", quality=92)
    return root
