"""Words on screen for counts, moments, states and choices."""

import time
from collections.abc import Callable
from typing import Any

from pages.parts.settings import SHOWN_OPTIMIZERS
from tlcore.backbones import table
from tlcore.overview import RunLine
from tlcore.training.recipe import Recipe

STATES = {
    "waiting": "Waiting",
    "running": "Learning",
    "pausing": "Pausing",
    "paused": "Paused",
    "stopping": "Stopping",
    "finishing": "Making the results",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "crashed": "Broke off",
}


def state(line: RunLine) -> str:
    """Return where a run stands, and how its training ended where not by itself."""
    if line.state != "finished" or not line.end:
        return STATES[line.state]
    return ("Stopped" if line.end == "stopped" else "Broke off") + ", with results"


def number(value: int) -> str:
    """Return a number with its thousands apart: 1 500."""
    return f"{value:,}".replace(",", "\u202f")


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: 1 picture, 1 500 pictures."""
    return f"{number:,}".replace(",", "\u202f") + f" {one if number == 1 else many or one + 's'}"


def moment(seconds: float, to_the_second: bool = False) -> str:
    """Return a time of day or a date, or both to the second, on the server's clock."""
    then, now = time.localtime(seconds), time.localtime()
    is_today = then[:3] == now[:3]
    day = "today" if is_today else time.strftime("%d %b %Y", then).lstrip("0")
    if to_the_second:
        return day + time.strftime(", %H:%M:%S", then)
    return day + time.strftime(", %H:%M", then) if is_today else day


def depth(recipe: Recipe) -> str:
    """Return a freeze depth for people, with the number of stages that the backbone has."""
    frozen, known = recipe.frozen_stages, table.BACKBONES.get(recipe.backbone)
    if frozen == "auto":
        return "freeze depth chosen by Thaw"
    if frozen in ("none", 0):
        return "nothing frozen"
    if known is None:
        return "all stages frozen" if frozen == "all" else count(int(frozen), "stage") + " frozen"
    if frozen in ("all", known.stage_count):
        return f"all {known.stage_count} stages frozen"
    return f"{frozen} of {known.stage_count} stages frozen"


CHOICES_SHOWN = 4
CHOICES: dict[str, Callable[[Any], str]] = {
    "weights": lambda value: f"{value} weights",
    "epochs": lambda value: "at most " + count(value, "epoch"),
    "image_size": lambda value: f"{value} px",
    "augment": {"none": "no random views", "light": "light random views", "strong": "strong random views"}.__getitem__,
    "optimizer": SHOWN_OPTIMIZERS.__getitem__,
    "head_lr": lambda value: f"rate {value:g}",
    "backbone_lr": lambda value: f"rate of the last stage {value:g}",
    "rate_falloff": lambda value: f"falloff of the rates {value:g}",
    "batch_size": lambda value: count(value, "picture") + " per step",
    "early_stopping": lambda value: "with early stop" if value else "no early stop",
    "patience": lambda value: f"patience {value}",
    "weight_decay": lambda value: f"weight decay {value:g}",
    "hidden_units": lambda value: count(value, "hidden unit"),
    "dropout": lambda value: f"dropout {value:g}",
    "head_start": lambda value: f"new final layers start {value}",
    "views": lambda value: f"{count(value, 'view')} of each picture" if value else "new views in every epoch",
    "pooling": lambda value: f"pooling {value}",
    "activation": lambda value: f"output {value}",
    "resize": {"crop": "cropped", "stretch": "stretched", "pad": "padded"}.__getitem__,
    "class_weights": lambda value: "small classes count more" if value else "all pictures count the same",
    "rotation": lambda value: f"turned by up to {value:g}°",
    "horizontal_flip": lambda value: "mirrored left and right" if value else "not mirrored left and right",
    "vertical_flip": lambda value: "mirrored top and bottom" if value else "not mirrored top and bottom",
    "zoom": lambda value: f"zoom {value:.0%}",
    "crop": lambda value: f"cut-out moved {value:.0%}",
    "brightness": lambda value: f"brightness {value:.0%}",
    "contrast": lambda value: f"contrast {value:.0%}",
    "validation_share": lambda value: f"{value:.0%} check pictures",
    "test_share": lambda value: f"{value:.0%} exam pictures",
    "precision": lambda value: f"trained in {value}",
    "xla": lambda value: "with XLA" if value else "without XLA",
    "engine": lambda value: f"frozen stages run by {value}",
    "threads": lambda value: count(value, "thread"),
    "step_parts": lambda value: f"steps in {count(value, 'part')}",
    "seed": lambda value: f"seed {value}",
}
"""Words for every choice beside backbone and freeze depth, those that matter most first."""


def choices(asked: Recipe) -> str:
    """Return what was asked for differently from what Thaw would do, at most a few; empty where nothing was."""
    usual = Recipe()
    own = [(name, getattr(asked, name)) for name in CHOICES if getattr(asked, name) != getattr(usual, name)]
    said = [CHOICES[name](value) for name, value in own[:CHOICES_SHOWN]]
    left = len(own) - len(said)
    return ", ".join([*said, f"{left} more"] if left else said)
