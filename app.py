"""The front door: the pages, and the routes beside them, behind one guard.

streamlit run app.py        or        python app.py        (start.py does it for you)
"""

import streamlit as st

from tlcore import http, http_upload

app = st.App("pages/router.py", routes=http.routes() + http_upload.routes(), middleware=http.middleware())

if __name__ == "__main__":
    app.run()
