"""A short version of the benchmark in which processes are killed at random moments; the long one does it 200 times."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 600


@pytest.mark.skipif(os.name == "nt" or not shutil.which("pgrep"), reason="processes are looked for with pgrep")
def test_whatever_is_killed_at_whatever_moment_nothing_is_lost_unreadable_or_stuck():
    command = [sys.executable, "-m", "benchmarks.kills", "--kills", "3", "--seed", "1", "--keep-document"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = process.communicate(timeout=LIMIT_S)[0]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # it ends what it has started
        said = process.communicate()[0]
    assert process.returncode == 0, said
    assert "lost: 0; unreadable: 0; stuck: 0" in said
