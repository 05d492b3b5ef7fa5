"""The command ``embed``: pictures as rows of numbers, for whoever goes on in another program."""

import argparse
from pathlib import Path

import numpy as np

from tlcore import atomic, quiet, sparing
from tlcore.backbones import table, weights
from tlcore.backbones.backbone import Backbone
from tlcore.commands.outcome import Outcome, progress
from tlcore.errors import RecipeError
from tlcore.images import intake, pixels
from tlcore.images.dataset import Dataset
from tlcore.training.recipe import RESIZES


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = commands.add_parser("embed", help="write the pooled features of pictures to a NumPy file")
    parser.add_argument(
        "pictures", type=Path, metavar="PICTURES", help="folder with one sub-folder per class, a zip or a tar archive"
    )
    parser.add_argument("--backbone", required=True, metavar="NAME")
    parser.add_argument("--image-size", type=int, metavar="S", help="side in pixels; the backbone's own by default")
    parser.add_argument("--resize", choices=RESIZES, default="crop", help="how a picture becomes square")
    parser.add_argument("--random-weights", type=int, metavar="SEED", help="random weights instead of pretrained ones")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    parser.set_defaults(run_command=_embed)


def _embed(parsed: argparse.Namespace) -> Outcome:
    """Write features (N, D) float32, labels (N,) int32, class_names and files, without pickled objects."""
    row = table.get(parsed.backbone)
    size = parsed.image_size or row.default_size
    if size < row.min_size:
        raise RecipeError(
            f"{row.title} needs pictures of at least {row.min_size} px.", f"Choose {row.min_size} or more."
        )
    with progress("Looking over pictures") as report:
        dataset = intake.open_pictures(parsed.pictures, report, at_least=1)
    with progress("Reading pictures") as report:
        array = pixels.pixels(dataset, size, parsed.resize, report)
    features = _features(row, array, parsed.random_weights)
    _write(parsed.out, features, dataset)
    value = {"file": str(parsed.out), "pictures": len(features), "features": features.shape[1], "image_size": size}
    return Outcome(f"{parsed.out}: {len(features)} pictures, {features.shape[1]} features each", value)


def _features(row: Backbone, array: np.ndarray, seed: int | None) -> np.ndarray:
    """Return (N, D) float32."""
    if seed is None:
        with progress("Fetching weights") as report:
            file = weights.fetch(row, report)
    with quiet.standard_error_held_back():
        with sparing.quick_import():
            import keras  # noqa: F401
        from tlcore.backbones import embedding
    with progress("Looking at pictures") as report:
        return embedding.embed(row, array, None if seed is not None else file, seed, report)


def _write(out: Path, features: np.ndarray, dataset: Dataset) -> None:
    """Write the file at once."""
    with atomic.replacing(out) as beside, beside.open("wb") as stream:
        np.savez(
            stream,
            features=features,
            labels=np.array([picture.label for picture in dataset.pictures], "int32"),
            class_names=np.array(dataset.class_names, dtype=np.str_),
            files=np.array([picture.file for picture in dataset.pictures], dtype=np.str_),
        )
