"""Start a run in processes of its own on this computer. No TensorFlow here."""

from tlcore import detached
from tlcore.runs.run import Run


def start(run: Run) -> None:
    """Start the supervisor of a run and return at once."""
    detached.start("tlcore.runs.supervisor", run.folder, run.worker_log)
