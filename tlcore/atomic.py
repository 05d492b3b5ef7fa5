"""Files that are whole or not there: written beside their place, then renamed into it. No TensorFlow here."""

import contextlib
import glob
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_TRIES, _PAUSE_S = 20, 0.05  # who reads a small file is done within a second


def patiently(change: Callable[[], object]) -> None:
    """Replace or remove a file; on Windows wait for a moment where somebody is just reading it."""
    for _ in range(_TRIES - 1):
        try:
            change()
            return
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(_PAUSE_S)
    change()


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give a path to write to, and rename it to ``path`` when the block ends well; remove it when it does not.

    ``durable`` waits until the disk has the content before it is renamed, so that it outlives a loss of power.

    The temporary file lies beside ``path`` (same disk, so the rename is atomic) and keeps its suffix,
    because Keras and NumPy choose the format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield beside
        if durable:
            sync(beside)
        patiently(lambda: beside.replace(path))
    finally:
        beside.unlink(missing_ok=True)


def sweep(path: Path) -> None:
    """Remove what killed writers of a file have left half written beside it; nobody must be writing it now."""
    for left in path.parent.glob(f".{glob.escape(path.stem)}.*{path.suffix}"):
        left.unlink(missing_ok=True)


def sync(file: Path) -> None:
    """Wait until the disk has what was written into a file; nothing where there is none."""
    with contextlib.suppress(FileNotFoundError), file.open("rb+") as written:
        os.fsync(written.fileno())


def write_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a whole file at once."""
    with replacing(path, durable=durable) as beside:
        beside.write_bytes(content)


def write_json(path: Path, value: Any, *, durable: bool = False) -> None:
    """Write a value as readable JSON (UTF-8, not escaped, so that class names stay legible)."""
    write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8"), durable=durable)


def read_json(path: Path) -> Any:
    """Read a value that ``write_json`` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))
