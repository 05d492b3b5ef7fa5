"""What was found in the pictures, with an answer one click away, and every answer taken back as easily."""

import html

import streamlit as st

from pages.parts import frame, gallery, place, problems, words
from tlcore import overview
from tlcore.errors import UserError
from tlcore.images import answers
from tlcore.images.answers import Answer, Verdict
from tlcore.images.dataset import Dataset, Picture
from tlcore.images.finding import Finding
from tlcore.project import Project
from tlcore.runs import run as runs

PER_PAGE = 24
WHOLE = (
    "few",
    "imbalance",
    "parts",
    "empty",
    "shortcut",
    "border",
    "mixed_colour",
    "hash_only",
)  # nothing about single pictures
COPIES = ("duplicate", "near_copy")  # all but one of a group can go
UNDECIDED = ("conflict", "near_conflict", "leak")  # which one is wrong, only a person can tell
DONE: dict[Verdict, str] = {"leave out": "left out", "keep": "kept as they are", "move": "moved"}
TITLES = {
    "duplicate": "The same picture twice",
    "near_copy": "Near-copies",
    "conflict": "One picture, two classes",
    "near_conflict": "Alike, in two classes",
    "leak": "In training and in the exam",
    "tiny": "Tiny",
    "dark": "Very dark",
    "bright": "Very bright",
    "blurry": "Blurry",
    "mixed_colour": "Grey and colour",
    "unreadable": "Cannot be opened",
    "empty": "Empty class folder",
    "few": "Too few pictures",
    "imbalance": "Uneven classes",
    "parts": "Parts or classes?",
    "shortcut": "Shortcut",
    "border": "Told from the rim",
    "hash_only": "Compared less closely",
}


def draw(project: Project, found: tuple[Finding, ...], may_answer: bool) -> None:
    """Draw findings, the answers that can be given, and those that were."""
    looked_over = overview.looked_over(project)
    if looked_over is None:
        return
    for finding in found:
        draw_one(project, looked_over, finding, may_answer)
    draw_answers(project, may_answer)


@st.fragment
def draw_one(project: Project, looked_over: Dataset, finding: Finding, may_answer: bool) -> None:
    with problems.shown(), st.container(key=f"thaw-finding-{finding.kind}"):
        opened = place.opened_project()  # asked anew: a link may have been withdrawn since
        is_held = may_answer and runs.hold_pictures(opened.runs)  # a run has begun since, in another window perhaps
        may_answer = may_answer and opened.may_change and not is_held
        frame.message("warm", finding.message, TITLES.get(finding.kind, ""))
        if is_held:
            frame.message("quiet", "A run has begun, so the pictures of this project stay as they are.")
        by_file = {picture.file: picture for picture in looked_over.pictures}
        pictures = [by_file[file] for file in finding.files if file in by_file]
        if finding.files and not pictures:
            with st.expander(words.count(len(finding.files), "file")):
                st.dataframe({"File": list(finding.files)}, hide_index=True)
        chosen = []
        if pictures:
            with st.expander(
                "Look at " + ("it" if len(pictures) == 1 else f"the {len(pictures)} pictures"),
                expanded=finding.kind in UNDECIDED,
            ):
                chosen = show(project, looked_over, finding.kind, pictures, may_answer)
        if may_answer and finding.kind != "unreadable":
            offer(project, looked_over, finding, [picture.file for picture in chosen])


def show(project: Project, looked_over: Dataset, kind: str, pictures: list[Picture], may_answer: bool) -> list[Picture]:
    """Draw the pictures of a finding, a page at a time, and return those that were picked out."""
    n_pages = -(-len(pictures) // PER_PAGE)
    number = st.pagination(n_pages, key=f"finding-page-{kind}") if n_pages > 1 else 1
    start = (number - 1) * PER_PAGE
    shown = pictures[start : start + PER_PAGE]
    tiles = []
    for at, picture in enumerate(shown, start=start + 1):
        name = looked_over.class_names[picture.label]
        caption = f"<b>{at}</b> {html.escape(name)}"
        tiles.append(gallery.Tile(picture.content, f"{at}, {name}: {picture.file}", caption))
    gallery.draw(project, tiles)
    if not may_answer or len(pictures) == 1:
        return []
    numbers = list(range(start + 1, start + len(shown) + 1))
    picked = st.pills("Only some of them?", numbers, selection_mode="multi", key=f"pick-{kind}-{number}")
    return [pictures[at - 1] for at in picked or []]


def offer(project: Project, looked_over: Dataset, finding: Finding, chosen: list[str]) -> None:
    """Offer answers about the pictures that were picked out, else about the whole finding."""
    whole = [] if finding.kind in WHOLE else list(finding.files)
    leave = chosen or list(finding.spare if finding.kind in COPIES else whole if finding.kind not in UNDECIDED else ())
    with st.container(horizontal=True, gap="small"):
        if leave:
            label = f"Leave out {len(leave)} chosen" if chosen else leave_out_label(finding, len(leave))
            if st.button(label, key=f"leave-{finding.kind}", icon=":material/remove_circle:"):
                give(project, looked_over, answers.about(looked_over, finding.kind, "leave out", leave))
        if st.button("Keep " + (f"{len(chosen)} chosen" if chosen else "as it is"), key=f"keep-{finding.kind}"):
            give(project, looked_over, answers.about(looked_over, finding.kind, "keep", chosen or whole))
        if chosen or len(whole) == 1:
            with st.popover("Move to …"):
                target = st.selectbox("Class", looked_over.class_names, key=f"target-{finding.kind}")
                if st.button("Move", key=f"move-{finding.kind}", type="primary"):
                    moved = answers.about(looked_over, finding.kind, "move", chosen or whole, target)
                    give(project, looked_over, moved)


def leave_out_label(finding: Finding, number: int) -> str:
    if finding.spare:
        return "Leave out the copy" if number == 1 else f"Leave out {number} copies"
    return "Leave it out" if number == 1 else f"Leave out all {number}"


def give(project: Project, looked_over: Dataset, answer: Answer) -> None:
    try:
        answers.give(project, looked_over, answer)
    except UserError as error:
        problems.show(error)
        return
    st.rerun()


def draw_answers(project: Project, may_answer: bool) -> None:
    """Draw what was answered, the newest first, each with its way back."""
    given = answers.load(answers.file_of(project))
    for at, answer in reversed(list(enumerate(given))):
        with st.container(horizontal=True, vertical_alignment="center", key=f"thaw-answer-{at}"):
            st.html(f'<p class="thaw-quiet thaw-answer">{html.escape(in_words(answer))}</p>')
            if may_answer and st.button("Undo", key=f"undo-{at}", type="tertiary", icon=":material/undo:"):
                answers.take_back(project, at, answer)
                st.rerun()


def in_words(answer: Answer) -> str:
    title = TITLES.get(answer.kind, answer.kind)
    if not answer.pictures:
        return f"{title}: kept as it is"
    one = len(answer.pictures) == 1
    which = answer.pictures[0].file if one else words.count(len(answer.pictures), "picture")
    done = "kept as it is" if one and answer.verdict == "keep" else DONE[answer.verdict]
    where = f" to “{answer.class_name}”" if answer.verdict == "move" else ""
    return f"{title}: {which} {done}{where}"
