"""Start a run in processes of its own on this computer. No TensorFlow here."""

from tlcore import detached
from tlcore.runs import spare
from tlcore.runs.run import Run


def start(run: Run) -> None:
    """Hand a run to the spare worker, or start its supervisor, and return at once."""
    if not spare.hand(run):
        detached.start("tlcore.runs.supervisor", run.folder, run.worker_log)
