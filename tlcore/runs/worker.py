"""The process that trains: ``python -m tlcore.runs.worker [RUN_DIR] [--results-only]``. It imports TensorFlow.

Started and watched by ``supervisor.py``, which holds its leash: see ``leash.py``. Without a run it is a spare.
"""

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path

from tlcore import cores, disk, sparing
from tlcore.errors import OutOfMemory, UserError
from tlcore.runs import interruption, leash, supervisor
from tlcore.runs.run import Run

FAILED = 1


def main() -> int:
    """Work on a run; the exit code is 0 only when its results are there."""
    parser = argparse.ArgumentParser(description="Train a run folder.")
    parser.add_argument("run", type=Path, nargs="?", help="without one, wait until one is handed over")
    parser.add_argument("--results-only", action="store_true", help="make the results of the best checkpoint")
    arguments = parser.parse_args()
    cores.let_others_first()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor answers it
    handed = leash.listen()
    run = Run(arguments.run.resolve()) if arguments.run else _wait_for_run(handed)
    try:
        _work(run, arguments.results_only)
    except UserError as error:
        return _fail(run, error)
    except Exception as error:  # the one broad net: whatever breaks is said to the user and written to the log
        traceback.print_exc()
        return _fail(run, _explain(error))
    return 0


def _wait_for_run(handed: leash.Handed) -> Run:
    """Do beforehand what every run needs, then wait for one, and print into its log from then on."""
    _import_keras()
    from tlcore.training import rehearsal

    rehearsal.rehearse(until=lambda: not handed.empty())
    run = handed.get()
    leash.print_to(run.worker_log)
    return run


def _import_keras() -> None:
    with sparing.quick_import():
        import keras  # noqa: F401


def _work(run: Run, results_only: bool) -> None:
    """Import the heavy part and run it."""
    _import_keras()
    from tlcore.training import finishing, training

    try:
        if results_only:
            finishing.finish(run, training.rebuild(run), training.pixels_of(run))
        else:
            training.train(run)
    except training.StopAsked:
        os._exit(
            supervisor.STOPPED
        )  # at once: taking TensorFlow down in good order would hold the device for another second
    except training.PauseAsked:
        os._exit(supervisor.PAUSED)


def _fail(run: Run, error: UserError) -> int:
    """Write why the run broke off, and return the exit code; what an earlier try had kept may be better."""
    run.keep_better()
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
    if isinstance(error, OSError) and disk.is_full(error):
        return UserError(disk.FULL, "Free some space, then go on: what was kept until then is here.", detail)
    return UserError(
        "Something broke on our side during training.",
        "Start again; if it happens twice, send us the technical details.",
        detail,
    )


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)  # everything is written; taking TensorFlow down takes a second and holds the device meanwhile
