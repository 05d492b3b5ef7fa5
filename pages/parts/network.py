"""A picture of a backbone: its stages from the image to the new final layers, frozen in ice, learning in amber.

Height follows the resolution that a stage hands on, width its channels, both on a square-root scale. The words are
plain HTML, so that they take the page's colours and can be read aloud; only the blocks are drawn.
"""

import base64
import html
import math
from dataclasses import dataclass

import streamlit as st

from tlcore.backbones.stage_table import Stage

TALLEST = 104
FLAKE_ROOM = 22
SNOWFLAKE = "".join(
    f'<path d="M0 0V-8M0 -5.4l-2.7 -2.2M0 -5.4l2.7 -2.2" transform="rotate({turn})"/>' for turn in range(0, 360, 60)
)
# front, side, top
ICE = ("#8fc7e6", "#5f9fc4", "#b9def1")
AMBER = ("#eda548", "#c27a1b", "#f6c583")
PICTURE = (
    '<rect x="1" y="1" width="58" height="58" rx="6" fill="#d8e9f3" stroke="#8fb3c9"/>'
    '<circle cx="45" cy="16" r="7" fill="#eda548"/>'
    '<path d="M3 55L22 26L36 42L44 30L57 55Z" fill="#5f9fc4"/>'
)


@dataclass(frozen=True)
class Block:
    """One block of the drawing: its measures in pixels and the words below it."""

    height: float
    width: float
    depth: float
    title: str
    lines: tuple[str, ...]
    is_frozen: bool


def draw(stages: tuple[Stage, ...], frozen: int) -> None:
    """Draw a backbone with its first ``frozen`` stages frozen."""
    blocks = [_block(stage, stages, frozen) for stage in stages]
    blocks.append(Block(38, 16, 11, "New final layers", ("all new", "learn"), is_frozen=False))
    picture = _cell(_image(PICTURE, 60, 60), "Picture", (), "thaw-plain")
    cells = "".join(
        _cell(_cuboid(block), block.title, block.lines, "thaw-frozen" if block.is_frozen else "thaw-learning")
        for block in blocks
    )
    words = html.escape(_in_words(len(stages), frozen))
    st.html(f'<div class="thaw-network" role="group" aria-label="{words}">{picture}{cells}</div>')


def _in_words(n_stages: int, frozen: int) -> str:
    if frozen == 0:
        return f"All {n_stages} stages and the new final layers learn."
    if frozen == n_stages:
        return f"All {n_stages} stages are frozen; only the new final layers learn."
    return f"Of {n_stages} stages the first {frozen} are frozen; the others and the new final layers learn."


def _block(stage: Stage, stages: tuple[Stage, ...], frozen: int) -> Block:
    tallest = max(each.shape[0] for each in stages)
    widest = max(each.shape[2] for each in stages)
    share = stage.parameters / sum(each.parameters for each in stages)
    is_frozen = stage.number <= frozen
    return Block(
        height=max(20.0, TALLEST * math.sqrt(stage.shape[0] / tallest)),
        width=11 + 54 * math.sqrt(stage.shape[2] / widest),
        depth=max(8.0, 30 * math.sqrt(stage.shape[0] / tallest)),
        title=stage.title,
        lines=(
            f"{stage.shape[0]} × {stage.shape[1]} px",
            ("under 1 %" if share < 0.01 else f"{share:.0%}") + " of weights",
            "frozen" if is_frozen else "learns",
        ),
        is_frozen=is_frozen,
    )


def _cell(image: str, title: str, lines: tuple[str, ...], look: str) -> str:
    words = "".join(f"<span>{html.escape(line)}</span>" for line in lines)
    return f'<div class="{look}"><div>{image}</div><b>{html.escape(title)}</b>{words}</div>'


def _cuboid(block: Block) -> str:
    """Return the drawing of one block; frozen ones carry a snowflake."""
    front, side, top = ICE if block.is_frozen else AMBER
    w, h, d = block.width, block.height, block.depth
    lift = d * 0.6
    y = FLAKE_ROOM + lift
    shape = (
        f'<path d="M0 {y:.1f}l{d:.1f} {-lift:.1f}h{w:.1f}l{-d:.1f} {lift:.1f}z" fill="{top}"/>'
        f'<path d="M{w:.1f} {y:.1f}l{d:.1f} {-lift:.1f}v{h:.1f}l{-d:.1f} {lift:.1f}z" fill="{side}"/>'
        f'<path d="M0 {y:.1f}h{w:.1f}v{h:.1f}h{-w:.1f}z" fill="{front}"/>'
    )
    if block.is_frozen:
        place = f"translate({(w + d) / 2:.1f} {FLAKE_ROOM - 11})"
        look = 'stroke="#5f9fc4" stroke-width="1.7" stroke-linecap="round" fill="none"'
        shape += f'<g transform="{place}" {look}>{SNOWFLAKE}</g>'
    return _image(shape, w + d, y + h)


def _image(shape: str, width: float, height: float) -> str:
    """Return a drawing as an image; pages let no drawing through that is written into their HTML."""
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 20:.1f}" height="{height:.1f}" '
        f'viewBox="-10 0 {width + 20:.1f} {height:.1f}">{shape}</svg>'
    )
    source = "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
    return f'<img src="{source}" alt="" width="{width + 20:.0f}" height="{height:.0f}">'
