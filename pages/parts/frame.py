"""The frame around each page: style sheet, menu, title."""

import html
from pathlib import Path

import streamlit as st

from pages.parts import place
from tlcore.project import Project

ASSETS = Path(__file__).resolve().parents[2] / "assets"
STYLE, ICON = ASSETS / "thaw.css", ASSETS / "thaw.svg"
MENU = (("pictures.py", "Pictures"), ("train.py", "Train"), ("runs.py", "Runs"), ("share.py", "Share"))
OF = {"train.py": ("owner", "full"), "share.py": ("owner",)}  # whose entry it is, where not everybody's
BELOW_RUNS = ("run", "results")  # pages without an entry of their own


def dress() -> None:
    """Put the style sheet into the page."""
    st.html(STYLE)


def menu(opened_page: str) -> None:
    """Draw our own menu; Streamlit's would drop project and run from the address.

    Args:
        opened_page: Last part of the page's address. Streamlit marks the entry of that very page and no other.
    """
    with st.container(key="thaw-menu", horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link("projects.py", label="Thaw")
        if st.query_params.get("project"):
            opened = place.opened_project()
            for page, title in MENU:
                if opened.access not in OF.get(page, (opened.access,)):
                    continue
                is_marked = page == "runs.py" and opened_page in BELOW_RUNS
                with st.container(key=f"thaw-menu-{'here' if is_marked else title.lower()}", width="content"):
                    st.page_link(page, label=title, query_params=place.parameters(opened))
            if opened.access != "owner":
                st.caption("Shared with you" if opened.may_change else "Shared with you, to look at")


def title(text: str, lead: str = "", project: Project | None = None) -> None:
    """Draw the title of a page, under the project's name, with one sentence on what happens here."""
    eyebrow = f'<p class="thaw-eyebrow">{html.escape(project.name)}</p>' if project else ""
    sentence = f'<p class="thaw-lead">{html.escape(lead)}</p>' if lead else ""
    st.html(f'<header class="thaw-head">{eyebrow}<h1>{html.escape(text)}</h1>{sentence}</header>')


def entry(title: str, quiet: str, state: str = "", look: str = "quiet") -> str:
    """Return the words of one entry of a list; ``look`` gives the colour of the dot before the state."""
    dot = f'<p class="thaw-state thaw-dot-{look}">{html.escape(state)}</p>' if state else ""
    words = f'<h3>{html.escape(title)}</h3><p class="thaw-quiet">{html.escape(quiet)}</p>{dot}'
    return f'<div class="thaw-entry">{words}</div>'


def facts(pairs: list[tuple[str, str]]) -> None:
    """Draw a row of numbers with their names."""
    cells = "".join(
        f"<div><dd>{html.escape(value)}</dd><dt>{html.escape(name)}</dt></div>" for name, value in pairs if value
    )
    st.html(f'<dl class="thaw-facts">{cells}</dl>')


def message(kind: str, text: str, title: str = "") -> None:
    """Draw a plain sentence; ``kind`` gives its colour: ice, warm, good or quiet."""
    head = f"<p><strong>{html.escape(title)}</strong></p>" if title else ""
    st.html(f'<div class="thaw-message thaw-{kind}" role="status">{head}<p>{html.escape(text)}</p></div>')
