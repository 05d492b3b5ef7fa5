"""Dials of machines that point low, normal or high. What tells them apart is where the pointer stands on the scale."""

import numpy as np
from PIL import Image

from tlcore.samples.canvas import Canvas, around, colour

CLASS_NAMES = ("low", "normal", "high")
START, END = 135.0, 405.0  # degrees, clockwise from the right: a scale open at the bottom
RANGES = {"low": (0.0, 0.30), "normal": (0.36, 0.64), "high": (0.70, 1.0)}  # shares of the scale


def draw(class_name: str, draws: np.random.Generator) -> Image.Image:
    """Draw one dial whose pointer stands in the range of a class."""
    wall = colour(draws, (70, 75, 85), (185, 185, 190))
    canvas = Canvas(draws, (wall, tuple(int(part * draws.uniform(0.6, 1.0)) for part in wall)))
    middle, radius = (draws.uniform(0.42, 0.58), draws.uniform(0.42, 0.58)), draws.uniform(0.28, 0.40)
    canvas.disc(middle, radius * 1.12, colour(draws, (25, 25, 30), (120, 120, 125)))
    is_dark = draws.random() < 0.35
    face = colour(draws, (20, 22, 28), (55, 60, 70)) if is_dark else colour(draws, (215, 215, 205), (250, 250, 245))
    ink = (235, 235, 230) if is_dark else (30, 30, 35)
    canvas.disc(middle, radius, face)
    start = START + draws.uniform(-12, 12)  # dials hang askew
    if draws.random() < 0.4:  # some dials have a coloured part, which says nothing about where the pointer is
        red = colour(draws, (170, 40, 30), (215, 80, 60))
        canvas.arc(middle, radius * 0.93, (start + 0.7 * (END - START), start + END - START), red, radius * 0.09)
    for share in np.linspace(0, 1, int(draws.integers(7, 13))):
        angle = start + share * (END - START)
        canvas.line([around(middle, radius * 0.80, angle), around(middle, radius * 0.92, angle)], ink, 0.008)
    value = draws.uniform(*RANGES[class_name])
    angle = start + value * (END - START)
    pointer = colour(draws, (160, 25, 20), (225, 60, 40)) if draws.random() < 0.5 else ink
    canvas.line([around(middle, radius * 0.18, angle + 180), around(middle, radius * 0.76, angle)], pointer, 0.016)
    canvas.disc(middle, radius * 0.09, ink)
    return canvas.finished()
