"""Results: what the model is worth on pictures that it never saw, and the model to take along."""

import html

import streamlit as st

from pages.parts import frame, gallery, place
from tlcore import http
from tlcore.backbones import table
from tlcore.errors import UserError
from tlcore.project import Project
from tlcore.results import confusion
from tlcore.results import report as reports
from tlcore.results.report import Mistake, Report
from tlcore.runs import ending, events
from tlcore.runs import run as runs
from tlcore.runs.run import Run

PER_PAGE = 24
INSIDE = """
- `model.keras`, the model: takes pictures as numbers from 0 to 255, everything else is inside
- `labels` and `metadata.json`: the class names, all settings, these scores
- `predict.py` with its `requirements.txt`: names the class of a picture on any computer with Python
- a few of your exam pictures, with the answers that the model must give

```
unzip thaw-….zip -d thaw-model && cd thaw-model
python -m pip install -r requirements.txt
python predict.py photo.jpg
python predict.py --selftest
```

The last line proves that the copy answers exactly as the model does here.
"""


def draw_verdict(report: Report) -> None:
    low, high = report.test_accuracy_interval
    frame.facts(
        [
            ("exam pictures named correctly", f"{report.test_accuracy:.1%}"),
            ("to be expected on new pictures (95 %)", f"{low:.0%} to {high:.0%}"),
            ("exam pictures", str(report.n_test)),
            ("always the most frequent class", f"{report.majority_accuracy:.0%}"),
        ]
    )
    frame.message("good" if low > report.majority_accuracy else "warm", confusion.verdict(report))


def draw_download(project: Project, run: Run) -> None:
    file = http.model_file(run)
    if not file.is_file():
        history = run.events.all()
        missing = events.last(history, events.NotPacked)
        if missing:
            frame.message("warm", missing.message)
        elif runs.state(run, history) == "finishing":
            frame.message("quiet", "The model is being packed. Load the page again in a moment.")
        else:
            frame.message("warm", "The model was not packed to the end. Go on with the run, and that is done anew.")
        return
    address, size = html.escape(http.model_path(project, run)), f"{file.stat().st_size / 1e6:.1f} MB"
    st.html(
        f'<div class="thaw-take"><a class="thaw-download" href="{address}" download>Download the model</a>'
        f'<span class="thaw-quiet">A zip of {size} that works without Thaw.</span></div>'
    )
    with st.expander("What is inside, and how to use it"):
        st.markdown(INSIDE)


def draw_classes(report: Report) -> None:
    st.subheader("Class by class", anchor=False)
    scores = [report.per_class[name] for name in report.class_names]
    as_bar = {"format": "%.0f %%", "min_value": 0, "max_value": 100}
    st.dataframe(
        {
            "Class": list(report.class_names),
            "Precision": [100 * score.precision for score in scores],
            "Recall": [100 * score.recall for score in scores],
            "F1": [100 * score.f1 for score in scores],
            "Exam pictures": [score.n_test for score in scores],
        },
        hide_index=True,
        column_config={
            "Precision": st.column_config.ProgressColumn(help="Of those named so, how many are", **as_bar),
            "Recall": st.column_config.ProgressColumn(help="Of those that are, how many are named so", **as_bar),
            "F1": st.column_config.ProgressColumn(help="Both in one number (harmonic mean)", **as_bar),
        },
    )
    st.caption(
        "Precision: of the pictures named so, how many are. Recall: of the pictures that are, how many are named so."
    )


def draw_confusion(report: Report) -> tuple[int, int] | None:
    st.subheader("What is taken for what", anchor=False)
    st.caption("Blue is right, orange is wrong. Choose a cell to see its pictures.")
    event = st.plotly_chart(
        confusion.figure(report, ink()),
        key="confusion",
        on_select="rerun",
        selection_mode="points",
        config={"displayModeBar": False},
        alt="Confusion matrix; the table above and the pictures below hold the same in words.",
    )
    points = event["selection"]["points"]
    return tuple(points[0]["customdata"][:2]) if points else None


def ink() -> str:
    """Return the colour of text in the theme that the browser shows."""
    return "#e6eef4" if st.context.theme.type == "dark" else "#14232e"


def caption_of(mistake: Mistake) -> str:
    return (
        f"{html.escape(mistake.class_name)}, taken for <span class='thaw-wrong'>{html.escape(mistake.predicted)}</span>"
        f" ({mistake.probability:.0%} sure)"
    )


def draw_mistakes(project: Project, mistakes: tuple[Mistake, ...], key: str) -> None:
    n_pages = max(1, -(-len(mistakes) // PER_PAGE))
    number = st.pagination(n_pages, key=f"page-{key}") if n_pages > 1 else 1
    gallery.draw(
        project,
        [
            gallery.Tile(each.content, f"{each.class_name}, taken for {each.predicted}", caption_of(each))
            for each in mistakes[(number - 1) * PER_PAGE : number * PER_PAGE]
        ],
        wide=True,
    )


def draw_cell(project: Project, run: Run, report: Report, cell: tuple[int, int]) -> None:
    row, column = cell
    is_name, says_name = report.class_names[row], report.class_names[column]
    if row == column:
        right = confusion.right_in(report, run.dataset(), run.split(), row)
        draw_cell_title(f"<b>{html.escape(is_name)}</b>, named correctly: {len(right)}")
        gallery.draw(project, [gallery.Tile(content, is_name) for content in right[:PER_PAGE]])
    else:
        wrong = confusion.mistakes_in(report, row, column)
        draw_cell_title(f"<b>{html.escape(is_name)}</b>, taken for <b>{html.escape(says_name)}</b>: {len(wrong)}")
        draw_mistakes(project, wrong, f"{row}-{column}")


def draw_cell_title(words: str) -> None:
    """Draw a line of HTML: Markdown would read signs in the names of classes as marks of its own."""
    st.html(f'<p class="thaw-cell">{words}</p>')


def draw_all_mistakes(project: Project, report: Report) -> None:
    st.subheader("The wrong ones", anchor=False)
    if not report.mistakes:
        frame.message("good", "None: every exam picture was named correctly.")
        return
    names = ("All classes", *report.class_names)
    shown = st.selectbox("Pictures of", names, key="mistakes-of")
    chosen = tuple(each for each in report.mistakes if shown in (names[0], each.class_name))
    st.caption(f"{len(chosen)} of {report.n_test} exam pictures, the most confident mistakes first.")
    draw_mistakes(project, chosen, f"all-{shown}")


def draw(project: Project, run: Run, report: Report) -> None:
    draw_verdict(report)
    draw_download(project, run)
    draw_classes(report)
    cell = draw_confusion(report)
    if cell:
        draw_cell(project, run, report, cell)
    draw_all_mistakes(project, report)


opened, run = place.opened_project(), place.opened_run()
known = table.BACKBONES.get(run.recipe().backbone)
frame.title("Results", f"{known.title if known else 'A model'}, on exam pictures that it never saw.", opened)
st.page_link("run.py", label="The run and its curves", icon=":material/show_chart:",
             query_params=place.parameters(opened, run))  # fmt: skip
if not run.report_file.is_file():
    raise UserError("This run has no results yet.", "Look at the run to see how far it is.")
if ending.has_gone_on(run):
    frame.message("quiet", "These are the results of when this run was ended before. It has gone on since.")
draw(opened, run, reports.load(run.report_file))
