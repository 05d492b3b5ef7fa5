"""Where a visitor stands: who it is, which project and which run the address names.

Everything comes from the cookie and the address, so that a refresh, a bookmark and a second window show the same.
"""

import streamlit as st

from tlcore import identity, project
from tlcore.errors import UserError
from tlcore.project import Project
from tlcore.runs import address
from tlcore.runs.run import Run


def visitor() -> str:
    """Return the identity of the browser.

    Raises:
        UserError: The browser sent none.
    """
    found = identity.of(st.context.cookies)
    if found is None:
        raise UserError(
            "Thaw does not know this browser: it sent no cookie.",
            "Allow cookies for this address and load the page again. The cookie holds a random number and nothing "
            "else; it tells your projects from those of other people.",
        )
    return found


def opened_project() -> Project:
    """Return the project in the address.

    Raises:
        UserError: The address names none, or one that is not this visitor's.
    """
    project_id = st.query_params.get("project", "")
    if not project_id:
        raise UserError("No project is open.", "Choose one of your projects, or make a new one.")
    return project.load(project_id, visitor())


def opened_run() -> Run:
    """Return the run in the address.

    Raises:
        UserError: The address names none, or one that is not in the project.
    """
    return address.find(opened_project().runs, st.query_params.get("run", ""))


def parameters(opened: Project, run: Run | None = None) -> dict[str, str]:
    """Return what a link carries so that it leads to this project and this run."""
    return {"project": opened.id} | ({"run": run.id} if run else {})
