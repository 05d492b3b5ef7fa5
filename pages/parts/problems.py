"""The one place where errors become words on a page."""

import contextlib
import html
import logging
import time
import traceback
from collections.abc import Iterator

import streamlit as st

from tlcore import disk
from tlcore.errors import UserError

REMIND_S = 20.0
"""For how long a refusal stands on a page that draws itself anew every few seconds: long enough to be read twice."""
_REFUSED = "refused"


@contextlib.contextmanager
def shown() -> Iterator[None]:
    """Show what goes wrong inside the block. Fragments need it too: they run without the page around them."""
    try:
        yield
    except Exception as error:
        show(_in_words(error))


@contextlib.contextmanager
def remembered(where: str) -> Iterator[None]:
    """Keep what goes wrong with a press inside the block: a part of a page that draws itself anew would forget it.

    Args:
        where: Which part of which page, as ``remind`` asks for it.
    """
    st.session_state.pop(_REFUSED, None)
    try:
        yield
    except Exception as error:
        st.session_state[_REFUSED] = (where, time.monotonic(), _in_words(error))
        st.rerun()


def remind(where: str) -> None:
    """Show what was refused a moment ago."""
    refused, moment, error = st.session_state.get(_REFUSED, ("", 0.0, None))
    if error and refused == where and time.monotonic() - moment < REMIND_S:
        show(error)


def _in_words(error: Exception) -> UserError:
    """Turn what went wrong into what is said about it."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError) and disk.is_full(error):
        return UserError(disk.FULL, "Free some space, then try again. Pictures, runs and models are safe.")
    logging.getLogger("thaw").error("A page broke", exc_info=error)
    return _our_fault("".join(traceback.format_exception(error)))


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
