"""The small process that watches a run's worker: ``python -m tlcore.runs.supervisor RUN_DIR``. No TensorFlow here.

It holds the run's lock, waits for the device, starts the worker, and obeys the wish to stop within two seconds
whatever the worker is busy with: first the worker is asked (it looks for the wish after every step), then killed.
Then a second, short worker makes the results from the best checkpoint, without the device's lock.
Neither a browser nor the web server is needed for any of this.
"""

import argparse
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import filelock

from tlcore import workspace
from tlcore.errors import TrainingError
from tlcore.runs import events, interruption, leash, position
from tlcore.runs.events import Event, EventLog
from tlcore.runs.run import Run

LOOK_EVERY_S = 0.1
# A worker between two steps ends within this time; one inside a long step (VGG16 on a CPU: 17 s) is killed.
# With the page's own second between two looks, everybody knows within two.
GRACE_S = 0.7

Tick = Callable[[], None]
Start = Callable[[Run], subprocess.Popen[bytes]]


def supervise(run: Run, *, wait_for_device: bool = True, tick: Tick = lambda: None, start: Start = leash.start) -> None:
    """Work on a run until it has ended, in whatever way; the run's events tell which.

    Args:
        run: A run that was just created.
        wait_for_device: Wait while another run has the device. The command line does not.
        tick: Called about ten times a second meanwhile.
        start: Called once the device is there; gives the worker.
    """
    with filelock.FileLock(run.lock_file, timeout=10):
        device = filelock.FileLock(device_lock_file())
        if wait_for_device and not _take_device(run, device, tick):
            run.events.write(events.Stopped(None))
            return
        try:
            exit_code = _watch(run, start(run), tick, may_stop=True)
        finally:
            device.release()
        _conclude(run, exit_code, tick)


def device_lock_file() -> Path:
    """Return the lock that stands for this computer's device."""
    workspace.home().mkdir(parents=True, exist_ok=True)
    return workspace.home() / "device.lock"


def _take_device(run: Run, device: filelock.BaseFileLock, tick: Tick) -> bool:
    """Wait until no other run has the device; return False if this run was stopped meanwhile."""
    is_told = False
    while not run.stop_file.exists():
        try:
            device.acquire(timeout=LOOK_EVERY_S)  # not 0: who only looks whether it is held holds it for a moment
            return True
        except filelock.Timeout:
            if not is_told:
                run.events.write(events.Note("Another training is using this computer. Yours begins when it ends."))
                is_told = True
        tick()
    return False


def _watch(run: Run, process: subprocess.Popen[bytes], tick: Tick, *, may_stop: bool) -> int:
    """Wait for a worker; end it when someone asks to stop while it trains. Return its exit code."""
    asked_at: float | None = None
    while (exit_code := process.poll()) is None:
        if may_stop and asked_at is None and run.stop_file.exists():
            asked_at = time.monotonic()
        if asked_at is not None and time.monotonic() - asked_at > GRACE_S and not _is_trained(run.events):
            process.kill()
            asked_at = None
            may_stop = False
        tick()
        time.sleep(LOOK_EVERY_S)
    return exit_code


def _is_trained(log: EventLog) -> bool:
    """Return whether training is over, so that a wish to stop comes too late and the results are on their way."""
    return events.last(log.all(), events.Trained) is not None


def _conclude(run: Run, exit_code: int, tick: Tick) -> None:
    """Write how the run ended if the worker could not, and make the results that the worker has left.

    It leaves them where training broke off with something kept, and where it trained with another backend than
    TensorFlow, which alone makes them.
    """
    history = run.events.all()
    if events.last(history, events.Finished) or events.last(history, events.Failed):
        return
    is_trained = exit_code == 0 and events.last(history, events.Trained) is not None
    if not is_trained and not events.last(history, events.Interrupted):
        is_stopped = run.stop_file.exists() and not events.last(history, events.Trained)
        kept_epoch = position.epoch_of(run.best_checkpoint)
        run.events.write(
            events.Stopped(kept_epoch) if is_stopped else interruption.event_of(run, _sudden_end(exit_code))
        )
    ended = run.events.all()
    if not is_trained and (_last_kept(ended) is None or events.last(ended, events.Failed)):
        return
    # On the processor: the device is free for the next run from now on. And with TensorFlow, whatever has trained.
    own = {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    results = leash.start(run, "--results-only", environment=own)
    exit_code = _watch(run, results, tick, may_stop=False)
    if exit_code != 0 and not events.last(run.events.all(), events.Failed):
        run.events.write(interruption.event_of(run, _sudden_end(exit_code)))


def _last_kept(history: list[Event]) -> int | None:
    """Return the epoch that was kept when training broke off, or None."""
    ends = [event for event in history if isinstance(event, events.Stopped | events.Interrupted)]
    return ends[-1].kept_epoch if ends else None


def _sudden_end(exit_code: int) -> TrainingError:
    """Return the reason to give for a worker that was gone without a word."""
    detail = f"The training process ended with exit code {exit_code}; worker.log may say more."
    if exit_code in (-9, 137):
        return TrainingError(
            "Training ended suddenly. Most often this means that the computer ran out of memory.",
            "Close other programs, or choose a smaller batch size or picture size, and start again.",
            detail,
        )
    return TrainingError("Training ended suddenly.", "Start again, or open the technical details.", detail)


def main() -> None:
    """Watch over one run."""
    parser = argparse.ArgumentParser(description="Watch over a run folder.")
    parser.add_argument("run", type=Path)
    supervise(Run(parser.parse_args().run.resolve()))


if __name__ == "__main__":
    main()
