"""Home: what Thaw is, a new project, the list of one's own."""

import streamlit as st

from pages.parts import frame, place, problems, undo, words
from tlcore import cache, deletion, overview, project, workspace
from tlcore.project import Project

HERO = """
<section class="thaw-hero">
  <div class="thaw-logo" aria-hidden="true"><i></i><i></i><i></i><i></i><i></i></div>
  <h1>Teach a proven network your own pictures</h1>
  <p>Thaw takes a network that has already seen a million photos, keeps the part that knows edges and textures frozen,
  and lets the rest learn your classes. You see how well it does on pictures it never saw, and take the model with
  you.</p>
</section>
"""


def ask_for_new_project() -> None:
    with st.form("new-project", border=False):
        name_column, button_column = st.columns([4, 1], vertical_alignment="bottom")
        name = name_column.text_input("Name of a new project", placeholder="Flowers of our school garden", max_chars=80)
        if button_column.form_submit_button("Make it", type="primary", width="stretch"):
            made = project.create(place.visitor(), name)
            st.switch_page("pictures.py", query_params=place.parameters(made))


def draw_project(owned: Project) -> None:
    with st.container(border=True, key=f"project-{owned.id}", horizontal=True, vertical_alignment="center"):
        said, target = summary(owned)
        st.html(frame.entry(owned.name, said))
        if st.button("Open", key=f"open-{owned.id}"):
            st.switch_page(target, query_params=place.parameters(owned))
        with st.popover("Delete", key=f"delete-{owned.id}"):
            st.write("All its pictures, runs and models go with it. You can take that back for ten minutes.")
            is_meant = st.button("Delete the project", type="primary", key=f"really-{owned.id}")
    if is_meant:
        deletion.delete_project(owned)
        st.rerun()


def draw_shared(shared: Project) -> None:
    with st.container(border=True, key=f"project-{shared.id}", horizontal=True, vertical_alignment="center"):
        st.html(frame.entry(shared.name, summary(shared)[0]))
        if st.button("Open", key=f"open-{shared.id}"):
            st.switch_page("runs.py", query_params=place.parameters(shared))


def summary(known: Project) -> tuple[str, str]:
    """Return what there is to say about a project, and the page on which its owner goes on."""
    try:
        return in_words(known), "train.py" if overview.dataset_of(known) else "pictures.py"
    except overview.DAMAGED:
        return "Some of its files are damaged; its runs and models may be whole.", "runs.py"


def in_words(owned: Project) -> str:
    dataset = overview.dataset_of(owned)
    if dataset is None:
        return f"No pictures yet · made {words.moment(owned.created)}"
    counted = (
        f"{words.count(len(dataset.class_names), 'class', 'classes')}, {words.count(len(dataset.pictures), 'picture')}"
    )
    lines = overview.lines(owned)
    if not lines:
        return f"{counted} · no runs yet"
    best = max((line.test_accuracy for line in lines if line.test_accuracy is not None), default=None)
    newest = words.state(lines[0]).lower()
    result = f" · best exam result {best:.0%}" if best is not None else ""
    return f"{counted} · {words.count(len(lines), 'run')}, the newest {newest}{result}"


def offer_undo() -> None:
    with problems.shown():
        deleted = deletion.deleted_projects(place.visitor())
        undo.offer([(removed, f"the project “{project.name}”") for removed, project in deleted], may_remove=True)


def offer_to_clear() -> None:
    """Say how much is kept to save time, and offer to remove it."""
    kept = cache.size_bytes()
    if not kept:
        return
    with st.expander(f"Kept to save time: {cache.in_words(kept)}"):
        st.caption(
            "Decoded pictures, and what frozen stages answer to them, so that the next training need not compute it "
            f"again. At most {cache.in_words(workspace.cache_bytes())}; the longest unused goes first. Runs, models "
            "and pictures are not among it: removing it costs nothing but time."
        )
        needed = cache.pinned_bytes()
        if needed:
            st.caption(f"{cache.in_words(needed)} of it stay as long as there are runs that can go on with them.")
        if st.button("Remove it all", key="clear-cache"):
            cache.clear()
            st.rerun()


st.html(HERO)
identity = place.visitor()
ask_for_new_project()
mine = project.owned_by(identity)
if mine:
    st.subheader("Your projects", anchor=False)
    for each in mine:
        with problems.shown():
            draw_project(each)
else:
    frame.message(
        "ice", "You have no project yet. A project is a set of pictures and the runs on it; name one to begin."
    )
st.fragment(offer_undo, run_every=undo.LOOK_AGAIN_S if deletion.deleted_projects(identity) else None)()
shared = project.shared_with(identity)
if shared:
    st.subheader("Shared with you", anchor=False)
    for each in shared:
        with problems.shown():
            draw_shared(each)
offer_to_clear()
