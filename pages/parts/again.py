"""From a run to a new one with the same settings: what the address carries there, and what the page Train reads."""

import streamlit as st

from pages.parts import frame, place
from pages.parts.settings import Form
from tlcore.backbones import table
from tlcore.errors import UserError
from tlcore.project import Project
from tlcore.runs import address
from tlcore.runs.run import Run
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

WITHOUT = "What stands below is what Thaw would choose, and what you have changed."


def parameters(project: Project, run: Run, settled: Recipe) -> dict[str, str]:
    """Return what a link carries so that the page Train begins with the settings of a run."""
    carried = place.parameters(project) | {"again": run.id}
    if settled.backbone in table.BACKBONES:
        carried |= {"backbone": settled.backbone, "frozen": str(settled.frozen_stages)}
    return carried


def form(project: Project) -> Form:
    """Return the fields of the page Train, with the settings of the run that the address names, if it names one.

    Where that has been deleted since, or cannot be read, what somebody has already changed stays in the fields.
    """
    run_id = st.query_params.get("again", "")
    if not run_id:
        return Form()
    mark = f"-{run_id}"
    try:
        run = place.readable(address.find(project.runs, run_id))
    except UserError as error:
        frame.message("warm", f"{error.problem} {WITHOUT}")
        return Form(mark=mark)
    frame.message("ice", "Everything below begins with the settings of an earlier run. Change what you like.")
    return Form(recipes.load(run.recipe_file), mark)
