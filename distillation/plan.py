"""What a distillation does, from the first step to the last: all settings in one frozen value.

The work goes in rounds. Before each round some fresh views join the bank and the oldest leave it; in the round the
student sees every view of the bank once, at the round's picture size. Small pictures first: a step at 64 px costs a
fourth of one at 128 px, and most of what a network learns about pictures it can learn from small ones (progressive
resizing, as in Tan and Le 2021, https://arxiv.org/abs/2104.00298).
"""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

from tlcore import atomic

FILE = "plan.json"
ENGINES = ("keras", "openvino")
"""What can run the teacher."""

VIEW_SIDE = 128
"""Side of a view in pixels, as the teacher sees it; the student sees it at this size or smaller."""


@dataclass(frozen=True)
class Plan:
    """All settings of a distillation.

    Attributes:
        sizes: Picture size of every round in pixels, 32 to 128; as many entries as there are rounds.
        seed: Makes views, order and first weights repeatable.
        shard_views: Views that join the bank before a round; a multiple of the batch size.
        bank_shards: How many such shards the bank holds, and so how often a view is seen.
        batch_size: Views per step.
        learning_rate: Of AdamW, between warm-up and decay.
        warmup_steps: Steps in which the learning rate rises from nothing.
        decay_from: Share of all steps after which the learning rate falls to nothing along a cosine, 0 to 1.
        weight_decay: Of AdamW (decoupled), on kernels only.
        averaging: Share that an average of the weights keeps in each update; see ``averaging.py``.
        averaging_every: Steps between two updates of the average.
        drawn_share: Share of the views that show drawn pictures, 0 to 1.
        mixed_share: Share of the views that are mixed from two pictures, 0 to 1.
        temperature: By which the teacher's class scores are divided before the softmax (Hinton et al. 2015,
            https://arxiv.org/abs/1503.02531); 2 from a trial of ours.
        middle_weight: Weight of the loss on the tensor in the middle of the network; the others count 1.
    """

    sizes: tuple[int, ...]
    seed: int = 0
    shard_views: int = 12_288
    bank_shards: int = 6
    batch_size: int = 128
    learning_rate: float = 2.5e-3
    warmup_steps: int = 400
    decay_from: float = 0.4
    weight_decay: float = 0.02
    averaging: float = 0.99
    averaging_every: int = 8
    drawn_share: float = 0.06
    mixed_share: float = 0.25
    temperature: float = 2.0
    middle_weight: float = 0.5

    def __post_init__(self) -> None:
        if not self.sizes or not all(32 <= size <= VIEW_SIDE for size in self.sizes):
            raise ValueError(f"sizes must be one or more numbers from 32 to {VIEW_SIDE}. Received: {self.sizes}")
        if self.shard_views % self.batch_size:
            raise ValueError(
                f"shard_views must be a multiple of batch_size ({self.batch_size}). Received: {self.shard_views}"
            )

    @property
    def steps_per_round(self) -> int:
        """Steps in which every view of the bank is seen once."""
        return self.shard_views * self.bank_shards // self.batch_size

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.steps_per_round * len(self.sizes)

    def shards_of(self, round_number: int) -> range:
        """Return the numbers of the shards that are in the bank during a round; rounds count from 0."""
        return range(round_number, round_number + self.bank_shards)

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step; steps count from 0."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        decay = (step / self.steps - self.decay_from) / (1 - self.decay_from)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, decay))))


def rounds(text: str) -> tuple[int, ...]:
    """Read picture sizes with their rounds: ``64x12,96x6,128x2`` is twelve rounds at 64 px, and so on.

    Raises:
        ValueError: The text is something else.
    """
    sizes: list[int] = []
    for part in text.split(","):
        size, cross, count = part.strip().partition("x")
        if not (size.isdigit() and (count.isdigit() if cross else not count)):
            raise ValueError(f"rounds are written as SIZExCOUNT,SIZExCOUNT, such as 64x12,128x2. Received: {text}")
        sizes += [int(size)] * int(count or 1)
    return tuple(sizes)


def of_folder(folder: Path, plan: Plan | None) -> Plan:
    """Return the plan to follow in a folder: the one that it was begun with, or a new one.

    Raises:
        ValueError: The folder was begun with another plan, or there is none at all.
    """
    file = folder / FILE
    if not file.is_file():
        if plan is None:
            raise ValueError(f"A new distillation needs its rounds (--rounds 64x12,128x2). Received: {folder}, empty")
        return plan
    before = from_dict(atomic.read_json(file))
    if plan is not None and plan != before:
        raise ValueError(f"{folder} was begun with other settings; give none to go on. Received: {plan}")
    return before


def as_dict(plan: Plan) -> dict[str, object]:
    """Return the plan as values that JSON can hold."""
    return {**dataclasses.asdict(plan), "sizes": list(plan.sizes)}


def from_dict(values: dict[str, object]) -> Plan:
    """Return the plan that ``as_dict`` was given."""
    return Plan(**{**values, "sizes": tuple(values["sizes"])})  # type: ignore[arg-type]
