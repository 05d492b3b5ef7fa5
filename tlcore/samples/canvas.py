"""A drawing surface with smooth edges, and the accidents that make drawn pictures differ like photographs."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

Point = tuple[float, float]
Colour = tuple[int, int, int]

SIDE = 160  # pixels of a finished picture
FINE = 2  # pictures are drawn this much larger and then shrunk, which smooths their edges


class Canvas:
    """A square picture in which lengths are shares of the side: (0, 0) is the top left, (1, 1) the bottom right.

    Args:
        draws: Source of all random choices.
        ground: Colour at the top and at the bottom; the ground runs from one to the other.
    """

    def __init__(self, draws: np.random.Generator, ground: tuple[Colour, Colour]) -> None:
        self.draws = draws
        self.pixels = SIDE * FINE
        ramp = np.linspace(0, 1, self.pixels)[:, None, None]
        colours = np.asarray(ground[0]) * (1 - ramp) + np.asarray(ground[1]) * ramp
        rows = np.broadcast_to(colours, (self.pixels, self.pixels, 3))
        self.image = Image.fromarray(rows.astype("uint8"))
        self.ground = ground
        self.pen = ImageDraw.Draw(self.image)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self.pen.polygon([self._at(point) for point in points], fill=colour)

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """Draw a line with round joints and ends."""
        thick = max(1, round(width * self.pixels))
        self.pen.line([self._at(point) for point in points], fill=colour, width=thick, joint="curve")
        for end in (points[0], points[-1]):
            self.disc(end, width / 2, colour)

    def disc(self, middle: Point, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        x, y = self._at(middle)
        r = radius * self.pixels
        self.pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def arc(self, middle: Point, radius: float, angles: tuple[float, float], colour: Colour, width: float) -> None:
        """Draw a part of a circle between two angles in degrees, clockwise from the right."""
        x, y = self._at(middle)
        r = radius * self.pixels
        thick = max(1, round(width * self.pixels))
        self.pen.arc((x - r, y - r, x + r, y + r), *angles, fill=colour, width=thick)

    def ground_at(self, place: Point) -> Colour:
        """Return the colour that the ground had at a place before anything was drawn on it."""
        top, bottom = self.ground
        red, green, blue = (round(a + (b - a) * place[1]) for a, b in zip(top, bottom, strict=True))
        return red, green, blue

    def finished(self) -> Image.Image:
        """Return the picture at its true size: softened, lit differently, with grain."""
        picture = self.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        picture = picture.filter(ImageFilter.GaussianBlur(float(self.draws.uniform(0, 1.1))))
        picture = ImageEnhance.Brightness(picture).enhance(float(self.draws.uniform(0.65, 1.25)))
        picture = ImageEnhance.Contrast(picture).enhance(float(self.draws.uniform(0.7, 1.2)))
        grain = self.draws.normal(0, self.draws.uniform(2, 11), (SIDE, SIDE, 1))
        return Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype("uint8"))

    def _at(self, point: Point) -> Point:
        return point[0] * self.pixels, point[1] * self.pixels


def colour(draws: np.random.Generator, low: Colour, high: Colour) -> Colour:
    """Return a colour between two."""
    red, green, blue = (int(draws.integers(a, b + 1)) for a, b in zip(low, high, strict=True))
    return red, green, blue


def around(middle: Point, radius: float, angle: float) -> Point:
    """Return the point at an angle in degrees (clockwise from the right) on a circle."""
    return (
        middle[0] + radius * math.cos(math.radians(angle)),
        middle[1] + radius * math.sin(math.radians(angle)),
    )
