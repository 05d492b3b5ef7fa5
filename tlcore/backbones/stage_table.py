"""The stages of every backbone and the places where it can be cut, read from ``stages.json``. No TensorFlow here.

Both ends of that file live here: ``write`` is called by ``generate.py``, which measures the real networks; the page,
the recipe and the command line read. All sizes hold for pictures of the backbone's default size.
"""

import functools
import json
from dataclasses import astuple, dataclass
from pathlib import Path

from tlcore import atomic
from tlcore.backbones import table

STAGES_FILE = Path(__file__).with_name("stages.json")


@dataclass(frozen=True)
class Cut:
    """A place where a network can be cut in two because exactly one tensor crosses.

    Attributes:
        index: Position in ``model.layers`` of the last layer of the part towards the picture.
        layer: Name of that layer where its output is what crosses; empty where Keras numbers the layer
            automatically, because such a name changes with what was built before.
        shape: (H, W, C) of the tensor that crosses.
        parameters_before: Number of weights in the part towards the picture.
        multiply_adds_before: Multiply-adds per picture in that part.
    """

    index: int
    layer: str
    shape: tuple[int, int, int]
    parameters_before: int
    multiply_adds_before: int


@dataclass(frozen=True)
class Stage:
    """A run of layers of a backbone that is frozen or thawed as a whole.

    Attributes:
        number: 1 at the picture, rising towards the new final layers.
        starts_at: Name of the layer that starts the stage; empty where no layer of the first stage has a fixed name.
        first_index: Position of its first layer in ``model.layers``.
        layers: Number of layers.
        parameters: Number of weights.
        learnable: Those of them that learn when the stage is open: BatchNormalization stays still in Thaw, and
            statistics are never learned.
        multiply_adds: Multiply-adds per picture.
        shape: (H, W, C) of what the stage hands on.
    """

    number: int
    starts_at: str
    first_index: int
    layers: int
    parameters: int
    learnable: int
    multiply_adds: int
    shape: tuple[int, int, int]

    @property
    def title(self) -> str:
        """Name of the stage for people."""
        return f"Stage {self.number}"


@dataclass(frozen=True)
class Anatomy:
    """One backbone taken apart: its stages and every place where it can be cut, both from the picture on."""

    stages: tuple[Stage, ...]
    cuts: tuple[Cut, ...]

    @property
    def parameters(self) -> int:
        """Number of weights of the backbone without its top."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds per picture of the default size."""
        return sum(stage.multiply_adds for stage in self.stages)


def anatomy(name: str) -> Anatomy:
    """Return the stages and cuts of a backbone.

    Raises:
        RecipeError: There is no such backbone.
    """
    return _read()[table.get(name).name]


def stages(name: str) -> tuple[Stage, ...]:
    """Return the stages of a backbone, the one at the picture first.

    Raises:
        RecipeError: There is no such backbone.
    """
    return anatomy(name).stages


def cuts(name: str) -> tuple[Cut, ...]:
    """Return every place where a backbone can be cut, the one nearest to the picture first.

    Raises:
        RecipeError: There is no such backbone.
    """
    return anatomy(name).cuts


def learning_share(name: str, frozen_stages: int) -> float:
    """Return the share of the backbone's weights that learn, 0 to 1.

    Below 1 even when nothing is frozen, because BatchNormalization stays still.

    Args:
        name: Name of the backbone.
        frozen_stages: Number of stages kept frozen, counted from the picture, 0 to the number of stages.

    Raises:
        RecipeError: There is no such backbone.
    """
    rows = stages(name)
    if not 0 <= frozen_stages <= len(rows):
        raise ValueError(f"frozen_stages of {name} must be 0 to {len(rows)}. Received: {frozen_stages}")
    return sum(stage.learnable for stage in rows[frozen_stages:]) / sum(stage.parameters for stage in rows)


def to_text(anatomies: dict[str, Anatomy]) -> str:
    """Return the content of ``stages.json``: one line per backbone, fields in the order of the dataclasses."""
    lines = []
    for name, parts in anatomies.items():
        value = {"stages": [astuple(stage) for stage in parts.stages], "cuts": [astuple(cut) for cut in parts.cuts]}
        lines.append(f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write(anatomies: dict[str, Anatomy], path: Path = STAGES_FILE) -> None:
    """Write the table for all backbones at once."""
    atomic.write_bytes(path, to_text(anatomies).encode("utf-8"))


def read(path: Path = STAGES_FILE) -> dict[str, Anatomy]:
    """Read what ``write`` wrote, by name of the backbone."""
    return {
        name: Anatomy(
            stages=tuple(Stage(*row[:-1], shape=tuple(row[-1])) for row in value["stages"]),
            cuts=tuple(Cut(index, layer, tuple(shape), *rest) for index, layer, shape, *rest in value["cuts"]),
        )
        for name, value in json.loads(path.read_text(encoding="utf-8")).items()
    }


@functools.cache
def _read() -> dict[str, Anatomy]:
    return read()
