"""The front door: the pages, and the routes beside them, behind one guard; and what works as long as the server does.

streamlit run app.py        or        python app.py        (start.py does it for you)
"""

import contextlib
from collections.abc import AsyncIterator

import streamlit as st

from tlcore import deletion, http, http_upload
from tlcore.runs import scheduler


@contextlib.asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Start waiting runs, and remove what was deleted long enough ago, as long as the server runs."""
    with scheduler.running(), deletion.sweeping():
        yield


app = st.App(
    "pages/router.py", routes=http.routes() + http_upload.routes(), middleware=http.middleware(), lifespan=lifespan
)

if __name__ == "__main__":
    app.run()
