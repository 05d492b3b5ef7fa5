"""What was understood from the folders that came in, and what has to be asked about it."""

import html

import streamlit as st

from pages.parts import drop, frame, words
from tlcore.images import incoming, intake
from tlcore.images.incoming import Answer
from tlcore.images.layout import Reading
from tlcore.images.mapping import Mapping, Question, Row
from tlcore.project import Project

ROWS = 60
COLUMNS = {"train": "Training", "validation": "Check", "test": "Exam", "": "Files"}


def show(found: Mapping) -> None:
    """Show which folder or label becomes which class, with the number of files."""
    if not found.rows:
        return
    parts = [part for part in COLUMNS if any(row.files.get(part) for row in found.rows)]
    names = {"": "Not in a part"} if len(parts) > 1 else {}
    head = "".join(f"<th>{names.get(part, COLUMNS[part])}</th>" for part in parts)
    source = "Label" if found.table else "Folder"
    lines = "".join(
        f"<tr><td>{html.escape(_source(row, found))}</td>"
        + f"<td>{html.escape(row.class_name)}</td>"
        + "".join(f"<td>{words.number(row.files.get(part, 0))}</td>" for part in parts)
        + "</tr>"
        for row in found.rows[:ROWS]
    )
    more = len(found.rows) - ROWS
    rest = f'<p class="thaw-quiet">… and {words.count(more, "more class", "more classes")}.</p>' if more > 0 else ""
    st.subheader(f"What {found.table} says" if found.table else "What the folders say", anchor=False)
    st.html(
        f'<div class="thaw-mapping"><table><thead><tr><th>{source}</th><th>Class</th>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>{rest}"
    )
    if found.left_out and not found.questions:
        st.caption(f"{words.count(found.left_out, 'file')} without a place among them; which and why is shown later.")


def _source(row: Row, found: Mapping) -> str:
    """Return where a class comes from; the folder above its folders is left open where there are several."""
    if found.table:
        return row.class_name
    above, _, name = row.folder.rpartition("/")
    in_parts = any(part for row in found.rows for part in row.files if part)
    return "/".join(filter(None, (above.rpartition("/")[0], "…", name))) if in_parts else row.folder


def ask(project: Project, found: Mapping) -> None:
    """Ask what only the owner of the pictures can say, and take more pictures beside those that are here."""
    frame.message("warm", "Before Thaw looks at the pictures, it needs a word from you.")
    show(found)
    may_add = incoming.can_be_added_to(project)
    given = _fields({question.kind: question for question in found.questions}, may_add)
    with st.container(horizontal=True):
        if found.can_go_on and st.button("Go on like this", type="primary"):
            intake.answer(project, given)
            st.rerun()
        if given.class_name and st.button("Make them a class", type="primary"):
            intake.answer(project, given)
            st.rerun()
        if st.button("Start afresh"):
            intake.discard(project)
            st.rerun()
    st.subheader("Add more pictures to these" if may_add else "Bring in others instead", anchor=False)
    drop.area(project)


def _fields(asked: dict[str, Question], may_add: bool) -> Answer:
    """Draw a field for each question; return what they say.

    Args:
        asked: The questions by their kind.
        may_add: Whether further files can come beside these, and these be moved.
    """
    is_inner = one_case = False
    class_name = ""
    if "one_class" in asked:
        name = asked["one_class"].names[0]
        how = (
            "drop the folder of another class below, and it comes beside this one."
            if may_add
            else "put the folder of another class beside this one, and take the folder above both."
        )
        frame.message("ice", f"All pictures are in one class, “{name}”. A classifier needs at least two: {how}")
    if "no_class" in asked:
        number = words.count(asked["no_class"].count, "picture")
        if may_add:
            label = f"{number} without a class folder. What do they show?"
            class_name = st.text_input(label, max_chars=80, placeholder="daisies").strip()
        else:
            frame.message("ice", f"{number} without a class folder. Make one folder per class and take the one above.")
    if "inner" in asked:
        inside = ", ".join(asked["inner"].names) + (" …" if asked["inner"].count > len(asked["inner"].names) else "")
        choices = ("The outer folders, as in the list above", f"The folders inside them: {inside}")
        is_inner = st.radio("Which folders are the classes?", choices) == choices[1]
    if "case" in asked:
        named = ", ".join(f"“{name}”" for name in asked["case"].names)
        choices = ("They are the same class", "They are classes of their own")
        one_case = st.radio(f"{named} differ in capital letters only.", choices) == choices[0]
    if "outside" in asked:
        question = asked["outside"]
        some = ", ".join(question.names) + (" …" if question.count > len(question.names) else "")
        lie = "lies" if question.count == 1 else "lie"
        frame.message(
            "ice",
            f"{words.count(question.count, 'picture')} {lie} outside of any class folder and will stay out: {some}",
        )
    return Answer(Reading(inner=is_inner, one_case=one_case), class_name)
