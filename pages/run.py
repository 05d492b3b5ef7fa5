"""A run, live: curves, pace, one plain sentence; stopped, paused and gone on with."""

import html

import streamlit as st

from pages.parts import again, frame, history, place, problems, words
from tlcore import disk
from tlcore.backbones import table
from tlcore.overview import AT_WORK
from tlcore.project import Project
from tlcore.runs import curves, ending, events, order, pace, queue, reading, turn
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
        if pause_of(run, state, so_far) != st.session_state.get("watched", {}).get(run.id):
            st.rerun()  # the whole page, which then asks more often, or less
        problems.remind(run.id)
        draw_state(project, run, state, so_far)
        if state in AT_WORK and disk.is_crowded(run.folder):
            advice = "free some space, or remove what is kept to save time, on the first page."
            frame.message("warm", f"{disk.FULL} Nothing can be kept until there is room: {advice}")
        draw_pace(run, so_far, state)
        draw_curves(run, so_far, state)
        draw_notes(so_far)


def pause_of(run: Run, state: State, so_far: list[Event]) -> float | None:
    """Return after how many seconds to look again; None where nothing changes any more, whoever presses what."""
    if state in AT_WORK:
        return 1.0
    return 5.0 if runs.can_resume(run, so_far) else None


def draw_state(project: Project, run: Run, state: State, so_far: list[Event]) -> None:
    problem = ending.problem(run, state, so_far)
    if problem:
        problems.show(problem)
        with st.container(horizontal=True, vertical_alignment="center"):
            if project.may_change:
                draw_go_on(run, so_far)
                draw_again(project, run)
            draw_results_so_far(project, run, state)
        return
    is_stop_asked = run.stop_file.exists()
    looks = {"finished": "good", "stopped": "quiet", "paused": "quiet"}
    with st.container(horizontal=True, vertical_alignment="center"):
        found = turn.of(run) if state == "waiting" else None
        sentence = ending.sentence(state, so_far, is_stop_asked, found)
        is_broken = events.last(so_far, events.Interrupted) is not None
        frame.message(
            "warm" if (is_stop_asked and state not in looks) or is_broken else looks.get(state, "ice"), sentence
        )
        if state == "finished" and st.button("See the results", type="primary", key="results"):
            st.switch_page("results.py", query_params=place.parameters(project, run))
        if project.may_change:
            draw_action(project, run, state, is_stop_asked)
            draw_go_on(run, so_far)
        if state != "finished":
            draw_results_so_far(project, run, state)


def draw_results_so_far(project: Project, run: Run, state: State) -> None:
    """Lead to the results of an earlier end; they stay until the next one."""
    if ending.has_gone_on(run) or (state != "finishing" and run.report_file.is_file()):
        st.page_link("results.py", label="Results so far", query_params=place.parameters(project, run))


def draw_action(project: Project, run: Run, state: State, is_stop_asked: bool) -> None:
    if state == "stopped":
        draw_again(project, run)
    elif state in ("waiting", "running", "pausing", "stopping", "paused"):
        if state in ("waiting", "running", "pausing"):
            draw_pause(run, is_asked=state == "pausing")
        pressed = st.button(
            "Stopping" if is_stop_asked else "Stop",
            key="stop",
            icon=":material/stop_circle:",
            help="End the training now. The best epoch so far is kept and gets its results.",
            disabled=is_stop_asked and state != "paused",
        )
        if pressed:
            with problems.remembered(run.id):
                order.stop(run)
                st.rerun()


def draw_pause(run: Run, is_asked: bool) -> None:
    pressed = st.button(
        "Pausing" if is_asked else "Pause",
        key="pause",
        icon=":material/pause_circle:",
        help="Let go of the device now and go on later from exactly where it was.",
        disabled=is_asked,
    )
    if pressed:
        with problems.remembered(run.id):
            order.pause(run)
            st.rerun()


def draw_go_on(run: Run, so_far: list[Event]) -> None:
    if runs.can_resume(run, so_far) and st.button(
        "Go on", key="go-on", icon=":material/play_circle:", help="Train on from where it was."
    ):
        with problems.remembered(run.id):
            order.resume(run, queue.name_of(place.visitor()))
            st.rerun()


def draw_again(project: Project, run: Run) -> None:
    parameters = again.parameters(project, run, run.recipe())
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
    busy = (events.Progress, events.PhaseStarted, events.BatchEnd, events.EpochEnd, events.Resumed)
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
    is_over = state not in ("waiting", "running", "pausing", "paused", "stopping")
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
told = history.of(run)
every_s = pause_of(run, runs.state(run, told), told)
st.session_state["watched"] = {run.id: every_s}
st.fragment(live, run_every=every_s)()
