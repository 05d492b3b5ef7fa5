"""Pictures as small copies, fetched by the browser as they come into view; nothing is decoded here."""

import html
from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from tlcore import http
from tlcore.project import Project


@dataclass(frozen=True)
class Tile:
    """One picture: which, what it shows for those who do not see it, and a caption in HTML."""

    content: str
    alt: str
    caption: str = ""


def draw(project: Project, tiles: Iterable[Tile], wide: bool = False) -> None:
    """Draw pictures in a grid."""
    figures = "".join(_figure(project, tile) for tile in tiles)
    st.html(f'<div class="thaw-gallery{" thaw-wide" if wide else ""}">{figures}</div>')


def _figure(project: Project, tile: Tile) -> str:
    source = html.escape(http.thumbnail_path(project, tile.content))
    caption = f"<figcaption>{tile.caption}</figcaption>" if tile.caption else ""
    return f'<figure><img loading="lazy" src="{source}" alt="{html.escape(tile.alt)}">{caption}</figure>'
