"""Pictures: bring them in, see what was found in them."""

import html
from pathlib import Path

import streamlit as st

from pages.parts import drop, findings, frame, gallery, place, problems, samples, understood, words
from tlcore import overview, workspace
from tlcore import project as projects
from tlcore.errors import DatasetError, UserError
from tlcore.images import flattery, intake, origin, split_table
from tlcore.images.dataset import Dataset
from tlcore.images.flattery import Flattery
from tlcore.images.intake_status import IntakeStatus
from tlcore.images.split import Split
from tlcore.project import Project
from tlcore.runs import run as runs
from tlcore.runs import spare
from tlcore.training.recipe import Recipe

PER_PAGE = 48
LAYOUT = """
One folder per class, as a folder, in a zip or in a tar archive (`.tar`, `.tgz`, `.tar.gz`):

```
flowers/
  daisy/   photo1.jpg  photo2.jpg  …
  tulip/   photo1.jpg  …
```

Folders `train`, `validation` and `test` with the classes inside are understood too, and so is a table `labels.csv`
beside the pictures:

```
filename,label
photo1.jpg,daisy
photo2.jpg,tulip
```
"""


def bring_in(project: Project) -> None:
    """Take pictures from the browser, or a folder of this computer where the installer allows it."""
    drop.area(project)
    if workspace.picture_folders():
        take_from_server(project)
    with st.expander("How should the folders look?"):
        st.markdown(LAYOUT)
    samples.offer(project)


def take_from_server(project: Project) -> None:
    allowed = ", ".join(f"`{folder}`" for folder in workspace.picture_folders())
    with st.form("from-server", border=False):
        path = st.text_input("Or a folder on this computer", help=f"Below: {allowed}")
        if st.form_submit_button("Take this folder") and path.strip():
            intake.receive_folder(project, Path(path.strip()))
            intake.start(project)
            st.rerun()


@st.fragment(run_every=1.0)
def watch() -> None:
    """Show how far the look over the pictures has come."""
    with problems.shown():
        project = place.opened_project()  # the link that a guest came by may have been withdrawn since
        status = intake.status(project)
        if status.state != "working":
            st.rerun()
        share = status.done / status.total if status.total else 0.0
        unit = f" {status.unit}" if status.unit else ""
        of_total = f": {words.number(status.done)} of {words.number(status.total)}{unit}" if status.total else " …"
        st.progress(min(1.0, share), text=f"{status.task or 'Looking over the pictures'}{of_total}")
        frame.message("quiet", "You may close this page: the work goes on, and the address shows it again.")
        if (
            project.may_change
            and not status.is_stopped
            and st.button("Stop", help="What has come so far stays, and you can go on later.")
        ):
            intake.stop(project)
            st.rerun()
        found = intake.mapping_of(project)
        if found:
            understood.show(found)


def show_classes(dataset: Dataset) -> None:
    counts = dataset.counts()
    largest = max(counts.values())
    rows = "".join(
        f'<b>{html.escape(name)}</b><i style="width:{100 * number / largest:.1f}%"></i><span>{number}</span>'
        for name, number in counts.items()
    )
    st.subheader("Classes", anchor=False)
    st.html(f'<div class="thaw-classes">{rows}</div>')


def show_findings(project: Project, dataset: Dataset) -> None:
    st.subheader("What we noticed", anchor=False)
    found = overview.findings_of(project)
    if not found and not dataset.set_aside:
        frame.message("good", "Nothing to worry about: every picture can be used.")
    findings.draw(project, found, may_answer=project.may_change and not runs.hold_pictures(project.runs))
    if dataset.set_aside:
        with st.expander(f"{words.count(len(dataset.set_aside), 'file')} set aside: which, and why"):
            rows = {"File": [row.file for row in dataset.set_aside], "Why": [row.reason for row in dataset.set_aside]}
            st.dataframe(rows, hide_index=True)


def usual_split(project: Project, dataset: Dataset) -> Split | None:
    """Return the parts as training would draw them; where that cannot be done, say why and return None."""
    try:
        return overview.split_of(project, dataset, Recipe())
    except DatasetError as error:
        problems.show(error)
        return None


def show_split(project: Project, dataset: Dataset, parts: Split) -> None:
    named = (
        ("Training pictures, to learn from", len(parts.train), "var(--ice)"),
        ("Check pictures, looked at after every epoch", len(parts.validation), "var(--amber)"),
        ("Exam pictures, looked at once at the end", len(parts.test), "var(--good)"),
    )
    bar = "".join(f'<span style="flex:{number};background:{color}"></span>' for _, number, color in named)
    legend = "".join(
        f'<li style="--swatch:{color}"><b>{number}</b> {html.escape(name)}</li>' for name, number, color in named
    )
    st.subheader("How they will be used", anchor=False)
    st.html(f'<div class="thaw-bar" aria-hidden="true">{bar}</div><ul class="thaw-legend">{legend}</ul>')
    if parts.left_out:
        left_out = words.count(len(parts.left_out), "picture")
        frame.message("quiet", f"{left_out} stay out: the check or exam pictures hold one that looks the same.")
    twice = flattery.load(intake.flattery_file(project))
    if twice.pictures:
        frame.message("quiet", in_words(twice))
    who = place.visitor()

    def table() -> str:
        projects.load(project.id, who)  # Streamlit runs no page for this, and a link may have been withdrawn
        return split_table.table(dataset, parts)

    st.download_button(
        "Download as a table (CSV)",
        table,
        file_name="thaw-split.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="split-table",
    )


