"""From the id in an address to the run, or a plain refusal. No TensorFlow here."""

import re
from pathlib import Path

from tlcore.errors import UserError
from tlcore.runs.run import Run


def find(folder: Path, run_id: str) -> Run:
    """Return the run with this id in a project's folder of runs.

    Raises:
        UserError: There is none. Ids that no run can have are never looked for on disk.
    """
    run = Run(folder / run_id)
    if re.fullmatch(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}", run_id) and run.recipe_file.is_file():
        return run
    raise UserError("There is no such run in this project.", "Choose one from the list of runs.")
