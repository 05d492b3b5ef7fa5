"""Where a visitor stands: who it is, which project and which run the address names.

Everything comes from the cookie and the address, so that a refresh, a bookmark and a second window show the same.
"""

import streamlit as st

from tlcore import identity, overview, project
from tlcore.errors import UserError
from tlcore.project import Project
from tlcore.runs import address
from tlcore.runs.run import Run
from tlcore.training import recipe as recipes


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
        UserError: The address names none, or one that this visitor may not see.
    """
    project_id = st.query_params.get("project", "")
    if not project_id:
        raise UserError("No project is open.", "Choose one of your projects, or make a new one.")
    return project.load(project_id, visitor())


def refuse_who_only_looks(opened: Project) -> None:
    """Raise ``UserError`` for a guest who may only look."""
    if not opened.may_change:
        raise UserError(
            "The link that you came by lets you look at this project, not change it.",
            "Ask its owner for a link with full access, or make a project of your own.",
        )


def come_in() -> None:
    """Let a visitor in who opens a shared link; the address is the project's own from then on.

    Raises:
        UserError: The link has been withdrawn.
    """
    secret = st.query_params.get("share", "")
    if secret:
        project.let_in(st.query_params.get("project", ""), secret, visitor())
        del st.query_params["share"]


def opened_run() -> Run:
    """Return the run in the address.

    Raises:
        UserError: The address names none, one that is not in the project, or one that cannot be read.
    """
    return readable(address.find(opened_project().runs, st.query_params.get("run", "")))


def readable(run: Run) -> Run:
    """Return the run itself.

    Raises:
        UserError: Its files are damaged, by a loss of power for example.
    """
    try:
        run.recipe()
        recipes.load(run.recipe_file)
    except overview.DAMAGED as error:
        advice = "Whoever may change this project can delete it on the page Runs."
        raise UserError("The files of this run are damaged, so it cannot be shown.", advice, repr(error)) from error
    return run


def parameters(opened: Project, run: Run | None = None) -> dict[str, str]:
    """Return what a link carries so that it leads to this project and this run."""
    return {"project": opened.id} | ({"run": run.id} if run else {})
