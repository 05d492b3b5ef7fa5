"""Train: choose a backbone, how much of it stays frozen, and start."""

import html
from dataclasses import replace

import streamlit as st

from pages.parts import again, frame, network, place
from tlcore import overview
from tlcore.backbones import stage_table, table, weights
from tlcore.backbones.backbone import Backbone
from tlcore.errors import UserError
from tlcore.images import intake
from tlcore.images.dataset import Dataset
from tlcore.project import Project
from tlcore.runs import order, queue, spare
from tlcore.training import preview, settling
from tlcore.training.recipe import Recipe

CARDS_PER_ROW = 3


def chosen_backbone(project: Project, dataset: Dataset) -> tuple[Backbone, str]:
    """Return the backbone that the address names, else the one that Thaw suggests, with its reason."""
    if "backbone" in st.query_params:
        return table.get(st.query_params["backbone"]), ""
    recipe, reason = suggestion(project, "auto", dataset, "Backbone")
    return table.get(recipe.backbone), reason


def choose(name: str) -> None:
    st.query_params["backbone"] = name
    st.query_params.pop("frozen", None)  # another backbone has other stages


def draw_cards(chosen: Backbone) -> None:
    own, *cards = table.cards()
    draw_card(own, is_chosen=own.name == chosen.name)
    st.caption(f"The others see more. What each of them gains and costs, compared with {own.title}:")
    for start in range(0, len(cards), CARDS_PER_ROW):
        for column, card in zip(st.columns(CARDS_PER_ROW), cards[start : start + CARDS_PER_ROW], strict=True):
            with column:
                draw_card(card, is_chosen=card.name == chosen.name)


def draw_card(card: Backbone, is_chosen: bool) -> None:
    with st.container(border=True, key=f"card-{'chosen' if is_chosen else 'other'}-{card.name}"):
        st.html(
            f'<div class="thaw-card"><h3>{html.escape(card.title)}</h3><p>{html.escape(card.card)}</p>'
            f"<ul><li>{accuracy_of(card)}</li><li>{cost_of(card)}</li>"
            f'<li class="{"thaw-here" if weights.is_here(card) else "thaw-away"}">{where(card)}</li></ul></div>'
        )
        st.button(
            "Chosen" if is_chosen else "Choose",
            key=f"choose-{card.name}",
            help=None if is_chosen else f"Train with {card.title}",
            icon=":material/check:" if is_chosen else None,
            on_click=choose,
            args=(card.name,),
            width="stretch",
        )


def accuracy_of(card: Backbone) -> str:
    """Return how often a backbone is right: on ImageNet, and on small sets of photos where that was measured."""
    known = [f"ImageNet: {card.imagenet_top1:.0%} right"] if card.imagenet_top1 else []
    known += [f"small photo sets: {card.probe_accuracy:.0%} right"] if card.probe_accuracy else []
    text = " · ".join(known) or "ImageNet result not published"
    return text[0].upper() + text[1:]


def cost_of(card: Backbone) -> str:
    """Return size and time per picture."""
    weight = f"{card.parameters / 1e6:.1f} million weights"
    if card.bundled or not card.relative_time:
        return weight
    return f"{weight} · {times(card.relative_time)} the time"


def times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"


def where(card: Backbone) -> str:
    if card.bundled and weights.is_here(card):
        return "on this computer, no download"
    if card.bundled:
        return "its file is missing: get Thaw anew"
    return "on this computer" if weights.is_here(card) else f"will be downloaded, {card.size_mb:.0f} MB"


def draw_all_backbones(chosen: Backbone) -> None:
    with st.expander("All backbones", expanded=chosen not in table.cards()):
        names, key = list(table.BACKBONES), f"all-backbones-{chosen.name}"
        st.selectbox(
            "Backbone",
            names,
            index=names.index(chosen.name),
            format_func=lambda name: table.get(name).title,
            key=key,
            on_change=lambda: choose(st.session_state[key]),
        )
        st.caption(f"{accuracy_of(chosen)} · {cost_of(chosen)} · {where(chosen)}")


def ask_depth(backbone: Backbone, suggested: Recipe, reason: str) -> int:
    stages = stage_table.stages(backbone.name)
    usual = as_number(str(suggested.frozen_stages), len(stages)) or 0
    asked, key = as_number(st.query_params.get("frozen", ""), len(stages)), f"depth-{backbone.name}"
    st.subheader("Freeze depth", anchor=False)
    frozen = st.slider(
        "How many stages stay frozen, counted from the picture",
        min_value=0,
        max_value=len(stages),
        value=usual if asked is None else asked,
        key=key,
        on_change=lambda: keep_depth(st.session_state[key]),
        help="Frozen stages keep what they learned from a million photos. Learning stages adapt to your pictures.",
    )
    network.draw(stages, frozen)
    share = stage_table.learning_share(backbone.name, frozen)
    st.html(f'<p class="thaw-quiet">{html.escape(depth_in_words(frozen, len(stages), share))}</p>')
    st.caption(f"Thaw suggests {usual}: {reason}")
    return frozen


