"""A spare worker waits for the next run with Keras imported: ``python -m tlcore.runs.spare``. No TensorFlow here.

    web process  --leash-->  this, a supervisor without a run  --leash-->  a worker without a run

Whoever is about to start trainings asks for one with ``warm_up`` and hands it a run with ``hand``. Then this process is
that run's supervisor in every way, and nothing but its worker knows that it was there before. It takes 0.6 GB and
there is at most one in an installation, for its first device; none is started while that is busy. It
ends with the process that asked for it, or after ten minutes in which nobody asked for it again. What it sees of the
environment is settled when it starts, the graphics card by ``CUDA_VISIBLE_DEVICES`` too, and where that has changed
since, or the code, it is let go. Until it has a run it touches no graphics card: see ``training/rehearsal.py``.
"""

import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import filelock

from tlcore import detached, lock, notice, workspace
from tlcore.runs import leash, slots, supervisor
from tlcore.runs.run import Run

State = tuple[dict[str, str], dict[Path, int]]
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(eq=False)
class _Spare:
    """A supervisor that waits, seen from the process that asked for it.

    Args:
        process: Listens for a run.
        held: Says that this installation has its spare.
        state: What must be the same when a run is handed over.
        wanted_at: When it was asked for last, by the monotonic clock.
    """

    process: subprocess.Popen[bytes]
    held: filelock.BaseFileLock
    state: State
    wanted_at: float = field(default_factory=time.monotonic)


_waiting: _Spare | None = None
_guard = threading.Lock()


def warm_up() -> None:
    """See to it that a spare worker waits or is on its way, where that is wished; return at once.

    Raises:
        UserError: The setting THAW_SPARE is no number.
    """
    global _waiting
    if not workspace.spare_s():
        return
    with _guard:
        if _waiting is not None:
            _waiting.wanted_at = time.monotonic()
            return
        try:
            _waiting = None if lock.is_held(slots.lock_file(0)) else _start()
        except OSError as error:  # a full disk or memory; trainings start all the same, only later
            notice.say(f"No spare worker waits for the next training: {error}")


def hand(run: Run) -> bool:
    """Hand a run to the spare worker; return False where none fits, and then the run has to be started otherwise."""
    global _waiting
    with _guard:
        if _waiting is None:
            return False
        spare, _waiting = _waiting, None
        try:
            return spare.state == _state() and leash.hand(spare.process, run)
        except OSError:  # files of the code come and go as we look: it is being replaced
            return False
        finally:
            leash.let_go(spare.process)
            spare.held.release()


def _start() -> _Spare | None:
    """Start a spare, or return None where another process has one for this installation."""
    held = filelock.FileLock(workspace.home() / "spare.lock", thread_local=False)
    try:
        held.acquire(timeout=0)
    except filelock.Timeout:
        return None
    process = detached.start("tlcore.runs.spare", None, log_file(), listens=True)
    started = _Spare(process, held, _state())
    threading.Thread(target=_watch, args=(started,), daemon=True).start()
    return started


def log_file() -> Path:
    """Return where a spare prints as long as it has no run."""
    return workspace.home() / "spare.log"


def _state() -> State:
    """Return what a spare must not outlive: the environment, and when each file of the code was changed."""
    return dict(os.environ), {file: file.stat().st_mtime_ns for file in _PACKAGE.rglob("*.py")}


def _watch(spare: _Spare) -> None:
    """Let a spare go once nobody has asked for it for long enough, or once it has ended by itself."""
    global _waiting
    idle_s = workspace.spare_s()
    while (left_s := spare.wanted_at + idle_s - time.monotonic()) > 0:
        try:
            spare.process.wait(left_s)
            break
        except subprocess.TimeoutExpired:
            continue
    with _guard:
        if _waiting is not spare:  # it has a run
            return
        _waiting = None
        spare.process.kill()  # its worker ends with it
        spare.process.wait()
        spare.held.release()


def main() -> None:
    """Wait for a run with a worker that waits, then watch over it."""
    handed = leash.listen(once=True)
    worker = leash.start_spare(log_file(), slots.environment(0))
    run = handed.get()
    leash.print_to(run.worker_log)
    idle_until = time.monotonic() + workspace.spare_s()
    is_handed = False

    def start(of: Run) -> subprocess.Popen[bytes]:
        """Hand the run to the worker that waits; start another where it has ended."""
        nonlocal is_handed
        is_handed = leash.hand(worker, of)
        return worker if is_handed else leash.start(of, environment=slots.environment(0))

    def tick() -> None:
        """Let the worker go where the device stays busy for long."""
        if not is_handed and time.monotonic() > idle_until:
            leash.let_go(worker)

    supervisor.supervise(run, tick=tick, start=start)


if __name__ == "__main__":
    main()
