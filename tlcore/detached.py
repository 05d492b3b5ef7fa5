"""A process that lives on its own: neither a closed browser nor a stopped web server ends it. No TensorFlow here."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from tlcore import workspace


def start(
    module: str,
    folder: Path | None,
    log_file: Path,
    *,
    options: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    listens: bool = False,
) -> subprocess.Popen[bytes]:
    """Start ``python -m MODULE FOLDER OPTIONS`` and return at once.

    Args:
        module: A module of Thaw with a ``main``.
        folder: Its one argument; none if not given.
        log_file: Takes everything the process prints, behind what is there.
        options: Further arguments.
        environment: What it sees of the environment beside or instead of ours.
        listens: Whether its standard input is a pipe from us, which closes when we end; else it has none.
    """
    own_group = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        if os.name == "nt"
        else {"start_new_session": True}
    )
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *([str(folder)] if folder else []), *options],
            bufsize=0,
            stdin=subprocess.PIPE if listens else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(__file__).resolve().parents[1],
            env=os.environ | {"THAW_HOME": str(workspace.home())} | (environment or {}),
            **own_group,
        )
    # Collects the exit code, so that no dead entry stays in the system's list of processes.
    threading.Thread(target=process.wait, daemon=True).start()
    return process
