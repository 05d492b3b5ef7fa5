"""The events of a run, read on from where this session last stopped: a long run is not read anew every second."""

import streamlit as st

from tlcore.runs import events
from tlcore.runs.events import Event
from tlcore.runs.run import Run


def of(run: Run) -> list[Event]:
    """Return all events of a run so far that count, oldest first. What is kept between two calls may get lost."""
    kept: tuple[str, list[Event], int] = st.session_state.get("history", ("", [], 0))
    folder, known, offset = kept if kept[0] == str(run.folder) else (str(run.folder), [], 0)
    new, offset = run.events.read(offset)
    history = [*known, *new]
    st.session_state["history"] = (folder, history, offset)
    return events.in_force(history)
