"""Every choice of a recipe beyond backbone and freeze depth, as fields with the recipe's own help texts."""

from dataclasses import fields
from typing import Any

import streamlit as st

from tlcore.training import augmentation
from tlcore.training.recipe import ACTIVATIONS, HEAD_STARTS, OPTIMIZERS, POOLINGS, PRECISIONS, PRESETS, RESIZES, Recipe

THAW_CHOOSES = "Thaw chooses"
DECLARED = {declared.name: declared for declared in fields(Recipe)}
STRENGTHS = ("rotation", "zoom", "crop", "brightness", "contrast")
MIRRORS = (("horizontal_flip", "Mirror left and right"), ("vertical_flip", "Mirror top and bottom"))
EVERY_EPOCH = (
    "Off: a few views of each picture pass the frozen stages once, and every epoch draws from them. On: every epoch "
    "makes new ones, and all of them pass the frozen stages again, so each epoch takes as long as the first."
)
SHOWN_OPTIMIZERS = {"adamw": "AdamW", "adam": "Adam", "rmsprop": "RMSprop", "sgd": "SGD"}


def ask(settled: Recipe, n_classes: int) -> dict[str, Any]:
    """Draw all fields and return what was chosen, by name; ``settled`` says what Thaw would choose."""
    learning, network, pictures = st.tabs(["Learning", "New final layers", "Pictures"])
    chosen: dict[str, Any] = {}
    with learning:
        chosen |= ask_learning(settled)
    with network:
        chosen |= ask_head(n_classes)
    with pictures:
        chosen |= ask_pictures(settled)
    return chosen


def number(name: str, title: str, settled: Recipe | None = None, **options: Any) -> Any:
    """Draw a field for a number with the range of the recipe; empty means that Thaw chooses."""
    declared = DECLARED[name]
    is_whole = options.pop("is_whole", False)
    kind = int if is_whole else float
    hint = f"Thaw chooses: {getattr(settled, name):g}" if settled else None
    return st.number_input(
        title,
        min_value=kind(declared.metadata["low"]),
        max_value=kind(declared.metadata["high"]),
        value=options.pop("value", None if declared.default is None else kind(declared.default)),
        help=declared.metadata["help"],
        placeholder=hint,
        key=f"setting-{name}",
        **options,
    )


def choice(name: str, title: str, allowed: tuple[str, ...], **options: Any) -> str:
    """Draw a field for one of a few words."""
    default = allowed.index(DECLARED[name].default)
    return st.selectbox(
        title, allowed, index=default, help=DECLARED[name].metadata["help"], key=f"setting-{name}", **options
    )


def ask_learning(settled: Recipe) -> dict[str, Any]:
    left, right = st.columns(2)
    with left:
        chosen = {
            "epochs": number("epochs", "Epochs (rounds), at most", settled, is_whole=True, step=1),
            "batch_size": number("batch_size", "Pictures per step", settled, is_whole=True, step=1),
            "optimizer": choice("optimizer", "Optimizer", OPTIMIZERS, format_func=SHOWN_OPTIMIZERS.get),
            "weight_decay": number("weight_decay", "Weight decay", format="%g", step=1e-4),
        }
    with right:
        chosen |= {
            "head_lr": number("head_lr", "Learning rate of the new final layers", settled, format="%g", step=1e-4),
            "backbone_lr": number("backbone_lr", "Learning rate of the last stage", settled, format="%g", step=1e-5),
            "rate_falloff": number("rate_falloff", "Rate of a stage, as a share of the next", step=0.05),
            "early_stopping": st.toggle(
                "Stop when it no longer gets better", value=True, help=DECLARED["early_stopping"].metadata["help"]
            ),
        }
    if chosen["early_stopping"]:
        with left:
            chosen["patience"] = number("patience", "Patience in epochs", settled, is_whole=True, step=1)
    with left:
        numbers = st.selectbox(
            "Numbers that open stages compute with",
            (THAW_CHOOSES, *PRECISIONS),
            help=DECLARED["precision"].metadata["help"],
        )
    with right:
        weigh = st.selectbox(
            "Make small classes count more",
            (THAW_CHOOSES, "yes", "no"),
            help=DECLARED["class_weights"].metadata["help"],
        )
    chosen["precision"] = None if numbers == THAW_CHOOSES else numbers
    return chosen | {"class_weights": {"yes": True, "no": False}.get(weigh)}


def ask_head(n_classes: int) -> dict[str, Any]:
    left, right = st.columns(2)
    with left:
        chosen = {
            "pooling": choice("pooling", "From feature map to numbers", POOLINGS),
            "hidden_units": number("hidden_units", "Hidden units", is_whole=True, step=32),
        }
    with right:
        chosen["dropout"] = number("dropout", "Dropout", step=0.05)
        if n_classes == 2:
            chosen["activation"] = choice("activation", "Output", ACTIVATIONS)
        chosen["weights"] = choice("weights", "Start from", DECLARED["weights"].metadata["one_of"])
        chosen["head_start"] = choice("head_start", "New final layers start", HEAD_STARTS)
    return chosen


def ask_pictures(settled: Recipe) -> dict[str, Any]:
    left, right = st.columns(2)
    with left:
        chosen = {
            "image_size": number("image_size", "Picture size in pixels", settled, is_whole=True, step=32),
            "validation_share": number("validation_share", "Share of check pictures", step=0.05),
            "seed": number("seed", "Seed", is_whole=True, step=1),
        }
    with right:
        chosen |= {
            "resize": choice("resize", "How a picture becomes square", RESIZES),
            "test_share": number("test_share", "Share of exam pictures", step=0.05),
        }
    return chosen


def ask_augmentation() -> dict[str, Any]:
    """Draw preset and strengths of the random views; a strength that equals its preset is left to it."""
    preset = st.segmented_control(
        "Random views of the training pictures",
        PRESETS,
        default="light",
        required=True,
        help=DECLARED["augment"].metadata["help"],
    )
    usual = augmentation.PRESETS[preset]
    chosen: dict[str, Any] = {"augment": preset}
    columns = st.columns(2)
    for place, name in enumerate(STRENGTHS):
        with columns[place % 2]:
            chosen[name] = ask_strength(name, float(getattr(usual, name)), preset)
    mirrors = st.columns(2)
    for column, (name, title) in zip(mirrors, MIRRORS, strict=True):
        value = column.toggle(title, value=getattr(usual, name), key=f"view-{name}-{preset}")
        chosen[name] = None if value == getattr(usual, name) else value
    if preset != "none":
        is_new = st.toggle("New views in every epoch", help=EVERY_EPOCH, key="setting-views")
        chosen["views"] = 0 if is_new else None
    return chosen


def ask_strength(name: str, usual: float, preset: str) -> float | None:
    """Draw one strength; return None where it is what the preset says."""
    is_angle = name == "rotation"
    value = st.slider(
        name.title(),
        0.0,
        90.0 if is_angle else float(DECLARED[name].metadata["high"]),
        usual,
        step=1.0 if is_angle else 0.01,
        format="%d°" if is_angle else "percent",
        help=DECLARED[name].metadata["help"],
        key=f"view-{name}-{preset}",
    )
    return None if value == usual else value