def in_words(twice: Flattery) -> str:
    """Say how many near-copies there were, and what was measured about them."""
    groups = words.count(twice.groups, "group")
    there = f"{words.count(twice.pictures, 'picture')} look the same as another one, in {groups}"
    reach = f"With a plain random draw {twice.twins:.1%} of the exam pictures would have had such a twin to learn from"
    gain = f"{100 * (twice.plain - twice.honest):+.1f} points that are not earned"
    measure = (
        f"a program that names each exam picture after the most similar other one, and does nothing else, is right in "
        f"{twice.plain:.1%} of cases with these twins and in {twice.honest:.1%} without them, {gain}"
    )
    return f"{there}; here they always stay on one side. {reach}: {measure} (means of {twice.draws} draws)."


def show_gallery(project: Project, dataset: Dataset) -> None:
    st.subheader("Look at them", anchor=False)
    name = st.selectbox("Class", dataset.class_names, key="gallery-class")
    label = dataset.class_names.index(name)
    pictures = [picture for picture in dataset.pictures if picture.label == label]
    n_pages = max(1, -(-len(pictures) // PER_PAGE))
    number = st.pagination(n_pages, key=f"gallery-page-{label}") if n_pages > 1 else 1
    shown = pictures[(number - 1) * PER_PAGE : number * PER_PAGE]
    gallery.draw(project, [gallery.Tile(picture.content, f"{name}: {picture.file}") for picture in shown])


def show_all(project: Project, dataset: Dataset) -> None:
    pairs = [
        (f"{len(dataset.pictures):,}".replace(",", "\u202f"), "pictures"),
        (str(len(dataset.class_names)), "classes"),
        (str(len(dataset.set_aside)), "set aside"),
    ]
    frame.facts([(name, number) for number, name in pairs])
    whose = origin.load(origin.file_of(project))
    if whose:
        samples.credit(whose)
    parts = usual_split(project, dataset)
    if parts and project.may_change:
        with st.container(key="thaw-next"):
            st.page_link("train.py", label="Choose how to train", query_params=place.parameters(project))
    show_findings(project, dataset)
    show_classes(dataset)
    if parts:
        show_split(project, dataset, parts)
    show_gallery(project, dataset)
    offer_others(project)


def offer_others(project: Project) -> None:
    """Let other pictures take the place of these as long as no run has begun."""
    if not project.may_change:
        return
    if runs.runs_in(project.runs):
        st.caption("To train on other pictures, make a new project: results stay comparable within one.")
        return
    if runs.hold_pictures(project.runs):
        st.caption(
            "Other pictures can take their place once the runs that were deleted are gone for good. Until then they "
            "can be taken back, on the page Runs."
        )
        return
    st.subheader("Bring in other pictures", anchor=False)
    st.caption(
        "They replace the ones above. That is possible until the first training; after it the pictures stay, so that "
        "results within a project can be compared."
    )
    bring_in(project)


def show_failure(project: Project, status: IntakeStatus, has_pictures: bool) -> None:
    if status.is_stopped:
        frame.message("warm", status.advice, status.problem)
    else:
        problems.show(UserError(status.problem, status.advice))
    if (
        project.may_change
        and status.can_try_again
        and st.button("Try again", help="What was brought in is still here.")
    ):
        intake.start(project)
        st.rerun()
    if has_pictures:
        frame.message("quiet", "The pictures from before are still here, unchanged:")


opened = place.opened_project()
status = intake.status(opened)
is_asked = status.state == "asking" and opened.may_change
dataset = None if status.state == "working" or is_asked else overview.dataset_of(opened)
frame.title(
    "Pictures",
    ""
    if dataset
    else "One folder per class is all it takes. Every file is looked over once; what cannot be used is set aside and "
    "named.",
    opened,
)
if status.state == "failed" and not (dataset and runs.hold_pictures(opened.runs)):
    show_failure(opened, status, has_pictures=dataset is not None)
asked = intake.mapping_of(opened) if is_asked else None
if status.state == "working":
    watch()
elif asked:
    understood.ask(opened, asked)
elif dataset:
    show_all(opened, dataset)
elif opened.may_change:
    bring_in(opened)
elif status.state == "asking":
    frame.message("quiet", "Pictures have come in; something about them has to be answered first.")
else:
    frame.message("quiet", "There are no pictures in this project yet.")
if dataset and opened.may_change:
    spare.warm_up()  # training is the next page
