"""Hand-drawn signs on paper: a hook, a loop, a zigzag, a cross. Every hand draws them differently."""

import math

import numpy as np
from PIL import Image

from tlcore.samples.canvas import Canvas, Point, colour

CLASS_NAMES = ("cross", "hook", "loop", "zigzag")
Strokes = list[list[Point]]


def draw(class_name: str, draws: np.random.Generator) -> Image.Image:
    """Draw one sign of a class."""
    paper = colour(draws, (205, 200, 185), (250, 248, 240))
    canvas = Canvas(draws, (paper, tuple(int(part * draws.uniform(0.85, 1.0)) for part in paper)))
    if draws.random() < 0.5:  # squared paper
        step = draws.uniform(0.07, 0.13)
        for line in np.arange(draws.uniform(0, step), 1, step):
            canvas.line([(line, 0.0), (line, 1.0)], (175, 190, 210), 0.004)
            canvas.line([(0.0, line), (1.0, line)], (175, 190, 210), 0.004)
    ink = colour(draws, (15, 15, 25), (70, 70, 150))
    width = draws.uniform(0.012, 0.035)
    lean, size = math.radians(draws.uniform(-28, 28)), draws.uniform(0.18, 0.33)
    stretch, shift = draws.uniform(0.7, 1.3), (draws.uniform(-0.12, 0.12), draws.uniform(-0.12, 0.12))
    for stroke in _strokes(class_name, draws):
        points = []
        for x, y in stroke:
            u, v = x * stretch * size + draws.normal(0, 0.004), y * size + draws.normal(0, 0.004)
            turned = (u * math.cos(lean) - v * math.sin(lean), u * math.sin(lean) + v * math.cos(lean))
            points.append((0.5 + shift[0] + turned[0], 0.5 + shift[1] + turned[1]))
        canvas.line(points, ink, width)
    return canvas.finished()


def _strokes(class_name: str, draws: np.random.Generator) -> Strokes:
    """Return the strokes of a sign around (0, 0), each as points between -1 and 1."""
    shapes = {"cross": _cross, "hook": _hook, "loop": _loop, "zigzag": _zigzag}
    return shapes[class_name](draws)


def _cross(draws: np.random.Generator) -> Strokes:
    slip = draws.uniform(-0.3, 0.3, 4)
    return [[(-1, -1 + slip[0]), (1, 1 + slip[1])], [(1 + slip[2], -1), (-1 + slip[3], 1)]]


def _hook(draws: np.random.Generator) -> Strokes:
    end = draws.uniform(160, 250)
    bend = [
        (0.55 * math.cos(math.radians(a)) - 0.1, 0.45 + 0.55 * math.sin(math.radians(a)))
        for a in np.linspace(0, end, 14)
    ]
    return [[(0.45, -1.0), (0.45, 0.0), *bend]]


def _loop(draws: np.random.Generator) -> Strokes:
    start, turns = draws.uniform(0, 360), draws.uniform(330, 450)
    shrink = draws.uniform(0.75, 1.0)
    return [
        [
            (r * math.cos(math.radians(start + a)), r * math.sin(math.radians(start + a)))
            for a, r in zip(np.linspace(0, turns, 30), np.linspace(1.0, shrink, 30), strict=True)
        ]
    ]


def _zigzag(draws: np.random.Generator) -> Strokes:
    corners = int(draws.integers(4, 7))
    heights = [(-1) ** i * draws.uniform(0.45, 0.9) for i in range(corners)]
    return [list(zip(np.linspace(-1, 1, corners), heights, strict=True))]
