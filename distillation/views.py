"""Views: what teacher and student both see. A random part of a picture, recoloured, or two of them mixed.

A view is settled by the seed, its shard and its place in it, whatever thread makes it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from distillation import drawn
from distillation.plan import VIEW_SIDE, Plan
from tlcore.images import picture, threads

LONG_SIDE = 256  # pictures are shrunk to this before a part is cut out; twice a view leaves room to zoom in
SMALLEST_PART = 0.2  # share of a picture's area; the part is 20 to 100 % of it
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})


def pictures_below(folders: Sequence[Path]) -> list[Path]:
    """Return all picture files below some folders, sorted, hidden ones left out.

    Raises:
        ValueError: There is none below one of the folders.
    """
    found: list[Path] = []
    for folder in folders:
        files = sorted(
            file
            for file in folder.rglob("*")
            if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".") and file.is_file()
        )
        if not files:
            raise ValueError(f"Each folder must have pictures below it. Received: {folder}")
        found += files
    return found


def shard(files: Sequence[Path], plan: Plan, number: int) -> np.ndarray:
    """Return the views of one shard: (shard_views, 128, 128, 3) uint8, RGB, 0 to 255.

    Raises:
        picture.Unreadable: One of the files is not a picture.
    """
    views = np.empty((plan.shard_views, VIEW_SIDE, VIEW_SIDE, 3), "uint8")
    made = threads.in_order(lambda place: view(files, plan, number, place), range(plan.shard_views))
    for place, each in enumerate(made):
        views[place] = each
    return views


def view(files: Sequence[Path], plan: Plan, shard_number: int, place: int) -> np.ndarray:
    """Return one view: (128, 128, 3) uint8."""
    draws = np.random.default_rng((plan.seed, shard_number, place))
    seen = _one(files, plan, draws)
    if draws.random() < plan.mixed_share:
        seen = mixed(seen, _one(files, plan, draws), draws)
    return seen


def mixed(first: np.ndarray, second: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Blend two views, or put a part of the second into the first.

    Sources: mixup (Zhang et al. 2017, https://arxiv.org/abs/1710.09412) and CutMix (Yun et al. 2019,
    https://arxiv.org/abs/1905.04899). The teacher is asked about the mixture itself, so nothing is assumed of labels.
    """
    if draws.random() < 0.5:
        share = draws.uniform(0.25, 0.75)
        return (first * share + second * (1 - share)).astype("uint8")
    height, width = (VIEW_SIDE * draws.uniform(0.3, 0.8, 2)).astype(int)
    top, left = draws.integers(0, VIEW_SIDE - height), draws.integers(0, VIEW_SIDE - width)
    both = first.copy()
    both[top : top + height, left : left + width] = second[top : top + height, left : left + width]
    return both


def _one(files: Sequence[Path], plan: Plan, draws: np.random.Generator) -> np.ndarray:
    if draws.random() < plan.drawn_share:
        whole = drawn.picture(draws, VIEW_SIDE + VIEW_SIDE // 2)
    else:
        small = picture.look(files[draws.integers(len(files))], small_side=LONG_SIDE).small
        assert small is not None
        whole = np.asarray(small)
    return _recoloured(_part(whole, draws), draws)


def _part(whole: np.ndarray, draws: np.random.Generator) -> Image.Image:
    """Cut out a part of 20 to 100 % of the area and 3:4 to 4:3 in shape, mirrored every second time.

    Source of the ranges: the crops with which ImageNet networks are trained (Szegedy et al. 2014,
    https://arxiv.org/abs/1409.4842; there 8 to 100 %), tamer because most of our pictures are small.
    """
    height, width = whole.shape[:2]
    area, shape = draws.uniform(SMALLEST_PART, 1) * height * width, np.exp(draws.uniform(-1, 1) * np.log(4 / 3))
    part_width = min(width, np.sqrt(area * shape))
    part_height = min(height, np.sqrt(area / shape))
    left, top = draws.uniform(0, width - part_width), draws.uniform(0, height - part_height)
    box = (left, top, left + part_width, top + part_height)
    part = Image.fromarray(whole).resize((VIEW_SIDE, VIEW_SIDE), Image.Resampling.BILINEAR, box=box)
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if draws.random() < 0.5 else part


def _recoloured(part: Image.Image, draws: np.random.Generator) -> np.ndarray:
    """Change light, contrast, saturation and tint of most views; some become grey, some soft."""
    if draws.random() < 0.1:
        part = part.filter(ImageFilter.GaussianBlur(draws.uniform(0.3, 1.5)))
    if draws.random() < 0.2:
        return np.asarray(part)
    pixels = np.asarray(part, "float32")
    grey = pixels @ np.float32((0.299, 0.587, 0.114))
    saturation = 0 if draws.random() < 0.1 else draws.uniform(0.4, 1.5)
    pixels = grey[..., None] * (1 - saturation) + pixels * saturation
    pixels = (pixels - grey.mean()) * draws.uniform(0.6, 1.4) + grey.mean() * draws.uniform(0.65, 1.35)
    pixels *= draws.uniform(0.85, 1.15, 3) if draws.random() < 0.5 else 1.0
    return pixels.clip(0, 255).astype("uint8")
