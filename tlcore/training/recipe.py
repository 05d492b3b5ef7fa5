"""Every choice of the user for one training: checked, saved, loaded. No TensorFlow here.

``None`` and "auto" mean that Thaw chooses; ``settling.py`` turns them into values and says why. Each field carries
its help text, from which the command line makes its flags and the pages their labels.
"""

import math
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tlcore import atomic
from tlcore.errors import RecipeError

PRESETS = ("none", "light", "strong")
OPTIMIZERS = ("adamw", "adam", "rmsprop", "sgd")
POOLINGS = ("average", "max", "flatten")
HEAD_STARTS = ("random", "fitted")
PRECISIONS = ("float32", "bfloat16", "float16")
ENGINES = ("keras", "openvino", "openvino bfloat16")
ACTIVATIONS = ("softmax", "sigmoid")
RESIZES = ("crop", "stretch", "pad")
MOST_PARTS = 64  # of a training step


def choice(
    default: Any,
    help_text: str,
    *,
    one_of: tuple[str, ...] = (),
    low: float = -math.inf,
    high: float = math.inf,
    flag: str = "",
) -> Any:
    """Declare a field of the recipe.

    Args:
        default: Value when nothing is said.
        help_text: One sentence for the command line and the page.
        one_of: The allowed words, for a field of words.
        low: Smallest allowed number.
        high: Largest allowed number.
        flag: Name of the command line's flag where it differs from the field's name.
    """
    return field(
        default=default, metadata={"help": help_text, "one_of": one_of, "low": low, "high": high, "flag": flag}
    )


@dataclass(frozen=True)
class Recipe:
    """What the user asks for. Shares are 0 to 1, rates per step, sizes in pixels, angles in degrees."""

    backbone: str = choice("auto", "Pretrained network to start from (see: python -m tlcore backbones), or auto.")
    weights: str = choice(
        "imagenet",
        "Weights to start from: imagenet, or random (learns everything from nothing).",
        one_of=("imagenet", "random"),
    )
    frozen_stages: str | int = choice(
        "auto", "Stages kept frozen, counted from the image side: all, none, auto or a number.", flag="freeze"
    )
    image_size: int | None = choice(
        None, "Side of the square pictures that the network sees, in pixels.", low=32, high=1024
    )
    resize: str = choice(
        "crop", "How a picture becomes square: crop its middle, stretch it, or pad it with black.", one_of=RESIZES
    )
    epochs: int | None = choice(None, "Epochs (rounds) in total over both phases.", low=1, high=10_000)
    early_stopping: bool = choice(True, "Stop when the loss on the check pictures no longer falls.", flag="early-stop")
    patience: int | None = choice(None, "Epochs without a better check loss before training stops.", low=1, high=1000)
    batch_size: int | None = choice(None, "Pictures per step.", low=1, high=1024)
    head_lr: float | None = choice(None, "Learning rate of the new final layers.", low=1e-8, high=10.0)
    backbone_lr: float | None = choice(
        None, "Learning rate of the last open stage; earlier stages learn more slowly.", low=1e-9, high=1.0
    )
    rate_falloff: float = choice(
        0.4, "Learning rate of a stage as a share of the rate of the stage after it.", low=0.01, high=1.0
    )
    optimizer: str = choice("adamw", "How weights are moved.", one_of=OPTIMIZERS)
    weight_decay: float = choice(1e-4, "Pull of the weights towards zero, with adamw.", low=0.0, high=1.0)
    augment: str = choice(
        "light", "Random views of the training pictures: a preset that the strengths below change.", one_of=PRESETS
    )
    rotation: float | None = choice(None, "Turn by up to this many degrees.", low=0, high=180)
    horizontal_flip: bool | None = choice(None, "Mirror left and right at random.")
    vertical_flip: bool | None = choice(None, "Mirror top and bottom at random.")
    zoom: float | None = choice(None, "Zoom in or out by up to this share.", low=0, high=0.9)
    crop: float | None = choice(None, "Move the cut-out by up to this share of the side.", low=0, high=0.9)
    brightness: float | None = choice(None, "Make brighter or darker by up to this share.", low=0, high=1)
    contrast: float | None = choice(None, "Raise or lower the contrast by up to this share.", low=0, high=1)
    views: int | None = choice(
        None,
        "Random views per picture: each passes the frozen stages once, and epochs draw from them. 0 for new ones in "
        "every epoch, which pass the frozen stages again each time.",
        low=0,
        high=64,
    )
    pooling: str = choice("average", "How the last feature map becomes one row of numbers.", one_of=POOLINGS)
    hidden_units: int = choice(0, "Size of a hidden layer in the head; 0 for none.", low=0, high=8192)
    head_start: str = choice(
        "random",
        "Where the new final layers start: random, so that the curves climb, or fitted, from the first answer that is "
        "computed without any epoch (best when few epochs follow, or when stages open afterwards).",
        one_of=HEAD_STARTS,
    )
    dropout: float = choice(
        0.2, "Share of the head's inputs that is left out at random in training.", low=0.0, high=0.95
    )
    activation: str = choice("softmax", "Output of the head; sigmoid only for two classes.", one_of=ACTIVATIONS)
    class_weights: bool | None = choice(None, "Make pictures of small classes count more.")
    validation_share: float = choice(
        0.15, "Share of the pictures kept for checking after each epoch.", low=0.02, high=0.6
    )
    test_share: float = choice(0.15, "Share of the pictures kept for the exam at the end.", low=0.02, high=0.6)
    precision: str | None = choice(
        None, "Numbers that open stages are trained in; the fastest sound ones if not given.", one_of=PRECISIONS
    )
    xla: bool | None = choice(None, "Compile training steps with XLA; where that is faster if not given.")
    engine: str | None = choice(
        None, "What runs the frozen stages; the fastest that answers the same if not given.", one_of=ENGINES
    )
    threads: int | None = choice(
        None, "Processor threads that training computes with; one per core if not given.", low=1, high=1024
    )
    step_parts: int | None = choice(
        None,
        "Compute each training step in this many parts, so that a slow one can be watched.",
        low=1,
        high=MOST_PARTS,
    )
    seed: int = choice(
        0, "Start of every random draw; the same seed gives the same run on the same computer.", low=0, high=2**31 - 1
    )


