"""The process that trains: ``python -m tlcore.runs.worker RUN_DIR [--results-only]``. It imports TensorFlow.

Started and watched by ``supervisor.py`` through its standard input: when that closes, the supervisor is gone, and the
worker ends at once, so that no orphan holds the device.
"""

import argparse
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

from tlcore.errors import OutOfMemory, UserError
from tlcore.runs import interruption
from tlcore.runs.run import Run

STOPPED = 3  # exit code: someone asked to stop and the worker obeyed
FAILED = 1


def main() -> int:
    """Work on a run; the exit code is 0 only when its results are there."""
    parser = argparse.ArgumentParser(description="Train a run folder.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--results-only", action="store_true", help="make the results of the best checkpoint")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor answers it
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    run = Run(arguments.run.resolve())
    try:
        _work(run, arguments.results_only)
    except UserError as error:
        return _fail(run, error)
    except Exception as error:  # the one broad net: whatever breaks is said to the user and written to the log
        traceback.print_exc()
        return _fail(run, _explain(error))
    return 0


def _work(run: Run, results_only: bool) -> None:
    """Import the heavy part and run it."""
    from tlcore.training import finishing, training

    try:
        if results_only:
            finishing.finish(run, training.rebuild(run), training.pixels_of(run))
        else:
            training.train(run)
    except training.StopAsked:
        os._exit(STOPPED)  # at once: taking TensorFlow down in good order would hold the device for another second


def _fail(run: Run, error: UserError) -> int:
    """Write why the run broke off, and return the exit code."""
    run.events.write(interruption.event_of(run, error))
    return FAILED


def _explain(error: Exception) -> UserError:
    """Turn an error that is not meant for users into one that is."""
    from tlcore.training import device

    detail = "".join(traceback.format_exception(error))
    if device.is_out_of_memory(error):
        return OutOfMemory(
            "The memory ran out during training.",
            "Choose a smaller batch size, a smaller picture size or a smaller backbone, and start again.",
            detail,
        )
    if isinstance(error, OSError) and error.errno == 28:
        return UserError("The disk is full.", "Free some space and start again.", detail)
    return UserError(
        "Something broke on our side during training.",
        "Start again; if it happens twice, send us the technical details.",
        detail,
    )


def _end_with_supervisor() -> None:
    """Wait until the supervisor's end of standard input closes, then end this process at once."""
    while os.read(sys.stdin.fileno(), 1):  # not sys.stdin.read(): its lock would be in the way when Python ends
        continue
    os._exit(FAILED)


if __name__ == "__main__":
    sys.exit(main())
