"""Files that are whole or not there: written beside their place, then renamed into it. No TensorFlow here."""

import contextlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, and rename it to ``path`` when the block ends well; remove it when it does not.

    The temporary file lies beside ``path`` (same disk, so the rename is atomic) and keeps its suffix,
    because Keras and NumPy choose the format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file at once."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write a value as readable JSON (UTF-8, not escaped, so that class names stay legible)."""
    write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))


def read_json(path: Path) -> Any:
    """Read a value that ``write_json`` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))
