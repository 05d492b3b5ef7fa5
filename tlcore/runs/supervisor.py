"""The small process that watches a run's worker: ``python -m tlcore.runs.supervisor RUN_DIR``. No TensorFlow here.

It holds the run's lock, waits for the device, starts the worker, and obeys the wish to stop within two seconds
whatever the worker is busy with: first the worker is asked (it looks for the wish after every step), then killed.
Then a second, short worker makes the results from the best checkpoint, without the device's lock.
Neither a browser nor the web server is needed for any of this.
"""

import argparse
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from tlcore import disk, workspace
from tlcore.errors import TrainingError
from tlcore.runs import events, interruption, leash, memory, position, queue, slots
from tlcore.runs.events import Event
from tlcore.runs.run import Run

LOOK_EVERY_S, ROOM_EVERY_S = 0.1, 2.0
STOPPED, PAUSED = 3, 4  # exit codes of a worker that was asked for it and obeyed
KILLED = (-9, 137)  # of one that was ended by force, by the system or somebody else
# A worker between two steps ends within this time; one inside a long step (VGG16 on a CPU: 17 s) is killed.
# With the page's own second between two looks, everybody knows within two.
GRACE_S = 0.7
# Who pauses wants to go on where it was, so a long step or a look at the check pictures may end first.
PAUSE_GRACE_S = 20.0
PATIENCE_S, STOPPED_PATIENCE_S = 3600.0, 10.0
"""For how long a full disk is waited for that has no room for a run's last word; less long where someone wants the run
to end: whoever deletes it makes the room."""

Tick = Callable[[], None]
Start = Callable[[Run], subprocess.Popen[bytes]]


def supervise(
    run: Run,
    *,
    slot: int = 0,
    wait_for_device: bool = True,
    tick: Tick = lambda: None,
    start: Start | None = None,
) -> None:
    """Work on a run until it has ended, in whatever way; the run's events tell which.

    Args:
        run: A run that was just created or resumed; one that has come to its end meanwhile is left alone.
        slot: Of the device that it trains on.
        wait_for_device: Wait while another run has the device. The command line does not.
        tick: Called about ten times a second meanwhile.
        start: Called once the device is there; gives the worker.

    Raises:
        filelock.Timeout: Somebody else works on it.
    """
    if not run.recipe_file.is_file():  # deleted just now
        return
    with filelock.FileLock(run.lock_file, timeout=10):
        device = filelock.FileLock(slots.lock_file(slot))
        must_train = not (_is_over(run) or _is_trained(run) or run.stop_file.exists())
        has_device = must_train and wait_for_device and _take_device(run, device, tick)
        queue.leave(run.folder)  # from now on its lock and its device's say that it is at work
        if _is_over(run):
            return
        if _is_trained(run):  # only its results are missing
            _conclude(run, 0, tick)
        elif has_device or (must_train and not wait_for_device):
            try:
                with _noted(run, slot) if has_device else contextlib.nullcontext():
                    exit_code = _train(run, start or _starter(slot), slot, tick)
            finally:
                device.release()
            _end(run, exit_code, tick)
        else:
            _end(run, STOPPED, tick)


@contextlib.contextmanager
def _noted(run: Run, slot: int) -> Iterator[None]:
    """Note who has the device, for those who wait; on a full disk they are told less."""
    with contextlib.suppress(OSError):
        slots.note(slot, run.folder)
    yield
    with contextlib.suppress(OSError):
        slots.note_end(slot)


def _starter(slot: int) -> Start:
    return lambda run: leash.start(run, environment=slots.environment(slot))


def _train(run: Run, start: Start, slot: int, tick: Tick) -> int:
    """Let a worker train; where the system ended it for want of memory, once more in smaller parts. Return its code."""
    kills = memory.kills()
    exit_code = _watch(run, start(run), tick, may_stop=True)
    is_asked = run.stop_file.exists() or run.pause_file.exists()
    is_worth_it = exit_code in KILLED and memory.kills() > kills and not is_asked and not _is_trained(run)
    if is_worth_it and memory.ask_for_less(run):
        exit_code = _watch(run, _starter(slot)(run), tick, may_stop=True)
    return exit_code


def _end(run: Run, exit_code: int, tick: Tick) -> None:
    """Say how a run ended or that it is paused; what it had learned before is kept."""
    position.sweep(run.checkpoints)  # a worker that was killed may have been writing gigabytes
    if _is_paused(run, exit_code):
        _pause(run, exit_code, tick)
    else:
        _conclude(run, exit_code, tick)


def _is_over(run: Run) -> bool:
    """Return whether nothing is left to do: somebody else was quicker."""
    history = run.events.all()
    stopped = events.last(history, events.Stopped)
    is_stopped_empty = stopped is not None and stopped.kept_epoch is None
    kinds = (events.Finished, events.Failed, events.Paused)
    return is_stopped_empty or any(events.last(history, kind) for kind in kinds)


def _pause(run: Run, exit_code: int, tick: Tick) -> None:
    """Say that a run is paused; someone may have asked to stop it just before, when nobody listened any more."""
    kept, ended = position.last_epoch(run.checkpoints), events.last(run.events.all(), events.EpochEnd)
    is_exact = exit_code in (STOPPED, PAUSED) and (ended is None or ended.epoch <= (kept or 0))
    _say(run, events.Paused(kept, is_exact), tick)
    if run.stop_file.exists():
        _conclude(run, STOPPED, tick)


