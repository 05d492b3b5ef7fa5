"""Runs: every training of the project in a table, to compare, open, delete and use again."""

import html

import streamlit as st

from pages.parts import again, frame, place, problems, undo, words
from tlcore import deletion, overview
from tlcore.backbones import table
from tlcore.overview import AT_WORK, RunLine
from tlcore.project import Project
from tlcore.removal import Removed
from tlcore.runs import pace, queue
from tlcore.runs.run import Run

LOOKS = {"finished": "good", "failed": "problem", "crashed": "problem", "running": "warm", "finishing": "warm"}
ORDERS = {
    "The newest first": lambda line: -line.began,
    "The best exam result first": lambda line: -1.0 if line.test_accuracy is None else -line.test_accuracy - 1.0,
    "The quickest first": lambda line: line.worked_s,
}
PER_PAGE = 20
SOON_S, LATER_S = 2.0, 10.0  # another browser may start or delete a run at any time
WIDTHS = (3, 3.6, 2, 1.8, 2.6)
TITLES = ("Run", "Settings", "Exam pictures right", "Time", "")


def draw_line(project: Project, line: RunLine) -> None:
    with st.container(key=f"thaw-line-{line.run.id}"):
        name, settings, result, took, actions = st.columns(WIDTHS, vertical_alignment="center")
        look = "warm" if line.end == "broken off" else LOOKS.get(line.state, "quiet")
        name.html(frame.entry(title_of(line), began_of(line), words.state(line), look))
        settings.html(cell("Settings", settings_of(line)))
        result.html(cell("Exam pictures right", result_of(line)))
        took.html(cell("Time", pace.in_words(line.worked_s) if line.worked_s else "not begun"))
        with actions, st.container(horizontal=True, horizontal_alignment="right"):
            draw_actions(project, line)


def draw_actions(project: Project, line: RunLine) -> None:
    page, label = ("results.py", "Results") if line.state == "finished" else ("run.py", "Open")
    if st.button(label, key=f"open-{line.run.id}"):
        st.switch_page(page, query_params=place.parameters(project, line.run))
    if not project.may_change:
        return
    with st.popover("More", key=f"more-{line.run.id}"):
        if st.button("Use these settings again", key=f"again-{line.run.id}", icon=":material/replay:"):
            st.switch_page("train.py", query_params=again.parameters(project, line.run, line.recipe))
        is_busy = line.state in AT_WORK and not queue.is_in(line.run.folder)
        is_meant = st.button(
            "Delete",
            key=f"delete-{line.run.id}",
            icon=":material/delete:",
            disabled=is_busy,
            help="It is at work: stop it first." if is_busy else "You can take that back for ten minutes.",
        )
    if is_meant:
        delete(line.run)


def delete(run: Run) -> None:
    with problems.remembered("table"):  # a run that has just been taken up stays, and so does the table
        deletion.delete_run(run)
        st.rerun()


def cell(name: str, text: str) -> str:
    """Return a cell of the table; its name stands in it too, for narrow screens."""
    return f'<p class="thaw-cell"><span class="thaw-narrow">{html.escape(name)}: </span>{html.escape(text)}</p>'


def title_of(line: RunLine) -> str:
    known = table.BACKBONES.get(line.recipe.backbone)
    return known.title if known else line.recipe.backbone


def began_of(line: RunLine) -> str:
    return words.moment(line.began, to_the_second=True)


def settings_of(line: RunLine) -> str:
    return " · ".join(fact for fact in (words.depth(line.recipe), words.choices(line.asked)) if fact)


def result_of(line: RunLine) -> str:
    return "none yet" if line.test_accuracy is None else f"{line.test_accuracy:.0%} of {line.n_test}"


def draw_all() -> None:
    with problems.shown():
        project = place.opened_project()
        found = overview.all_runs(project)
        lines = tuple(line for line in found if isinstance(line, RunLine))
        if changes_soon(lines) != st.session_state.get("changing"):
            st.rerun()  # the whole page, which then asks more often, or less
        problems.remind("table")
        if lines:
            draw_table(project, lines)
        elif not found:
            frame.message("ice", "No run yet. Choose a backbone and start one.")
            if project.may_change:
                st.page_link("train.py", label="Train", query_params=place.parameters(project))
        for run in found:
            if isinstance(run, Run):
                draw_unreadable(project, run)
        if project.may_change:
            deleted = [(removed, name_of(removed)) for removed in deletion.deleted_runs(project)]
            undo.offer(deleted, may_remove=project.access == "owner")


def changes_soon(lines: tuple[RunLine, ...]) -> bool:
    return any(line.state in AT_WORK for line in lines)


def draw_unreadable(project: Project, run: Run) -> None:
    with st.container(key=f"thaw-unreadable-{run.id}", horizontal=True, vertical_alignment="center"):
        frame.message("warm", f"The files of the run {run.id} are damaged, so it cannot be shown.")
        if project.may_change and st.button("Delete", key=f"delete-{run.id}", icon=":material/delete:"):
            delete(run)


def name_of(removed: Removed) -> str:
    line = overview.line_or_none(Run(removed.folder))
    return f"{title_of(line)}, {began_of(line)}" if line else f"the run {removed.name}"


def draw_table(project: Project, found: tuple[RunLine, ...]) -> None:
    order = st.selectbox("Order", tuple(ORDERS), key="order", width=280) if len(found) > 1 else next(iter(ORDERS))
    ordered = sorted(found, key=ORDERS[order])
    n_pages = -(-len(ordered) // PER_PAGE)
    number = st.pagination(n_pages, key="page") if n_pages > 1 else 1
    with st.container(key="thaw-table"):
        with st.container(key="thaw-table-head"):
            for column, title in zip(st.columns(WIDTHS), TITLES, strict=True):
                column.html(f'<p class="thaw-quiet">{title}</p>')
        for line in ordered[(number - 1) * PER_PAGE : number * PER_PAGE]:
            draw_line(project, line)


opened = place.opened_project()
frame.title("Runs", "Every training of this project.", opened)
st.session_state["changing"] = changes_soon(overview.lines(opened))
st.fragment(draw_all, run_every=SOON_S if st.session_state["changing"] else LATER_S)()
