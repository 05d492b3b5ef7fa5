"""The processes of a run, seen from outside."""

import subprocess
import time

from tlcore.runs import events


def wait_for(run, kind, seconds=60, count=1):
    """Return the newest event of a kind once there are enough of them."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = events.of_type(run.events.all(), kind)
        if len(found) >= count:
            return found[-1]
        time.sleep(0.05)
    log = run.worker_log.read_text()[-2000:] if run.worker_log.is_file() else "none"
    raise AssertionError(f"no {kind.__name__} within {seconds} s; log: {log}")


def called(*words: str, parent: int | None = None) -> list[int]:
    """Return the numbers of the processes whose command line has these words, in their order."""
    of_parent = ["-P", str(parent)] if parent else []
    found = subprocess.run(["pgrep", *of_parent, "-f", " ".join(words)], capture_output=True, text=True)
    return [int(number) for number in found.stdout.split()]


def worker_of(run) -> int:
    """Return the number of the worker that was started for a run."""
    return called("tlcore.runs.worker", str(run.folder))[0]


def is_there(process: int) -> bool:
    """Return whether a process lives; one that has ended and was not collected yet does not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True)
    return found.stdout.strip()[:1] not in ("", "Z")


def until(happens, seconds=20) -> bool:
    """Wait until something is so; return whether it came."""
    deadline = time.monotonic() + seconds
    while not (so := happens()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(so)
