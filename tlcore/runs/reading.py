"""One plain sentence about what the curves show, with its reason in numbers. No TensorFlow here.

The rules look at finished epochs only: single batches are noise. Thresholds are set so that the sentence a teacher
would say while pointing at the plot comes out; none of them changes the training.
"""

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from tlcore.images.dataset import Dataset
from tlcore.images.split import Split
from tlcore.runs import events
from tlcore.runs.events import EpochEnd, Event

Kind = Literal["none", "learning", "improving", "settled", "overfitting", "unstable", "not_learning"]

NOT_LEARNING_AFTER = 3  # epochs; a head on frozen stages is above chance after the first
ABOVE_CHANCE = 0.05
OVERFITTING_AFTER = 2  # epochs since the best one
OVERFITTING_RISE = 0.08  # of the best check loss
JUMP = 1.5  # times the check loss of the epoch before
LOOK_BACK = 6  # epochs in which jumps are counted
SETTLED_AFTER = 3  # epochs without a better check loss


@dataclass(frozen=True)
class Reading:
    """What the curves show: a kind, for its colour, and the sentence."""

    kind: Kind
    sentence: str


def read(history: list[Event], majority: float = 0.0) -> Reading:
    """Say what the curves of a run show.

    Args:
        history: Events of the run, oldest first.
        majority: Share of the largest class, 0 to 1: what naming it every time would reach.
    """
    seen: dict[int, EpochEnd] = {event.epoch: event for event in events.of_type(history, events.EpochEnd)}
    rows = [seen[number] for number in sorted(seen)]
    if not rows:
        return Reading("none", "No epoch (round) is over yet: the first point on the check curve comes with its end.")
    for look in (_unstable, _not_learning, _overfitting, _improving, _settled):
        reading = look(rows, majority)
        if reading and reading.kind == "overfitting":
            return Reading(reading.kind, f"{reading.sentence}; {_kept(history, rows)} is kept.")
        if reading:
            return reading
    last = rows[-1]
    if last.val_accuracy <= majority:
        return Reading(
            "none",
            f"No better than guessing so far: after epoch {last.epoch}, {last.val_accuracy:.0%} of the check pictures "
            f"are named correctly, and always naming the largest class would reach {majority:.0%}.",
        )
    return Reading(
        "learning",
        f"Learning: after epoch {last.epoch} the model names {last.val_accuracy:.0%} of the check pictures correctly.",
    )


def _best(rows: list[EpochEnd]) -> EpochEnd:
    """Return the epoch with the lowest check loss."""
    return min(rows, key=lambda row: row.val_loss)


def _kept(history: list[Event], rows: list[EpochEnd]) -> str:
    """Name what is kept so far: the best epoch, unless the first answer is better."""
    first, best = events.last(history, events.FirstAnswer), _best(rows)
    return "the first answer" if first and first.val_loss <= best.val_loss else f"epoch {best.epoch}"


def _unstable(rows: list[EpochEnd], majority: float) -> Reading | None:
    for row in rows:
        if not (math.isfinite(row.loss) and math.isfinite(row.val_loss)):
            return Reading(
                "unstable",
                f"Unstable: in epoch {row.epoch} the loss stopped being a number. A tenth of the learning rate helps.",
            )
    recent = rows[-LOOK_BACK:]
    jumps = [
        (before, after)
        for before, after in itertools.pairwise(recent)
        if after.val_loss > JUMP * before.val_loss and after.loss > 0.7 * before.loss and after.val_loss > 0.1
    ]
    if len(jumps) < 2:
        return None
    before, after = jumps[-1]
    return Reading(
        "unstable",
        f"Unstable: the loss on the check pictures jumped {len(jumps)} times, last in epoch {after.epoch} from "
        f"{before.val_loss:.2f} to {after.val_loss:.2f}. A lower learning rate calms it.",
    )


def _not_learning(rows: list[EpochEnd], majority: float) -> Reading | None:
    best = max(max(row.accuracy, row.val_accuracy) for row in rows)
    if majority <= 0 or len(rows) < NOT_LEARNING_AFTER or best > majority + ABOVE_CHANCE:
        return None
    return Reading(
        "not_learning",
        f"Not learning: after {len(rows)} epochs at most {best:.0%} are named correctly, and always naming the "
        f"largest class would reach {majority:.0%}. Try another learning rate, or look at the pictures again.",
    )


def _overfitting(rows: list[EpochEnd], majority: float) -> Reading | None:
    best, last = _best(rows), rows[-1]
    has_risen = last.val_loss > best.val_loss * (1 + OVERFITTING_RISE) + 0.01
    if last.epoch - best.epoch < OVERFITTING_AFTER or not has_risen or last.loss >= best.loss:
        return None
    return Reading(
        "overfitting",
        f"Overfitting since epoch {best.epoch}: the loss on training pictures still falls ({best.loss:.2f} to "
        f"{last.loss:.2f}), on check pictures it rises ({best.val_loss:.2f} to {last.val_loss:.2f}). The model learns "
        "the training pictures by heart",
    )


def _improving(rows: list[EpochEnd], majority: float) -> Reading | None:
    best, last = _best(rows), rows[-1]
    if len(rows) < 3 or last.epoch - best.epoch > 1:
        return None
    earlier = rows[max(0, len(rows) - 4)]
    if best.val_loss > earlier.val_loss * 0.98:
        return None
    return Reading(
        "improving",
        f"Still improving: since epoch {earlier.epoch} the loss on the check pictures fell from "
        f"{earlier.val_loss:.2f} to {best.val_loss:.2f}; {last.val_accuracy:.0%} of them are named correctly now.",
    )


def _settled(rows: list[EpochEnd], majority: float) -> Reading | None:
    best, last = _best(rows), rows[-1]
    if len(rows) < SETTLED_AFTER + 1 or (last.epoch - best.epoch < SETTLED_AFTER and _moves(rows)):
        return None
    return Reading(
        "settled",
        f"Settled: the loss on the check pictures has stayed near {best.val_loss:.2f} since epoch {best.epoch}; "
        f"{last.val_accuracy:.0%} of them are named correctly. More epochs will hardly help.",
    )


def _moves(rows: list[EpochEnd]) -> bool:
    """Tell whether the check loss of the last four epochs differs by more than two per cent."""
    losses = [row.val_loss for row in rows[-4:]]
    return max(losses) > 1.02 * min(losses)


def majority(dataset: Dataset, split: Split) -> float:
    """Return the share of the largest class among the check pictures, 0 to 1."""
    labels = Counter(dataset.pictures[row].label for row in split.validation)
    return max(labels.values()) / labels.total() if labels else 0.0


def device(started: events.Started) -> str:
    """Say where a run is trained."""
    if started.device == "GPU":
        return f"Trained on the graphics card: {started.device_name}."
    return f"Trained on the processor ({started.device_name}): TensorFlow sees no graphics card here."
