"""A run, live: curves, pace, one plain sentence, Stop."""

import html

import streamlit as st

from pages.parts import frame, history, place, problems, words
from tlcore.backbones import table
from tlcore.overview import AT_WORK
from tlcore.project import Project
from tlcore.runs import curves, ending, events, pace, reading
from tlcore.runs import run as runs
from tlcore.runs.events import Event
from tlcore.runs.run import Run, State

LOOKS = {"overfitting": "warm", "unstable": "warm", "not_learning": "warm", "improving": "good", "settled": "good"}
NO_TOOLBAR = {"displayModeBar": False}


def live() -> None:
    """Draw everything that changes."""
    with problems.shown():
        project, run = place.opened_project(), place.opened_run()
        so_far = history.of(run)
        state = runs.state(run, so_far)
        if state not in AT_WORK and st.session_state.get("watched") == run.id:
            st.session_state["watched"] = ""
            st.rerun()  # the whole page, which then no longer asks every second
        draw_state(project, run, state, so_far)
        draw_pace(run, so_far, state)
        draw_curves(run, so_far, state)
        draw_notes(so_far)


def draw_state(project: Project, run: Run, state: State, so_far: list[Event]) -> None:
    problem = ending.problem(run, state, so_far)
    if problem:
        problems.show(problem)
        draw_again(project, run)
        return
    is_stop_asked = run.stop_file.exists()
    look = {"finished": "good", "stopped": "quiet"}.get(state, "warm" if is_stop_asked else "ice")
    with st.container(horizontal=True, vertical_alignment="center"):
        frame.message(look, ending.sentence(state, so_far, is_stop_asked))
        draw_action(project, run, state, is_stop_asked)


def draw_action(project: Project, run: Run, state: State, is_stop_asked: bool) -> None:
    if state == "finished":
        if st.button("See the results", type="primary", key="results"):
            st.switch_page("results.py", query_params=place.parameters(project, run))
    elif state == "stopped":
        draw_again(project, run)
    elif state in ("waiting", "running", "stopping"):
        pressed = st.button(
            "Stopping" if is_stop_asked else "Stop",
            key="stop",
            icon=":material/stop_circle:",
            disabled=is_stop_asked,
        )
        if pressed:
            runs.ask_to_stop(run)
            st.rerun(scope="fragment")


def draw_again(project: Project, run: Run) -> None:
    recipe, parameters = run.recipe(), place.parameters(project)
    if recipe.backbone in table.BACKBONES:
        parameters |= {"backbone": recipe.backbone, "frozen": str(recipe.frozen_stages)}
    st.page_link("train.py", label="Start again", icon=":material/replay:", query_params=parameters)


def draw_pace(run: Run, so_far: list[Event], state: State) -> None:
    task = current_task(so_far)
    if task and state in AT_WORK:
        st.progress(min(1.0, task.done / max(1, task.total)), text=task_in_words(task))
    found = pace.measure(so_far, run.recipe().epochs)
    if not found.last_epoch:
        return
    if state == "running" and not task:
        st.progress(found.share, text=f"Epoch {found.epoch} of at most {found.last_epoch}")
    ended = events.last(so_far, events.EpochEnd)
    epoch = ended.epoch if ended else 0
    pairs = [] if state == "running" else [("epochs (rounds)", f"{epoch} of at most {found.last_epoch}")]
    started = events.last(so_far, events.Started)
    if started:
        pairs.append(("device", "graphics card" if started.device == "GPU" else "processor"))
    if found.pictures_per_s and state == "running":
        pairs.append(("pictures per second", f"{found.pictures_per_s:,.0f}".replace(",", "\u202f")))
    if found.left_s is not None and state == "running":
        left = "left at most" if found.is_last_phase else "left for the new final layers"
        pairs.append((left, "about " + pace.in_words(found.left_s)))
    best = curves.best_epoch(so_far)
    if best:
        pairs.append((f"check pictures right, best epoch ({best.epoch})", f"{best.val_accuracy:.0%}"))
    frame.facts(pairs)


def current_task(so_far: list[Event]) -> events.Progress | None:
    """Return the task that is under way beside training, if any."""
    busy = (events.Progress, events.PhaseStarted, events.BatchEnd, events.EpochEnd)
    newest = next((event for event in reversed(so_far) if isinstance(event, busy)), None)
    return newest if isinstance(newest, events.Progress) else None


def task_in_words(task: events.Progress) -> str:
    if task.total > 1_000_000:  # bytes of weights
        return f"{task.task}: {task.done / 1e6:.1f} of {task.total / 1e6:.1f} MB"
    return f"{task.task}: {task.done:,} of {task.total:,}".replace(",", "\u202f")


def draw_curves(run: Run, so_far: list[Event], state: State) -> None:
    if not events.last(so_far, events.PhaseStarted):
        return
    found = reading.read(so_far, majority(run))
    frame.message(LOOKS.get(found.kind, "quiet"), found.sentence)
    is_over = state not in ("waiting", "running", "stopping")
    for column, metric in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with column:
            st.html(f'<h3 class="thaw-plot">{curves.TITLES[metric]}</h3>')
            st.plotly_chart(
                curves.figure(so_far, metric, is_over),
                key=f"curve-{metric}",
                config=NO_TOOLBAR,
                alt=curves.description(so_far, metric),
            )


def majority(run: Run) -> float:
    """Return the share of the largest class among the check pictures."""
    if "majority" not in st.session_state or st.session_state["majority"][0] != run.id:
        st.session_state["majority"] = (run.id, reading.majority(run.dataset(), run.split()))
    return st.session_state["majority"][1]


def draw_notes(so_far: list[Event]) -> None:
    started = events.last(so_far, events.Started)
    notes = [note.message for note in events.of_type(so_far, events.Note)]
    if started:
        notes.insert(0, reading.device(started))
    if notes:
        st.subheader("What Thaw chose, and why", anchor=False)
        st.html('<ul class="thaw-notes">' + "".join(f"<li>{html.escape(note)}</li>" for note in notes) + "</ul>")


def heading(run: Run) -> tuple[str, str]:
    recipe = run.recipe()
    known = table.BACKBONES.get(recipe.backbone)
    return known.title if known else "Run", words.depth(recipe).capitalize() + "."


opened, run = place.opened_project(), place.opened_run()
frame.title(*heading(run), opened)
is_at_work = runs.state(run) in AT_WORK
if is_at_work:
    st.session_state["watched"] = run.id
st.fragment(live, run_every=1.0 if is_at_work else None)()
