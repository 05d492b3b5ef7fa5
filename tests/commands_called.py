"""The command line in a process of its own, as its users call it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def call(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Run ``python -m tlcore`` with some arguments to its end."""
    command = [sys.executable, "-m", "tlcore", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT,
                          env=os.environ | environment)  # fmt: skip
