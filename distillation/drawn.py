"""Pictures of nothing, drawn by a few rules: shapes, woven textures, clouds and fractals. NumPy and Pillow only.

They cost no photographs and show edges, grids and scales that photographs seldom hold. That pictures from formulas
alone can teach a network to see: Kataoka et al. 2020 (https://arxiv.org/abs/2101.08515).
"""

import numpy as np
from PIL import Image, ImageDraw


def picture(draws: np.random.Generator, side: int) -> np.ndarray:
    """Return a drawn picture: (side, side, 3) uint8, 0 to 255. The same draws give the same picture."""
    kinds = (_shapes, _weave, _clouds, _julia)
    return kinds[draws.integers(len(kinds))](draws, side)


def _palette(draws: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Colour values of 0 to 1 along a line of four random colours."""
    colours, places = draws.uniform(0, 255, (4, 3)), np.linspace(0, 1, 4)
    channels = [np.interp(values, places, colours[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype("uint8")


def _shapes(draws: np.random.Generator, side: int) -> np.ndarray:
    """Draw up to thirty ellipses, polygons and lines over a woven or cloudy ground."""
    ground = _weave(draws, side) if draws.random() < 0.5 else _clouds(draws, side)
    image = Image.fromarray(ground)
    pen = ImageDraw.Draw(image)
    for _ in range(draws.integers(1, 31)):
        colour = tuple(int(value) for value in draws.integers(0, 256, 3))
        middle, size = draws.uniform(0, side, 2), draws.uniform(0.03, 0.4) * side
        kind = draws.integers(3)
        if kind == 0:
            half = size * draws.uniform(0.3, 1, 2)
            pen.ellipse((*(middle - half), *(middle + half)), fill=colour)
        else:
            angles = np.sort(draws.uniform(0, 2 * np.pi, draws.integers(3, 8)))
            radii = size * draws.uniform(0.4, 1, len(angles))
            points = [
                (float(middle[0] + r * np.cos(a)), float(middle[1] + r * np.sin(a)))
                for a, r in zip(angles, radii, strict=True)
            ]
            if kind == 1:
                pen.polygon(points, fill=colour)
            else:
                pen.line(points, fill=colour, width=int(draws.integers(1, 1 + side // 16)))
    return np.asarray(image)


def _weave(draws: np.random.Generator, side: int) -> np.ndarray:
    """Add a few waves in different directions; sharpened, they become stripes and checks."""
    y, x = np.mgrid[0:side, 0:side] / side
    values = np.zeros((side, side))
    for _ in range(draws.integers(1, 5)):
        angle, waves, phase = draws.uniform(0, np.pi), np.exp(draws.uniform(0, 3.5)), draws.uniform(0, 2 * np.pi)
        values += np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    return _palette(draws, 1 / (1 + np.exp(-values * np.exp(draws.uniform(-1, 3)))))


def _clouds(draws: np.random.Generator, side: int) -> np.ndarray:
    """Add noise at several scales, each finer one weaker."""
    values, fading = np.zeros((side, side)), draws.uniform(0.4, 0.9)
    for octave in range(int(np.log2(side))):
        noise = draws.uniform(-1, 1, (2 + 2**octave, 2 + 2**octave)).astype("float32")
        finer = Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)
        values += np.asarray(finer) * fading**octave
    low, high = values.min(), values.max()
    return _palette(draws, (values - low) / (high - low))


def _julia(draws: np.random.Generator, side: int) -> np.ndarray:
    """Draw a part of a Julia set: how soon z -> z * z + c leaves the circle of radius 2."""
    angle = draws.uniform(0, 2 * np.pi)
    # Just outside the Mandelbrot set's main body the sets are neither dust nor blobs.
    c = (np.exp(1j * angle) / 2 - np.exp(2j * angle) / 4) * draws.uniform(1.0, 1.1)
    reach, middle = draws.uniform(0.3, 1.4), draws.uniform(-0.5, 0.5, 2)
    y, x = np.mgrid[-reach : reach : side * 1j, -reach : reach : side * 1j]
    z = (x + middle[0]) + 1j * (y + middle[1])
    left_at, rounds = np.zeros((side, side)), 40
    for _ in range(rounds):
        inside = np.abs(z) <= 2
        left_at += inside
        z = np.where(inside, z * z + c, z)
    return _palette(draws, (left_at / rounds) ** draws.uniform(0.4, 1.5))
