"""Sets for those who have no pictures at hand: drawn by Thaw, or published by others; and whom a set in use is from."""

import html

import streamlit as st

from pages.parts import words
from tlcore.images import intake
from tlcore.images.origin import Origin
from tlcore.project import Project
from tlcore.samples import public, sample
from tlcore.samples.public import PublicSet
from tlcore.samples.sample import Sample


def offer(project: Project) -> None:
    """Offer the sets, one click each."""
    st.subheader("No pictures at hand?", anchor=False)
    st.caption("Thaw draws a set for you, in a few seconds and without the internet.")
    for column, drawn in zip(st.columns(len(sample.SAMPLES)), sample.SAMPLES.values(), strict=True):
        with column, st.container(border=True, height="stretch", key=f"thaw-sample-{drawn.name}"):
            _offer_drawn(project, drawn)
    st.caption("Or it fetches photos that others have published. That needs the internet, once for each set.")
    for column, published in zip(st.columns(len(public.SETS)), public.SETS.values(), strict=True):
        with column, st.container(border=True, height="stretch", key=f"thaw-public-{published.name}"):
            _offer_public(project, published)


def credit(origin: Origin) -> None:
    """Say whom the pictures in use come from, and what those allow."""
    st.html(f'<p class="thaw-quiet thaw-origin"><b>{html.escape(origin.title)}</b>, {_whose(origin)}</p>')


def _offer_drawn(project: Project, drawn: Sample) -> None:
    st.markdown(f"**{drawn.name.capitalize()}**")
    number = drawn.per_class * len(drawn.class_names)
    st.caption(f"{drawn.sentence} {number} pictures in {len(drawn.class_names)} classes.")
    if st.button("Try these", key=f"sample-{drawn.name}", width="stretch"):
        intake.receive_sample(project, drawn.name)
        intake.start(project)
        st.rerun()


def _offer_public(project: Project, published: PublicSet) -> None:
    is_here = published.file.is_file()
    st.markdown(f"**{published.origin.title}**")
    there = f"{words.count(published.pictures, 'picture')} in {len(published.class_names)} classes"
    size = "on this computer already" if is_here else f"{published.size_bytes / 1e6:.0f}\u00a0MB to fetch"
    st.caption(f"{published.sentence} {there}; {size}.")
    st.html(f'<p class="thaw-quiet thaw-origin">Photos {_whose(published.origin)}</p>')
    if st.button("Use these" if is_here else "Fetch and use", key=f"public-{published.name}", width="stretch"):
        intake.receive_link(project, published.name)
        intake.start(project)
        st.rerun()


def _whose(origin: Origin) -> str:
    """Return who made a set, the licence with its link, and what it allows."""
    name = html.escape(origin.licence or "where they are from")
    link = f'<a href="{html.escape(origin.licence_url)}" target="_blank" rel="noopener">{name}</a>'
    licence = f"Licence: {link}" if origin.licence else f"We know of no licence ({link})"
    return f"by {html.escape(origin.made_by)}.<br>{licence}. {html.escape(origin.allows)}"
