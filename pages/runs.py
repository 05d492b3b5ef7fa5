"""Runs: every training of the project, newest first."""

import streamlit as st

from pages.parts import frame, place, problems, words
from tlcore import overview
from tlcore.backbones import table
from tlcore.overview import RunLine
from tlcore.project import Project

LOOKS = {"finished": "good", "failed": "problem", "crashed": "problem", "running": "warm", "finishing": "warm"}


def draw_line(project: Project, line: RunLine) -> None:
    with st.container(border=True, key=f"line-{line.run.id}", horizontal=True, vertical_alignment="center"):
        st.html(frame.entry(title_of(line), facts_of(line), state_of(line), LOOKS.get(line.state, "quiet")))
        page, label = ("results.py", "Results") if line.state == "finished" else ("run.py", "Open")
        if st.button(label, key=f"open-{line.run.id}"):
            st.switch_page(page, query_params=place.parameters(project, line.run))


def title_of(line: RunLine) -> str:
    known = table.BACKBONES.get(line.recipe.backbone)
    return known.title if known else line.recipe.backbone


def state_of(line: RunLine) -> str:
    if line.test_accuracy is None:
        return words.STATES[line.state]
    return f"{words.STATES[line.state]}: {line.test_accuracy:.0%} right on {line.n_test} exam pictures"


def facts_of(line: RunLine) -> str:
    facts = (words.depth(line.recipe), words.choices(line.asked), words.moment(line.began, to_the_second=True))
    return " · ".join(fact for fact in facts if fact)


def draw_all() -> None:
    with problems.shown():
        project = place.opened_project()
        for line in overview.lines(project):
            draw_line(project, line)


opened = place.opened_project()
frame.title("Runs", "Every training of this project, the newest first.", opened)
lines = overview.lines(opened)
if lines:
    changes = any(line.state in overview.AT_WORK for line in lines)
    st.fragment(draw_all, run_every=2.0 if changes else None)()
else:
    frame.message("ice", "No run yet. Choose a backbone and start one.")
    st.page_link("train.py", label="Train", query_params=place.parameters(opened))
