"""The typed event stream of a run: who writes an event and who reads it, in one file. No TensorFlow here.

One JSON object per line in ``events.jsonl``: ``{"type": "epoch_end", "time": 1795226400.1, "epoch": 3, ...}``.
A reader skips types it does not know, lines that a killed writer left half written, and a last line without its
newline. New fields get a default, so that old runs still open. Metric names are Keras' own log keys.
"""

import json
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar


@dataclass(frozen=True)
class Event:
    """What all events share: ``time``, seconds since 1970."""

    time: float = field(default_factory=time.time, kw_only=True)


@dataclass(frozen=True)
class Queued(Event):
    """The run was handed over to be worked on. ``person`` ordered it: see ``queue.name_of``."""

    person: str = ""


@dataclass(frozen=True)
class Started(Event):
    """A worker has the device. ``device`` is "GPU" or "CPU", ``device_name`` what its maker calls it."""

    device: str
    device_name: str
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Note(Event):
    """An automatic choice and its reason, or anything else worth a plain sentence."""

    message: str


@dataclass(frozen=True)
class Progress(Event):
    """How far a task has come that is not training. ``task`` is a short phrase such as "Reading pictures"."""

    task: str
    done: int
    total: int


@dataclass(frozen=True)
class PhaseStarted(Event):
    """A phase ("head" or "fine-tuning") begins at ``first_epoch`` (from 1) and ends at ``last_epoch`` at the latest."""

    phase: str
    first_epoch: int
    last_epoch: int
    steps_per_epoch: int
    learning_parameters: int
    total_parameters: int


@dataclass(frozen=True)
class FirstAnswer(Event):
    """Final layers fitted in closed form name the check pictures with this loss and accuracy, before any epoch."""

    val_loss: float
    val_accuracy: float


@dataclass(frozen=True)
class BatchEnd(Event):
    """Training has come to ``step`` of ``epoch`` (both from 1).

    ``loss`` and ``accuracy`` are means over the pictures since the previous event of this type in the same epoch.
    """

    epoch: int
    step: int
    loss: float
    accuracy: float
    pictures_per_s: float


@dataclass(frozen=True)
class EpochEnd(Event):
    """An epoch (from 1, counted over both phases) is over and the check pictures have been looked at."""

    epoch: int
    phase: str
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    duration_s: float
    is_best: bool


@dataclass(frozen=True)
class Trained(Event):
    """Training is over and its best weights are kept; the results are being made.

    ``kept_epoch`` is their epoch, here and in the events below; 0 stands for the first answer.
    """

    kept_epoch: int


@dataclass(frozen=True)
class NotPacked(Event):
    """Model and report are written, but the package for downloading could not be made, for this reason."""

    message: str


@dataclass(frozen=True)
class Stopped(Event):
    """The run was stopped by its user. ``kept_epoch`` is the best epoch so far, or None when nothing was kept."""

    kept_epoch: int | None


@dataclass(frozen=True)
class Paused(Event):
    """The run let go of the device and can go on. ``epoch`` is over at the place where, None before the first.

    ``is_exact`` says whether that is where it was, or a moment before: a worker that did not answer was killed.
    """

    epoch: int | None = None
    is_exact: bool = True


@dataclass(frozen=True)
class Resumed(Event):
    """The run was handed over once more, to go on where it was: how it ended before counts no longer."""


@dataclass(frozen=True)
class WentOn(Event):
    """Training goes on in ``epoch`` with ``step`` steps of it done: what was reported from there on is done again.

    Epoch 0 stands for the very beginning.
    """

    epoch: int
    step: int


@dataclass(frozen=True)
class Interrupted(Event):
    """Training broke off with an error, but the weights of ``kept_epoch`` were safe; results are made from them.

    ``kind`` is the name of the error in ``errors.py``.
    """

    kept_epoch: int
    problem: str
    advice: str
    detail: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Failed(Event):
    """The run ended with an error: problem, advice and technical detail as in ``UserError``, kind as above."""

    problem: str
    advice: str
    detail: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Finished(Event):
    """Model and report are written. ``kept_epoch`` is the epoch whose weights the model has."""

    test_accuracy: float
    n_test: int
    kept_epoch: int


