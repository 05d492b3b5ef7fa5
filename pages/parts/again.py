"""From a run to a new one with the same settings: what the address carries there, and what the page Train reads."""

import streamlit as st

from pages.parts import place
from pages.parts.settings import Form
from tlcore.backbones import table
from tlcore.project import Project
from tlcore.runs import address
from tlcore.runs.run import Run
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe


def parameters(project: Project, run: Run, settled: Recipe) -> dict[str, str]:
    """Return what a link carries so that the page Train begins with the settings of a run."""
    carried = place.parameters(project) | {"again": run.id}
    if settled.backbone in table.BACKBONES:
        carried |= {"backbone": settled.backbone, "frozen": str(settled.frozen_stages)}
    return carried


def form(project: Project) -> Form:
    """Return the fields of the page Train, with the settings of the run that the address names, if it names one.

    Raises:
        UserError: The run is not in the project, or cannot be read.
    """
    run_id = st.query_params.get("again", "")
    if not run_id:
        return Form()
    run = place.readable(address.find(project.runs, run_id))
    return Form(recipes.load(run.recipe_file), f"-{run_id}")
