"""What a command found, for people and for machines. No TensorFlow here."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars


@dataclass(frozen=True)
class Outcome:
    """The result of a command.

    Args:
        text: For people, printed on standard output.
        value: For machines, printed as JSON instead when asked for.
        exit_code: 0 when everything worked.
    """

    text: str
    value: Any
    exit_code: int = 0


@contextmanager
def bars() -> Iterator[Bars]:
    """Show progress bars on standard error while the block runs; nothing when it is not a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bars(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as shown:
        yield shown


@contextmanager
def tasks() -> Iterator[Callable[..., Callable[[int, int], None]]]:
    """Give a function (task, unit) that begins a progress bar and returns what moves it, a function (done, total)."""
    with bars() as shown:

        def about(task: str, unit: str = "") -> Callable[[int, int], None]:
            bar = shown.add_task(f"{task} ({unit})" if unit else task, total=None)
            return lambda done, total: shown.update(bar, completed=done, total=total)

        yield about


@contextmanager
def progress(task: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function (done, total) that moves one progress bar."""
    with tasks() as about:
        yield about(task)
