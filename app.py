"""The front door: the pages, and the routes beside them, behind one guard.

streamlit run app.py        or        python app.py        (start.py does it for you)
"""

import streamlit as st

from tlcore import http

app = st.App("pages/router.py", routes=http.routes(), middleware=http.middleware())

if __name__ == "__main__":
    app.run()