def check(recipe: Recipe) -> Recipe:
    """Return the recipe if every choice is in range.

    Raises:
        RecipeError: Names the first choice that is not, and what is allowed.
    """
    for declared in fields(Recipe):
        _check_field(declared, getattr(recipe, declared.name))
    _check_frozen_stages(recipe.frozen_stages)
    if recipe.validation_share + recipe.test_share > 0.8:
        raise RecipeError(
            "Check and exam pictures together take more than 80 % of all pictures, so too few are left to learn from.",
            "Lower one of the two shares.",
        )
    return recipe


def _check_field(declared: Field, value: Any) -> None:
    """Raise ``RecipeError`` if a value is not allowed for its field."""
    allowed = declared.metadata
    title = declared.name.replace("_", " ")
    is_open = value is None and declared.default is None
    if allowed["one_of"] and value not in allowed["one_of"] and not is_open:
        raise RecipeError(
            f"The choice “{value}” for {title} is not known.", f"Choose one of: {', '.join(allowed['one_of'])}."
        )
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and not allowed["low"] <= value <= allowed["high"]:
        raise RecipeError(
            f"{value:g} is out of range for {title}.",
            f"Choose a number from {allowed['low']:g} to {allowed['high']:g}.",
        )


def _check_frozen_stages(value: str | int) -> None:
    """Raise ``RecipeError`` unless the value is all, none, auto or a number from 0."""
    is_word = value in ("all", "none", "auto")
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not (is_word or is_count):
        raise RecipeError(
            f"“{value}” is not a freeze depth.", "Choose all, none, auto, or the number of stages to keep frozen."
        )


def frozen_count(recipe: Recipe, n_stages: int) -> int:
    """Return how many of a backbone's stages stay frozen.

    Raises:
        RecipeError: The number is larger than the number of stages, or the recipe is not settled yet.
    """
    words = {"all": n_stages, "none": 0}
    if recipe.frozen_stages in words:
        return words[str(recipe.frozen_stages)]
    if isinstance(recipe.frozen_stages, int) and recipe.frozen_stages <= n_stages:
        return recipe.frozen_stages
    raise RecipeError(
        f"{recipe.backbone} has {n_stages} stages, so {recipe.frozen_stages} of them cannot be kept frozen.",
        f"Choose a number from 0 (everything learns) to {n_stages} (only the new final layers learn).",
    )


def save(recipe: Recipe, file: Path) -> None:
    """Write a recipe as JSON."""
    atomic.write_json(file, asdict(recipe), durable=True)


def load(file: Path) -> Recipe:
    """Read a recipe that ``save`` wrote, also one of an older Thaw that lacked some fields."""
    value = atomic.read_json(file)
    known = {declared.name for declared in fields(Recipe)}
    return check(Recipe(**{key: item for key, item in value.items() if key in known}))