EventT = TypeVar("EventT", bound=Event)


def _type_name(kind: type[Event]) -> str:
    """Return the name of an event type on the wire: EpochEnd -> epoch_end."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_OF_ONE_TRY = Started | NotPacked | Stopped | Paused | Interrupted | Failed | Finished

_KINDS: dict[str, type[Event]] = {_type_name(kind): kind for kind in Event.__subclasses__()}


class EventLog:
    """Append events to ``events.jsonl`` and read them back.

    Several processes may append one after the other, and one may have been killed in the middle of a line:
    every write starts on a line of its own and is one ``write`` call on a file opened for appending.
    """

    ENCODING: ClassVar[str] = "utf-8"

    def __init__(self, file: Path) -> None:
        self.file = file

    def write(self, event: Event) -> None:
        """Append one event."""
        line = json.dumps({"type": _type_name(type(event))} | asdict(event), ensure_ascii=False)
        with self.file.open("ab+") as stream:
            if stream.tell() > 0:
                stream.seek(-1, 2)
                line = line if stream.read(1) == b"\n" else "\n" + line
            stream.write((line + "\n").encode(self.ENCODING))

    def read(self, offset: int = 0, without: tuple[type[Event], ...] = ()) -> tuple[list[Event], int]:
        """Return the events from byte ``offset`` on, and the offset to go on from.

        Those of the types ``without`` are skipped before they are parsed: thousands of steps that nobody asks for.
        """
        if not self.file.exists():
            return [], 0
        with self.file.open("rb") as stream:
            stream.seek(offset)
            content = stream.read()
        whole = content[: content.rfind(b"\n") + 1]
        skipped = tuple(json.dumps({"type": _type_name(kind)})[:-1].encode() + b"," for kind in without)
        parsed = (_parse(line) for line in whole.split(b"\n") if not line.startswith(skipped))
        return [event for event in parsed if event is not None], offset + len(whole)

    def all(self) -> list[Event]:
        """Return all events so far that count, oldest first: see ``in_force``."""
        return in_force(self.read()[0])


def _parse(line: bytes) -> Event | None:
    """Return the event of a line, or None for a half-written line or a type that is not known here."""
    try:
        value: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("type") not in _KINDS:
        return None
    kind = _KINDS[value["type"]]
    known = {name.name for name in fields(kind)}
    try:
        return kind(**{key: item for key, item in value.items() if key in known})
    except TypeError:  # a field without a default is missing: written by something that is not Thaw
        return None


def in_force(history: list[Event]) -> list[Event]:
    """Return the events that count: not how a run ended before it was resumed, nor what is being done again since."""
    resumed = max((place for place, event in enumerate(history) if isinstance(event, Resumed)), default=0)
    counted: list[Event] = []
    for place, event in enumerate(history):
        if isinstance(event, WentOn):
            counted = [earlier for earlier in counted if not _is_done_again(earlier, event)]
        if place >= resumed or not isinstance(event, _OF_ONE_TRY):
            counted.append(event)
    return counted


def _is_done_again(event: Event, since: WentOn) -> bool:
    """Return whether an event tells of something after the place at which a training went on."""
    if isinstance(event, EpochEnd):
        return event.epoch >= since.epoch
    if isinstance(event, BatchEnd):
        return (event.epoch, event.step) > (since.epoch, since.step)
    if isinstance(event, PhaseStarted):
        return event.first_epoch > since.epoch
    return isinstance(event, Trained) or (isinstance(event, FirstAnswer) and since.epoch == 0)


def since_handed_over(history: list[Event]) -> list[Event]:
    """Return what happened since a run was handed over last, to be started or to go on."""
    handed = max((place for place, event in enumerate(history) if isinstance(event, Queued | Resumed)), default=0)
    return history[handed:]


def of_type(events: Iterable[Event], kind: type[EventT]) -> list[EventT]:
    """Return the events of one type, in their order."""
    return [event for event in events if isinstance(event, kind)]


def last(events: Iterable[Event], kind: type[EventT]) -> EventT | None:
    """Return the newest event of one type, or None."""
    found = of_type(events, kind)
    return found[-1] if found else None
