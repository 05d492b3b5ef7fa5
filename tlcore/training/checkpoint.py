"""Variables of a model by place and name, and the epoch they belong to: saved, assigned back.

Rebuilding the model from its recipe and assigning its variables gives the very same answers (difference 0.0), which
saving and loading a whole compiled model does not (8e-8: the order of the optimizer's variables changes).
"""

from pathlib import Path

import keras
import numpy as np

from tlcore import atomic
from tlcore.errors import TrainingError
from tlcore.runs.position import EPOCH_KEY


def save(model: keras.Model, epoch: int, file: Path) -> None:
    """Write all variables of a model. Written beside and renamed: a killed writer leaves the previous file whole."""
    arrays = {
        _key(number, variable): keras.ops.convert_to_numpy(variable) for number, variable in enumerate(model.variables)
    }
    with atomic.replacing(file) as beside:
        np.savez(beside, **{EPOCH_KEY: np.asarray(epoch)}, **arrays)


def assign(model: keras.Model, file: Path) -> int:
    """Give a model the variables of a file and return their epoch.

    Raises:
        TrainingError: The file belongs to another network.
    """
    with np.load(file) as saved:
        expected = {_key(number, variable): variable for number, variable in enumerate(model.variables)}
        if set(saved.files) != set(expected) | {EPOCH_KEY}:
            raise TrainingError(
                "The saved weights of this run belong to another network.",
                "Start a new run with the same settings.",
                detail=f"{file}: {sorted(set(saved.files) ^ set(expected))[:5]}",
            )
        for key, variable in expected.items():
            variable.assign(saved[key])
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
