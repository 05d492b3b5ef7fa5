"""What a supervisor and its worker tell each other: that the supervisor lives, and which run is to be worked on.

The worker's standard input is the leash. When it closes, the supervisor is gone, and the worker ends at once, so that
no orphan holds the device. A worker that was started without a run is handed one through it. No TensorFlow here.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from tlcore.runs.run import Run

LET_GO = 1  # exit code of whoever ends because its leash was let go

Handed = queue.SimpleQueue[Run]


def start(run: Run, *options: str, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a worker on a run; it prints into the run's log."""
    return _start([str(run.folder), *options], run.worker_log, environment or {})


def start_spare(log_file: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a worker that gets ready and waits for a run; until then it prints into this file, emptied before."""
    log_file.write_bytes(b"")
    return _start([], log_file, environment)


def _start(arguments: list[str], log_file: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    with log_file.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tlcore.runs.worker", *arguments],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=quiet | os.environ | environment | {"PYTHONPATH": _python_path()},
        )


def _python_path() -> str:
    """Return a PYTHONPATH in which this very package comes first, whatever folder we were called from."""
    here = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([here, inherited]) if inherited else here


def hand(process: subprocess.Popen[bytes], run: Run) -> bool:
    """Hand a run to a process that listens; return False if it is not there any more."""
    if process.poll() is not None or process.stdin is None or process.stdin.closed:
        return False
    try:
        process.stdin.write(json.dumps(str(run.folder)).encode() + b"\n")
    except OSError:  # it ended a moment ago: a broken pipe, which Windows calls an invalid argument
        return False
    return True


def let_go(process: subprocess.Popen[bytes]) -> None:
    """Close our end; a process that still listens ends."""
    if process.stdin is not None:
        process.stdin.close()


def listen(*, once: bool = False) -> Handed:
    """Listen in a thread: return the queue of runs that are handed over, and end this process when the leash closes.

    Args:
        once: Listen no more after the first run: from then on nobody else's end ends this process.
    """
    handed: Handed = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(handed, once), daemon=True).start()
    return handed


def _hear(handed: Handed, once: bool) -> None:
    line = b""
    while byte := os.read(0, 1):  # not sys.stdin: its lock would be in the way when Python ends
        line += byte
        if byte == b"\n":
            handed.put(Run(Path(json.loads(line))))
            if once:
                return
            line = b""
    os._exit(LET_GO)


def print_to(log_file: Path) -> None:
    """From now on, whatever this process and its native code print goes behind what is in this file."""
    sys.stdout.flush()
    sys.stderr.flush()
    with log_file.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
