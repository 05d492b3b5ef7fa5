"""The confusion matrix as a plot whose cells can be chosen, and the pictures behind a cell. No TensorFlow here."""

import html
import textwrap

import plotly.graph_objects as go

from tlcore.images.dataset import Dataset
from tlcore.images.split import Split
from tlcore.results.report import Mistake, Report

RIGHT_COLOR = "#3f8fc4"
WRONG_COLOR = "#e08a1e"
STRONG = 0.45  # share of a row from which on its cell is dark
NUMBERS_UP_TO = 24  # classes; beyond that the numbers would not fit into the cells
TICKS_UP_TO = 40  # classes; beyond that only every second, third ... has its name at the edge
TICK_LETTERS = 24  # longer names would squeeze the cells; the whole name is in the hover
HOVER_LETTERS = 60  # in one line


def figure(report: Report, ink: str) -> go.Figure:
    """Draw the confusion matrix: rows are what a picture is, columns what the model says.

    Blue is right and orange is wrong; the strength is the share of the row's class. A heat map cannot be clicked
    (Streamlit gets no selection from it), so every cell carries an unseen square marker with its row and column.

    Args:
        report: What to draw.
        ink: Colour of the numbers in pale cells.
    """
    names = [_literal(name) for name in report.class_names]
    drawn = go.Figure()
    drawn.add_heatmap(
        z=_signed_shares(report),
        x=names,
        y=names,
        zmin=-1,
        zmax=1,
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
        colorscale=[[0, WRONG_COLOR], [0.499, "rgba(224,138,30,0.10)"], [0.5, "rgba(128,144,160,0.10)"],
                    [0.501, "rgba(63,143,196,0.12)"], [1, RIGHT_COLOR]],
    )  # fmt: skip
    _add_cells(drawn, report, ink)
    longest = max(len(_short(name)) for name in report.class_names)
    drawn.update_layout(
        height=max(320, min(760, 90 + 56 * len(names))) + 4 * longest,  # names stand upright where it is narrow
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        dragmode=False,
        clickmode="event+select",
    )
    every = -(-len(names) // TICKS_UP_TO)
    drawn.update_xaxes(title="The model says")
    drawn.update_yaxes(title="It is", autorange="reversed")
    for axes in (drawn.update_xaxes, drawn.update_yaxes):
        axes(
            type="category",
            tickvals=names[::every],
            ticktext=[_short(name) for name in report.class_names[::every]],
            showgrid=False,
            zeroline=False,
            automargin=True,
        )
    return drawn


def _literal(name: str) -> str:
    """Return a name as Plotly shows it letter by letter; it would read tags and entities as HTML."""
    return html.escape(name, quote=False)


def _short(name: str) -> str:
    """Return a name for the edge of the matrix."""
    return _literal(name if len(name) <= TICK_LETTERS else name[: TICK_LETTERS - 1].rstrip() + "…")


def _whole(name: str) -> str:
    """Return a name for the hover, in as many lines as it needs."""
    return "<br>".join(_literal(line) for line in textwrap.wrap(name, HOVER_LETTERS, replace_whitespace=False))


def _signed_shares(report: Report) -> list[list[float]]:
    """Return the share of each row's class, negative where the answer is wrong."""
    shares = []
    for label, row in enumerate(report.confusion):
        total = max(1, sum(row))
        shares.append([(1 if label == column else -1) * number / total for column, number in enumerate(row)])
    return shares


def _add_cells(drawn: go.Figure, report: Report, ink: str) -> None:
    names, shares = [_literal(name) for name in report.class_names], _signed_shares(report)
    whole = [_whole(name) for name in report.class_names]
    cells = [(row, column) for row in range(len(names)) for column in range(len(names))]
    invisible = {"marker": {"opacity": 0}}
    drawn.add_scatter(
        x=[names[column] for _, column in cells],
        y=[names[row] for row, _ in cells],
        text=[f"It is {whole[row]},<br>the model says {whole[column]}" for row, column in cells],
        customdata=[[row, column, report.confusion[row][column]] for row, column in cells],
        mode="markers",
        marker={"symbol": "square", "size": max(12, min(44, 620 // len(names))), "opacity": 0},
        selected=invisible,
        unselected=invisible,
        hovertemplate="%{text}: %{customdata[2]}<extra></extra>",
    )
    for row, column in cells if len(names) <= NUMBERS_UP_TO else ():
        if report.confusion[row][column]:  # as annotations, which do not fade when a cell is chosen
            color = ink if abs(shares[row][column]) < STRONG else "#ffffff"
            font = {"size": 14, "color": color}
            number = str(report.confusion[row][column])
            drawn.add_annotation(x=names[column], y=names[row], text=number, showarrow=False, font=font)


def mistakes_in(report: Report, row: int, column: int) -> tuple[Mistake, ...]:
    """Return the wrong pictures of one cell, most confident first."""
    is_name, says_name = report.class_names[row], report.class_names[column]
    return tuple(each for each in report.mistakes if (each.class_name, each.predicted) == (is_name, says_name))


def right_in(report: Report, dataset: Dataset, split: Split, row: int) -> tuple[str, ...]:
    """Return the contents of the exam pictures of a class that the model named rightly."""
    wrong = {mistake.file for mistake in report.mistakes}
    exam = (dataset.pictures[number] for number in split.test)
    return tuple(each.content for each in exam if each.label == row and each.file not in wrong)


def verdict(report: Report) -> str:
    """Return what the accuracy is worth, in one or two sentences."""
    low, high = report.test_accuracy_interval
    right = round(report.test_accuracy * report.n_test)
    text = (
        f"The model named {right} of {report.n_test} exam pictures correctly, pictures that it never saw in training. "
        f"On new pictures like these, expect between {low:.0%} and {high:.0%}. "
    )
    if low > report.majority_accuracy:
        return text + f"Always naming the most frequent class would reach {report.majority_accuracy:.0%}."
    return text + (
        f"That is not clearly better than always naming the most frequent class, which would reach "
        f"{report.majority_accuracy:.0%}: more pictures or another freeze depth are needed."
    )
