"""Start a run in processes of its own on this computer. No TensorFlow here."""

from tlcore import cores, detached
from tlcore.runs import slots, spare
from tlcore.runs.run import Run


def start(run: Run, slot: int = 0) -> None:
    """Hand a run to the spare worker, or start its supervisor, and return at once.

    Args:
        run: The run.
        slot: Of the device that it shall have; see ``slots.py``.
    """
    is_usual = run.recipe().threads in (None, cores.count())  # the spare has its threads already
    if not (slot == 0 and is_usual and spare.hand(run)):
        options, environment = ("--slot", str(slot)), slots.environment(slot)
        detached.start("tlcore.runs.supervisor", run.folder, run.worker_log, options=options, environment=environment)


def conclude(run: Run) -> None:
    """Start a supervisor that ends a run which was asked to stop: it needs no device, and no worker that waits."""
    detached.start("tlcore.runs.supervisor", run.folder, run.worker_log)
