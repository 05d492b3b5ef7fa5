"""Every choice of a recipe beyond backbone and freeze depth, as fields with the recipe's own help texts."""

from dataclasses import dataclass, field, fields
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


@dataclass(frozen=True)
class Form:
    """The fields, and what stands in them at first.

    Args:
        begin: The choices of an earlier run; what nobody has chosen if not given.
        mark: Tells the fields of this form from those of another, so that each keeps what was typed into it.
    """

    begin: Recipe = field(default_factory=Recipe)
    mark: str = ""

    def ask(self, settled: Recipe, n_classes: int) -> dict[str, Any]:
        """Draw all fields and return what was chosen, by name; ``settled`` says what Thaw would choose."""
        learning, network, pictures = st.tabs(["Learning", "New final layers", "Pictures"])
        chosen: dict[str, Any] = {}
        with learning:
            chosen |= self.ask_learning(settled)
        with network:
            chosen |= self.ask_head(n_classes)
        with pictures:
            chosen |= self.ask_pictures(settled)
        return chosen

    def key(self, name: str) -> str:
        """Return by what Streamlit knows a field."""
        return f"setting-{name}{self.mark}"

    def number(self, name: str, title: str, settled: Recipe | None = None, **options: Any) -> Any:
        """Draw a field for a number with the range of the recipe; empty means that Thaw chooses."""
        declared, begin = DECLARED[name], getattr(self.begin, name)
        is_whole = options.pop("is_whole", False)
        kind = int if is_whole else float
        hint = f"Thaw chooses: {getattr(settled, name):g}" if settled else None
        if declared.default is None and begin is not None:  # not its default, or an emptied field would fall back on it
            st.session_state.setdefault(self.key(name), kind(begin))
        return st.number_input(
            title,
            min_value=kind(declared.metadata["low"]),
            max_value=kind(declared.metadata["high"]),
            value=None if declared.default is None else kind(begin),
            help=declared.metadata["help"],
            placeholder=hint,
            key=self.key(name),
            **options,
        )

    def choice(self, name: str, title: str, allowed: tuple[str, ...], **options: Any) -> str:
        """Draw a field for one of a few words."""
        begin = allowed.index(getattr(self.begin, name))
        return st.selectbox(
            title, allowed, index=begin, help=DECLARED[name].metadata["help"], key=self.key(name), **options
        )

    def ask_learning(self, settled: Recipe) -> dict[str, Any]:
        """Draw how it learns."""
        number = self.number
        left, right = st.columns(2)
        with left:
            chosen = {
                "epochs": number("epochs", "Epochs (rounds), at most", settled, is_whole=True, step=1),
                "batch_size": number("batch_size", "Pictures per step", settled, is_whole=True, step=1),
                "optimizer": self.choice("optimizer", "Optimizer", OPTIMIZERS, format_func=SHOWN_OPTIMIZERS.get),
                "weight_decay": number("weight_decay", "Weight decay", format="%g", step=1e-4),
            }
        with right:
            chosen |= {
                "head_lr": number("head_lr", "Learning rate of the new final layers", settled, format="%g", step=1e-4),
                "backbone_lr": number(
                    "backbone_lr", "Learning rate of the last stage", settled, format="%g", step=1e-5
                ),
                "rate_falloff": number("rate_falloff", "Rate of a stage, as a share of the next", step=0.05),
                "early_stopping": st.toggle(
                    "Stop when it no longer gets better",
                    value=self.begin.early_stopping,
                    help=DECLARED["early_stopping"].metadata["help"],
                    key=self.key("early_stopping"),
                ),
            }
        if chosen["early_stopping"]:
            with left:
                chosen["patience"] = number("patience", "Patience in epochs", settled, is_whole=True, step=1)
        with left:
            chosen["precision"] = self.open_choice(
                "precision", "Numbers that open stages compute with", {word: word for word in PRECISIONS}
            )
        with right:
            chosen["class_weights"] = self.open_choice(
                "class_weights", "Make small classes count more", {"yes": True, "no": False}
            )
        return chosen

    def open_choice(self, name: str, title: str, words: dict[str, Any]) -> Any:
        """Draw a field for one of a few words, or none of them: then Thaw chooses. Return what the word stands for."""
        values = list(words.values())
        begin = getattr(self.begin, name)
        word = st.selectbox(
            title,
            (THAW_CHOOSES, *words),
            index=0 if begin is None else 1 + values.index(begin),
            help=DECLARED[name].metadata["help"],
            key=self.key(name),
        )
        return words.get(word)

    def ask_head(self, n_classes: int) -> dict[str, Any]:
        """Draw the new final layers."""
        left, right = st.columns(2)
        with left:
            chosen = {
                "pooling": self.choice("pooling", "From feature map to numbers", POOLINGS),
                "hidden_units": self.number("hidden_units", "Hidden units", is_whole=True, step=32),
            }
        with right:
            chosen["dropout"] = self.number("dropout", "Dropout", step=0.05)
            if n_classes == 2:
                chosen["activation"] = self.choice("activation", "Output", ACTIVATIONS)
            chosen["weights"] = self.choice("weights", "Start from", DECLARED["weights"].metadata["one_of"])
            chosen["head_start"] = self.choice("head_start", "New final layers start", HEAD_STARTS)
        return chosen

    def ask_pictures(self, settled: Recipe) -> dict[str, Any]:
        """Draw how pictures are read and divided."""
        left, right = st.columns(2)
        with left:
            chosen = {
                "image_size": self.number("image_size", "Picture size in pixels", settled, is_whole=True, step=32),
                "validation_share": self.number("validation_share", "Share of check pictures", step=0.05),
                "seed": self.number("seed", "Seed", is_whole=True, step=1),
            }
        with right:
            chosen |= {
                "resize": self.choice("resize", "How a picture becomes square", RESIZES),
                "test_share": self.number("test_share", "Share of exam pictures", step=0.05),
            }
        return chosen

    def ask_augmentation(self) -> dict[str, Any]:
        """Draw preset and strengths of the random views; a strength that equals its preset is left to it."""
        preset = st.segmented_control(
            "Random views of the training pictures",
            PRESETS,
            default=self.begin.augment,
            required=True,
            help=DECLARED["augment"].metadata["help"],
            key=self.key("augment"),
        )
        chosen: dict[str, Any] = {"augment": preset}
        columns = st.columns(2)
        for place, name in enumerate(STRENGTHS):
            with columns[place % 2]:
                chosen[name] = self.ask_strength(name, preset)
        mirrors = st.columns(2)
        for column, (name, title) in zip(mirrors, MIRRORS, strict=True):
            usual = getattr(augmentation.PRESETS[preset], name)
            value = column.toggle(title, value=self.strength(name, preset), key=f"view-{name}-{preset}{self.mark}")
            chosen[name] = None if value == usual else value
        if preset != "none":
            begin = self.begin.views == 0
            is_new = st.toggle("New views in every epoch", value=begin, help=EVERY_EPOCH, key=self.key("views"))
            chosen["views"] = 0 if is_new else self.begin.views or None
        return chosen

    def strength(self, name: str, preset: str) -> Any:
        """Return where a strength begins: at what was chosen with this preset, else at what the preset says."""
        own = getattr(self.begin, name) if preset == self.begin.augment else None
        return getattr(augmentation.PRESETS[preset], name) if own is None else own

    def ask_strength(self, name: str, preset: str) -> float | None:
        """Draw one strength; return None where it is what the preset says."""
        is_angle = name == "rotation"
        begin = float(self.strength(name, preset))
        most = max(90.0, begin) if is_angle else float(DECLARED[name].metadata["high"])
        value = st.slider(
            name.title(),
            0.0,
            most,
            begin,
            step=1.0 if is_angle else 0.01,
            format="%d°" if is_angle else "percent",
            help=DECLARED[name].metadata["help"],
            key=f"view-{name}-{preset}{self.mark}",
        )
        return None if value == float(getattr(augmentation.PRESETS[preset], name)) else value
