"""A process that lives on its own: neither a closed browser nor a stopped web server ends it. No TensorFlow here."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from tlcore import workspace


def start(module: str, folder: Path, log_file: Path) -> None:
    """Start ``python -m MODULE FOLDER`` and return at once.

    Args:
        module: A module of Thaw with a ``main``.
        folder: Its one argument.
        log_file: Takes everything the process prints, behind what is there.
    """
    own_group = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        if os.name == "nt"
        else {"start_new_session": True}
    )
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(__file__).resolve().parents[1],
            env=os.environ | {"THAW_HOME": str(workspace.home())},
            **own_group,
        )
    # Collects the exit code, so that no dead entry stays in the system's list of processes.
    threading.Thread(target=process.wait, daemon=True).start()