def as_number(depth: str, n_stages: int) -> int | None:
    """Return a freeze depth as a number of stages, or None where it is none of this backbone."""
    numbers = {"all": n_stages, "none": 0} | {str(number): number for number in range(n_stages + 1)}
    return numbers.get(depth)


def keep_depth(frozen: int) -> None:
    st.query_params["frozen"] = str(frozen)


def depth_in_words(frozen: int, n_stages: int, share: float) -> str:
    if frozen == n_stages:
        return "All frozen: only the new final layers learn. Fast, safe with few pictures."
    learning = (
        f"{share:.0%} of the backbone's weights will learn, after the new final layers have had their first rounds."
    )
    return learning if frozen else f"Nothing frozen: {learning} Needs many pictures and time."


def show_views(project: Project, dataset: Dataset, recipe: Recipe) -> None:
    """Show what training will see of one of the user's own pictures."""
    number = st.session_state.setdefault("preview_picture", 0)
    if st.button("Another picture", icon=":material/shuffle:"):
        number = st.session_state["preview_picture"] = number + 1
    picture = dataset.pictures[number * 7919 % len(dataset.pictures)]
    file = project.thumbnails / f"{picture.content}.jpg"
    if not file.is_file():
        frame.message("quiet", "The small copy of this picture is not there yet.")
        return
    shown = preview.views(file, recipe, count=8)
    tiles = "".join(
        f'<figure><img src="{address}" alt="{"The picture itself" if place == 0 else f"Random view {place}"}">'
        f"<figcaption>{'as it is' if place == 0 else ''}</figcaption></figure>"
        for place, address in enumerate(shown)
    )
    st.html(f'<div class="thaw-gallery">{tiles}</div>')


def suggestion(project: Project, backbone: str, dataset: Dataset, about: str) -> tuple[Recipe, str]:
    """Return what Thaw would choose, and its reason for one of the choices."""
    usual = Recipe(backbone=backbone)
    parts = overview.split_of(project, dataset, usual)
    settled = settling.settle(usual, dataset, parts)
    reasons = [reason.partition(": ")[2] for reason in settled.reasons if reason.startswith(about)]
    return settled.recipe, reasons[0] if reasons else ""


def start(project: Project, dataset: Dataset, recipe: Recipe) -> None:
    parts = overview.split_of(project, dataset, recipe)
    run = order.place(project.runs, recipe, dataset, parts, queue.name_of(place.visitor()))
    st.switch_page("run.py", query_params=place.parameters(project, run))


def ask(project: Project, dataset: Dataset) -> None:
    form = again.form(project)
    st.subheader("Backbone", anchor=False)
    backbone, why = chosen_backbone(project, dataset)
    if why:
        st.caption(f"Thaw suggests {backbone.title}: {why}")
    draw_cards(backbone)
    draw_all_backbones(backbone)
    suggested, reason = suggestion(project, backbone.name, dataset, "Freeze depth")
    recipe = replace(form.begin, backbone=backbone.name, frozen_stages=ask_depth(backbone, suggested, reason))
    with st.expander("More settings"):
        recipe = replace(recipe, **form.ask(suggested, len(dataset.class_names)))
        recipe = replace(recipe, **form.ask_augmentation())
        show_views(project, dataset, recipe)
    if st.button("Start training", type="primary", icon=":material/play_arrow:", key="start"):
        start(project, dataset, recipe)


opened = place.opened_project()
dataset = overview.dataset_of(opened)
frame.title("Train", "Choose a proven network and how much of it stays as it is. Thaw decides the rest.", opened)
place.refuse_who_only_looks(opened)
if dataset is None:
    st.page_link("pictures.py", label="Bring in pictures", query_params=place.parameters(opened))
    raise UserError("There are no pictures in this project yet.", "Bring some in first.")
if intake.status(opened).state == "working":  # they are about to be replaced
    raise UserError("The pictures of this project are being looked over.", "Wait until that is done.")
if intake.status(opened).state == "asking":  # so may these
    st.page_link("pictures.py", label="Answer", query_params=place.parameters(opened))
    raise UserError("Pictures that were brought in wait for a word from you.", "Answer on the page Pictures first.")
ask(opened, dataset)
spare.warm_up()  # after everything is drawn: while someone chooses, a worker gets ready
