"""Every field of the recipe as a flag of the command line. No TensorFlow here."""

import argparse
from dataclasses import Field, fields
from typing import Any, get_type_hints

from tlcore.training.recipe import Recipe

_KINDS = get_type_hints(Recipe)


def flag_name(declared: Field) -> str:
    """Return the flag of a field: ``--batch-size`` for ``batch_size``, unless the field names another."""
    return "--" + (declared.metadata["flag"] or declared.name).replace("_", "-")


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add one flag per field of the recipe."""
    group = parser.add_argument_group("settings (what is not given is chosen, and the reason printed)")
    for declared in fields(Recipe):
        group.add_argument(flag_name(declared), dest=declared.name, default=declared.default, **_options(declared))


def recipe_of(parsed: argparse.Namespace) -> Recipe:
    """Return the recipe that the flags ask for; it is not checked yet."""
    return Recipe(**{declared.name: getattr(parsed, declared.name) for declared in fields(Recipe)})


def _options(declared: Field) -> dict[str, Any]:
    """Return what argparse needs to know of a field."""
    help_text = declared.metadata["help"].replace("%", "%%")
    kind = _KINDS[declared.name]
    if kind in (bool, bool | None):
        return {"action": argparse.BooleanOptionalAction, "help": help_text}
    if declared.name == "frozen_stages":
        return {"type": _depth, "metavar": "all|none|auto|K", "help": help_text}
    for number in (int, float):
        if kind in (number, number | None):
            return {"type": number, "metavar": "N" if number is int else "X", "help": help_text}
    choices = declared.metadata["one_of"] or None
    return {"choices": choices, "help": help_text} | ({} if choices else {"metavar": "NAME"})


def _depth(text: str) -> str | int:
    """Return a freeze depth: a word or a number."""
    return int(text) if text.lstrip("-").isdigit() else text