def _take_device(run: Run, device: filelock.BaseFileLock, tick: Tick) -> bool:
    """Wait until no other run has the device; return False if this run was stopped or paused meanwhile."""
    is_told = False
    while not run.stop_file.exists() and not run.pause_file.exists():
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
    """Wait for a worker; end it when someone asks to stop or pause while it trains. Return its exit code."""
    began: dict[Path, float] = {}
    while (exit_code := process.poll()) is None:
        for wish, grace_s in ((run.stop_file, GRACE_S), (run.pause_file, PAUSE_GRACE_S)):
            if not wish.exists():
                began.pop(wish, None)  # taken back: a pause for which the disk had no room
            elif wish == run.pause_file and position.is_being_written(run.checkpoints):
                continue  # a large network on a slow disk: what it writes is what it was asked for
            elif may_stop and time.monotonic() - began.setdefault(wish, time.monotonic()) > grace_s:
                may_stop = False
                if not _is_trained(run):
                    process.kill()
        tick()
        time.sleep(LOOK_EVERY_S)
    return exit_code


def _is_paused(run: Run, exit_code: int) -> bool:
    """Return whether a worker ended because someone asked to pause, by itself or, in a very long step, killed."""
    return exit_code != 0 and run.pause_file.exists() and not run.stop_file.exists() and not _has_ended(run)


def _has_ended(run: Run) -> bool:
    """Return whether the worker said how training ended."""
    history = run.events.all()
    return any(events.last(history, kind) for kind in (events.Trained, events.Interrupted, events.Failed))


def _is_trained(run: Run) -> bool:
    """Return whether training is over, so that a wish to stop comes too late and the results are on their way.

    Where a loss of power has damaged its weights, it is to be done again.
    """
    return (
        events.last(run.events.all(), events.Trained) is not None and position.epoch_of(run.best_checkpoint) is not None
    )


def _conclude(run: Run, exit_code: int, tick: Tick) -> None:
    """Write how the run ended if the worker could not, and make the results that the worker has left.

    It leaves them where training broke off with something kept, and where it trained with another backend than
    TensorFlow, which alone makes them.
    """
    history = run.events.all()
    if events.last(history, events.Finished) or events.last(history, events.Failed):
        return
    is_trained = exit_code == 0 and events.last(history, events.Trained) is not None
    if not is_trained:
        run.keep_better()
    if not is_trained and not events.last(history, events.Interrupted):
        is_stopped = run.stop_file.exists() and not events.last(history, events.Trained)
        kept_epoch = position.epoch_of(run.best_checkpoint)
        ended = events.Stopped(kept_epoch) if is_stopped else interruption.event_of(run, _sudden_end(run, exit_code))
        if not _say(run, ended, tick):
            return
    ended = run.events.all()
    if not is_trained and (_last_kept(ended) is None or events.last(ended, events.Failed)):
        return
    # On the processor: the device is free for the next run from now on. And with TensorFlow, whatever has trained.
    own = {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    with _results_alone(tick):
        exit_code = _watch(run, leash.start(run, "--results-only", environment=own), tick, may_stop=False)
    if exit_code != 0 and not events.last(run.events.all(), events.Failed):
        _say(run, interruption.event_of(run, _sudden_end(run, exit_code)), tick)


@contextlib.contextmanager
def _results_alone(tick: Tick) -> Iterator[None]:
    """Let one run after the other make its results: ten that are stopped at once would take the memory of all."""
    alone = filelock.FileLock(workspace.home() / "results.lock")
    while not alone.is_locked:
        with contextlib.suppress(filelock.Timeout):
            alone.acquire(timeout=LOOK_EVERY_S)
        tick()
    try:
        yield
    finally:
        alone.release()


def _say(run: Run, event: Event, tick: Tick) -> bool:
    """Write an event; where the disk has no room for it, wait for some time: the run's page says so meanwhile.

    Returns:
        False where it could not be said: the run has broken off without a word, and can be gone on with or deleted.
    """
    began = time.monotonic()
    while True:
        try:
            run.events.write(event)
            return True
        except OSError as error:
            if not disk.is_full(error):
                raise
        patience_s = STOPPED_PATIENCE_S if run.stop_file.exists() else PATIENCE_S
        if time.monotonic() - began > patience_s:
            return False
        tick()
        time.sleep(ROOM_EVERY_S)


def _last_kept(history: list[Event]) -> int | None:
    """Return the epoch that was kept when training broke off, or None."""
    ends = [event for event in history if isinstance(event, events.Stopped | events.Interrupted)]
    return ends[-1].kept_epoch if ends else None


def _sudden_end(run: Run, exit_code: int) -> TrainingError:
    """Return the reason to give for a worker that was gone without a word."""
    detail = f"The training process ended with exit code {exit_code}; worker.log may say more."
    if disk.is_crowded(run.folder):  # it could not even say that
        return TrainingError(disk.FULL, "Free some space, then go on: what was kept until then is here.", detail)
    most_often = "Most often this means that the computer ran out of memory."
    missing = interruption.results_missing(run.events.all())
    if missing:
        problem, advice = missing
        return TrainingError(f"{problem} {most_often}" if exit_code in KILLED else problem, advice, detail)
    if exit_code in KILLED:
        return TrainingError(
            f"Training ended suddenly. {most_often}",
            "Close other programs, or choose a smaller batch size or picture size, and start again.",
            detail,
        )
    return TrainingError("Training ended suddenly.", "Start again, or open the technical details.", detail)


def main() -> None:
    """Watch over one run."""
    parser = argparse.ArgumentParser(description="Watch over a run folder.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--slot", type=int, default=0, help="of the device that it trains on")
    asked = parser.parse_args()
    with contextlib.suppress(filelock.Timeout):  # somebody else works on it: nothing is left to do
        supervise(Run(asked.run.resolve()), slot=asked.slot)


if __name__ == "__main__":
    main()
