"""The way in: which pages there are, the frame around them, and where errors end up."""

import streamlit as st

from pages.parts import frame, place, problems

st.set_page_config(page_title="Thaw", page_icon=str(frame.ICON), layout="centered", initial_sidebar_state="collapsed")
page = st.navigation(
    [
        st.Page("projects.py", title="Thaw", default=True),
        st.Page("pictures.py", title="Pictures · Thaw"),
        st.Page("train.py", title="Train · Thaw"),
        st.Page("runs.py", title="Runs · Thaw"),
        st.Page("run.py", title="Run · Thaw"),
        st.Page("results.py", title="Results · Thaw"),
        st.Page("share.py", title="Share · Thaw"),
    ],
    position="hidden",
)
frame.dress()
with problems.shown():
    place.come_in()
    frame.menu(page.url_path)
    page.run()
