"""Where measured tables stand: ``docs/benchmarks.md``, each between two marks of its own."""

import os
import platform
import time
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def lines(name: str) -> list[str]:
    """Return what stands between the marks of a benchmark."""
    begin, end = _marks(name)
    return FILE.read_text(encoding="utf-8").split(begin)[1].split(end)[0].strip("\n").split("\n")


def put(name: str, new: list[str]) -> None:
    """Put other lines between the marks of a benchmark."""
    begin, end = _marks(name)
    text = FILE.read_text(encoding="utf-8")
    before, after = text.split(begin)[0], text.split(end)[1]
    FILE.write_text(before + "\n".join([begin, *new, end]) + after, encoding="utf-8")


def circumstances() -> str:
    """Return when and on which computer this is: "2026-11-21, Intel(R) Xeon(R) (2 cores, Linux)"."""
    from tlcore.training import device

    return f"{time.strftime('%Y-%m-%d')}, {device.take().name} ({os.cpu_count()} cores, {platform.system()})"


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
