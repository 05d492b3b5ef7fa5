"""Labelled pictures drawn for the tests: small, quick to learn, the same every time."""

import colorsys
from pathlib import Path

import numpy as np
from PIL import Image


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
