"""Variables of a model by place and name, and the epoch they belong to: saved, assigned back.

Rebuilding the model from its recipe and assigning its variables gives the very same answers (difference 0.0), which
saving and loading a whole compiled model does not (8e-8: the order of the optimizer's variables changes).
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from tlcore import atomic
from tlcore.errors import TrainingError
from tlcore.runs.position import EPOCH_KEY, LOSS_KEY


def save(model: keras.Model, epoch: int, file: Path, loss: float = math.inf) -> None:
    """Write all variables of a model. Written beside and renamed: a killed writer leaves the previous file whole."""
    with atomic.replacing(file) as beside:
        told = {EPOCH_KEY: np.asarray(epoch), LOSS_KEY: np.asarray(loss)}
        np.savez(beside, **told, **arrays(model.variables))


def arrays(variables: Sequence[keras.Variable], group: str = "") -> dict[str, np.ndarray]:
    """Return the values of variables by the names that they have in a file; ``group`` stands before each."""
    return {
        group + _key(number, variable): keras.ops.convert_to_numpy(variable)
        for number, variable in enumerate(variables)
    }


def put(saved: Mapping[str, np.ndarray], variables: Sequence[keras.Variable], group: str = "") -> bool:
    """Give variables what ``arrays`` returned; return False and change nothing where these are others."""
    expected = {group + _key(number, variable): variable for number, variable in enumerate(variables)}
    if {name for name in saved if name.startswith(group)} != set(expected):
        return False
    for name, variable in expected.items():
        variable.assign(saved[name])
    return True


def put_or_refuse(
    saved: Mapping[str, np.ndarray], variables: Sequence[keras.Variable], file: Path, group: str = ""
) -> None:
    """Do what ``put`` does.

    Raises:
        TrainingError: The file belongs to another network.
    """
    if not put(saved, variables, group):
        raise TrainingError(
            "The saved weights of this run belong to another network.",
            "Start a new run with the same settings.",
            detail=f"{file}: {len(saved)} arrays for {len(variables)} variables",
        )


def assign(model: keras.Model, file: Path) -> int:
    """Give a model the variables of a file and return their epoch.

    Raises:
        TrainingError: The file belongs to another network.
    """
    with np.load(file) as saved:
        found = {name: saved[name] for name in saved.files if name not in (EPOCH_KEY, LOSS_KEY)}
        put_or_refuse(found, model.variables, file)
        _settle_constants(model)
        return int(saved[EPOCH_KEY])


def _settle_constants(model: keras.Model) -> None:
    """Let Normalization layers take over what was assigned: they compute with constants made from their variables."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _key(number: int, variable: keras.Variable) -> str:
    """Return a variable's name in the file: its place, its own name and its shape.

    Not its path: that holds numbers which depend on what was built before in the same process.
    """
    return f"{number:05d} {variable.name} {tuple(variable.shape)}"
