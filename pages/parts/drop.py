"""The drop area: a folder, archives or loose files from the visitor's computer into a project.

The browser sends them itself (``assets/upload_sending.js``) to the routes of ``tlcore.http_upload``; this script only
draws the area, and is run again when everything has arrived.
"""

import streamlit as st

from pages.parts.frame import ASSETS
from tlcore import http_upload, workspace
from tlcore.project import Project

_TURN = "upload-turn"
_area = st.components.v2.component(
    "thaw_upload",
    html=(ASSETS / "upload_area.html").read_text(encoding="utf-8"),
    css=(ASSETS / "upload_area.css").read_text(encoding="utf-8"),
    js="\n".join((ASSETS / f"upload_{part}.js").read_text(encoding="utf-8") for part in ("sending", "area")),
)


def area(project: Project) -> None:
    """Draw the area, a new one after each upload that was taken."""
    turn = st.session_state.setdefault(_TURN, 0)
    _area(
        key=f"upload-{turn}",
        data={
            "address": http_upload.path_of(project),
            "maxFiles": workspace.upload_files(),
            "maxBytes": workspace.upload_bytes(),
        },
        on_done_change=_was_taken,
    )


def _was_taken() -> None:
    st.session_state[_TURN] += 1
