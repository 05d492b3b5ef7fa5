"""What was deleted a moment ago, with a button to take that back."""

import html

import streamlit as st

from pages.parts import problems, words
from tlcore import deletion, removal
from tlcore.removal import Removed

LOOK_AGAIN_S = 20.0
"""On a page that asks for nothing else by itself: what cannot be taken back any more must not stand there for long."""


def offer(deleted: list[tuple[Removed, str]], *, may_remove: bool) -> None:
    """Draw a line for each thing that was deleted.

    Args:
        deleted: What lies aside, and its name.
        may_remove: Whether whoever looks may also end the ten minutes, which nobody can take back.
    """
    problems.remind("undo")
    refuse_what_is_gone({f"undo-{removed.name}" for removed, _ in deleted})
    for removed, name in deleted:
        with st.container(key=f"thaw-undo-{removed.name}", horizontal=True, vertical_alignment="center"):
            left = words.count(removal.minutes_left(removed), "minute")
            st.html(f'<p class="thaw-quiet">Deleted: {html.escape(name)}. It can be taken back for {left}.</p>')
            if st.button("Undo", key=f"undo-{removed.name}", icon=":material/undo:"):
                with problems.remembered("undo"):
                    removal.take_back(removed)
                    st.rerun()
            if may_remove:
                draw_removal(removed)


def draw_removal(removed: Removed) -> None:
    with st.popover("Remove it now", key=f"thaw-now-{removed.name}"):
        st.write("That frees the disk at once, and nobody can take it back.")
        is_meant = st.button("Remove it for good", type="primary", key=f"now-{removed.name}")
    if is_meant:
        deletion.remove_for_good(removed)
        st.rerun()


def refuse_what_is_gone(offered: set[str]) -> None:
    """Say so where somebody has pressed what stood on the page and is no longer offered."""
    pressed = {str(key) for key, value in st.session_state.items() if str(key).startswith("undo-") and value is True}
    if pressed - offered:
        with problems.remembered("undo"):
            raise removal.too_late()
