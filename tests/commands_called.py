"""The command line in a process of its own, as its users call it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def call(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Run ``python -m tlcore`` with some arguments to its end."""
    command = [sys.executable, "-m", "tlcore", *map(str, arguments)]
    # Libraries that a test has imported (JAX for one) leave their own wish about TensorFlow's chatter here.
    inherited = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT,
                          env=inherited | environment)  # fmt: skip
