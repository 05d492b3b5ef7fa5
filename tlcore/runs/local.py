"""Start a run in processes of its own on this computer. No TensorFlow here."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from tlcore.runs.run import Run


def start(run: Run) -> None:
    """Start the supervisor of a run and return at once.

    It lives on its own: neither closing the browser nor stopping the web server ends it.
    """
    detached = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        if os.name == "nt"
        else {"start_new_session": True}
    )
    with run.worker_log.open("ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "tlcore.runs.supervisor", str(run.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(__file__).resolve().parents[2],
            **detached,
        )
    # Collects the exit code, so that no dead entry stays in the system's list of processes.
    threading.Thread(target=supervisor.wait, daemon=True).start()
