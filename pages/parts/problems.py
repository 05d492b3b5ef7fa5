"""The one place where errors become words on a page."""

import contextlib
import html
import logging
import traceback
from collections.abc import Iterator

import streamlit as st

from tlcore import disk
from tlcore.errors import UserError


@contextlib.contextmanager
def shown() -> Iterator[None]:
    """Show what goes wrong inside the block. Fragments need it too: they run without the page around them."""
    try:
        yield
    except UserError as error:
        show(error)
    except Exception as error:
        if isinstance(error, OSError) and disk.is_full(error):
            show(UserError(disk.FULL, "Free some space, then try again. Pictures, runs and models are safe."))
            return
        logging.getLogger("thaw").exception("A page broke")
        show(_our_fault(traceback.format_exc()))


def show(error: UserError) -> None:
    """Show a problem, what to do next, and the technical text for those who ask for it."""
    st.html(
        '<div class="thaw-message thaw-problem" role="alert">'
        f"<p><strong>{html.escape(error.problem)}</strong></p><p>{html.escape(error.advice)}</p></div>"
    )
    if error.detail:
        with st.expander("Technical details"):
            st.code(error.detail, language=None, wrap_lines=True)


def _our_fault(detail: str) -> UserError:
    return UserError(
        "Something broke on our side.",
        "Your pictures and runs are safe. Load the page again; if it stays, send the technical details to whoever runs "
        "Thaw.",
        detail,
    )
