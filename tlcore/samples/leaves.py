"""Leaves: healthy, or with spots. What tells them apart is small and lies anywhere on the leaf."""

import math

import numpy as np
from PIL import Image

from tlcore.samples.canvas import Canvas, Point, around, colour

CLASS_NAMES = ("healthy", "spotted")


def draw(class_name: str, draws: np.random.Generator) -> Image.Image:
    """Draw one leaf of a class."""
    ground = colour(draws, (150, 140, 120), (235, 230, 225)), colour(draws, (110, 100, 85), (215, 205, 195))
    canvas = Canvas(draws, ground)
    direction = draws.uniform(0, 360)
    middle = (draws.uniform(0.42, 0.58), draws.uniform(0.42, 0.58))
    length, width = draws.uniform(0.30, 0.42), draws.uniform(0.11, 0.20)
    # Autumn leaves are yellow and brown all over, which is not a disease.
    green = (
        colour(draws, (40, 90, 25), (120, 165, 70))
        if draws.random() < 0.75
        else colour(draws, (135, 105, 30), (190, 150, 60))
    )
    canvas.polygon(_outline(middle, length, width, direction, draws), green)
    vein = tuple(min(255, part + 35) for part in green)
    canvas.line([around(middle, length, direction + 180), around(middle, length * 0.9, direction)], vein, 0.008)
    for share in np.linspace(-0.6, 0.6, int(draws.integers(3, 7))):
        root = around(middle, length * abs(share), direction + (180 if share < 0 else 0))
        for side in (-1, 1):
            canvas.line([root, around(root, width * 0.62, direction + side * 55)], vein, 0.004)
    _accidents(canvas, middle, length, width, direction, class_name == "spotted")
    return canvas.finished()


def _outline(middle: Point, length: float, width: float, direction: float, draws: np.random.Generator) -> list[Point]:
    """Return the edge of a leaf: two bows from tip to tip, a little ragged."""
    points = []
    for angle in np.linspace(0, 360, 90, endpoint=False):
        along, across = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        across *= width * (1 - abs(along) ** 2.2) ** 0.5 + draws.normal(0, 0.002)
        radius, turn = math.hypot(along * length, across), math.degrees(math.atan2(across, along * length))
        points.append(around(middle, radius, direction + turn))
    return points


def _accidents(canvas: Canvas, middle: Point, length: float, width: float, direction: float, is_spotted: bool) -> None:
    """Add spots to a sick leaf, and to every leaf drops, bites and crumbs that are no spots."""
    draws = canvas.draws
    for _ in range(int(draws.integers(1, 6)) if is_spotted else 0):
        place = _inside(middle, length, width, direction, draws)
        size = draws.uniform(0.006, 0.018)
        canvas.disc(place, size * 1.5, colour(draws, (140, 125, 50), (195, 175, 90)))
        canvas.disc(place, size, colour(draws, (70, 40, 20), (125, 80, 45)))
    for _ in range(int(draws.integers(0, 5))):  # drops of water: bright, with no dark middle
        canvas.disc(_inside(middle, length, width, direction, draws), draws.uniform(0.006, 0.014), (225, 235, 225))
    for _ in range(int(draws.integers(0, 4))):  # bites: the ground shows through, which is dark at times
        place = _inside(middle, length, width, direction, draws)
        canvas.disc(place, draws.uniform(0.006, 0.016), canvas.ground_at(place))
    for _ in range(int(draws.integers(0, 9))):  # crumbs: dark, and only beside the leaf or at its edge
        canvas.disc(
            (draws.random(), draws.random()), draws.uniform(0.004, 0.012), colour(draws, (60, 45, 30), (110, 85, 60))
        )


def _inside(middle: Point, length: float, width: float, direction: float, draws: np.random.Generator) -> Point:
    """Return a place on the leaf."""
    along, across = draws.uniform(-0.75, 0.75) * length, draws.uniform(-0.55, 0.55) * width
    return around(around(middle, along, direction), across, direction + 90)
