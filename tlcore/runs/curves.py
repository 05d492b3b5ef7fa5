"""The curves of a run: events -> pandas -> plotly. No TensorFlow here.

The horizontal axis counts epochs (rounds): the end of epoch 3 is at 3, and a batch lies on its way there. Blue and
orange stay apart for people who do not tell red from green, and training and check differ in shape as well.
"""

from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from tlcore.runs import events
from tlcore.runs.events import Event

Metric = Literal["loss", "accuracy"]

TRAINING_COLOR = "#4a8fc7"
CHECK_COLOR = "#dd7f14"
QUIET_COLOR = "#8593a3"  # readable on white and on near-black
MAX_POINTS = 2000
PHASE_TITLES = {"head": "New final layers", "fine-tuning": "Fine-tuning"}
TITLES: dict[Metric, str] = {"loss": "Loss (lower is better)", "accuracy": "Accuracy (higher is better)"}


def batches(history: list[Event]) -> pd.DataFrame:
    """Return columns x, loss, accuracy: one row per batch event, in order of x."""
    steps = {phase.first_epoch: phase.steps_per_epoch for phase in events.of_type(history, events.PhaseStarted)}
    rows = [
        (event.epoch - 1 + event.step / _steps_of(steps, event.epoch), event.loss, event.accuracy)
        for event in events.of_type(history, events.BatchEnd)
    ]
    frame = pd.DataFrame(rows, columns=["x", "loss", "accuracy"], dtype="float64")
    return frame.drop_duplicates("x", keep="last").sort_values("x", ignore_index=True)


def _steps_of(steps: dict[int, int], epoch: int) -> int:
    """Return the number of steps of an epoch, from the phase that it belongs to."""
    begun = [first for first in steps if first <= epoch]
    return max(1, steps[max(begun)]) if begun else 1


def epochs(history: list[Event]) -> pd.DataFrame:
    """Return one row per finished epoch: x, loss, accuracy, val_loss, val_accuracy; an epoch done twice counts last."""
    rows = [
        (event.epoch, event.loss, event.accuracy, event.val_loss, event.val_accuracy)
        for event in events.of_type(history, events.EpochEnd)
    ]
    frame = pd.DataFrame(rows, columns=["x", "loss", "accuracy", "val_loss", "val_accuracy"], dtype="float64")
    return frame.drop_duplicates("x", keep="last").sort_values("x", ignore_index=True)


def thin(frame: pd.DataFrame, max_points: int = MAX_POINTS) -> pd.DataFrame:
    """Return at most ``max_points`` rows: means of neighbours, so that the shape of the curve stays."""
    if len(frame) <= max_points:
        return frame
    per_point = -(-len(frame) // max_points)
    return frame.groupby(frame.index // per_point, sort=True).mean()


def best_epoch(history: list[Event]) -> events.EpochEnd | None:
    """Return the epoch whose weights are kept so far, or None before the first is over."""
    return next((event for event in reversed(events.of_type(history, events.EpochEnd)) if event.is_best), None)


def figure(history: list[Event], metric: Metric, is_over: bool = False) -> go.Figure:
    """Draw one metric: training per batch, check per epoch, both phases and the best epoch marked.

    Args:
        history: The run's events so far.
        metric: Which of the two.
        is_over: Whether no better epoch can come.
    """
    drawn = go.Figure()
    _add_training(drawn, thin(batches(history)), metric)
    _add_check(drawn, thin(epochs(history)), metric)
    _mark_phases(drawn, history)
    _mark_best(drawn, history, metric, is_over)
    _mark_first_answer(drawn, history, metric)
    _lay_out(drawn, history, metric)
    return drawn


def _add_training(drawn: go.Figure, frame: pd.DataFrame, metric: Metric) -> None:
    drawn.add_scatter(
        x=frame["x"],
        y=frame[metric],
        name="Training pictures",
        mode="lines",
        line={"color": TRAINING_COLOR, "width": 1.5},
        hovertemplate="epoch %{x:.2f}: %{y:.3f}<extra>Training</extra>",
    )


def _add_check(drawn: go.Figure, frame: pd.DataFrame, metric: Metric) -> None:
    drawn.add_scatter(
        x=frame["x"],
        y=frame[f"val_{metric}"],
        name="Check pictures",
        cliponaxis=False,
        mode="lines+markers" if len(frame) <= 200 else "lines",
        line={"color": CHECK_COLOR, "width": 3},
        marker={"size": 8},
        hovertemplate="epoch %{x}: %{y:.3f}<extra>Check</extra>",
    )


def _mark_phases(drawn: go.Figure, history: list[Event]) -> None:
    """Name each phase where it begins, with a line between the two."""
    phases: dict[str, events.PhaseStarted] = {}
    for phase in events.of_type(history, events.PhaseStarted):  # one may be told of again, in other steps
        phases.setdefault(phase.phase, phase)
    for phase in phases.values():
        start = phase.first_epoch - 1
        if start > 0:
            drawn.add_vline(x=start, line={"color": QUIET_COLOR, "width": 1, "dash": "dash"})
        drawn.add_annotation(
            x=start,
            y=1.0,
            yref="paper",
            yanchor="bottom",
            xanchor="left",
            showarrow=False,
            text=PHASE_TITLES.get(phase.phase, phase.phase),
            font={"color": QUIET_COLOR, "size": 12},
        )


def _mark_best(drawn: go.Figure, history: list[Event], metric: Metric, is_over: bool) -> None:
    best = best_epoch(history)
    if best is None:
        return
    drawn.add_scatter(
        x=[best.epoch],
        y=[best.val_loss if metric == "loss" else best.val_accuracy],
        name=f"{'Best' if is_over else 'Best so far'}: epoch {best.epoch}",
        mode="markers",
        marker={"symbol": "star", "size": 17, "color": CHECK_COLOR, "line": {"color": "white", "width": 1.5}},
        hovertemplate="best: epoch %{x}, %{y:.3f}<extra></extra>",
    )


def _mark_first_answer(drawn: go.Figure, history: list[Event], metric: Metric) -> None:
    """Draw what was reached before any epoch as a line across the whole plot."""
    first = events.last(history, events.FirstAnswer)
    if first is None:
        return
    value = first.val_loss if metric == "loss" else first.val_accuracy
    planned = max((phase.last_epoch for phase in events.of_type(history, events.PhaseStarted)), default=1)
    drawn.add_scatter(
        x=[0, planned],
        y=[value, value],
        name="First answer, without any epoch",
        mode="lines",
        line={"color": QUIET_COLOR, "width": 1.5, "dash": "dot"},
        hovertemplate="first answer: %{y:.3f}<extra></extra>",
    )


def _lay_out(drawn: go.Figure, history: list[Event], metric: Metric) -> None:
    planned = max((phase.last_epoch for phase in events.of_type(history, events.PhaseStarted)), default=1)
    reached = max((event.epoch for event in events.of_type(history, events.BatchEnd)), default=1)
    drawn.update_layout(
        height=330,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        legend={"orientation": "h", "y": -0.27, "x": 0},
        hovermode="closest",
        uirevision="kept",  # a zoom survives the next second
    )
    shown = min(planned, max(4, round(reached * 1.25)))
    drawn.update_xaxes(title="Epoch (round)", range=[0, shown * 1.02], rangemode="tozero", automargin=True)
    drawn.update_yaxes(rangemode="tozero", automargin=True)
    if metric == "accuracy":
        drawn.update_yaxes(range=[0, 1.02], tickformat=".0%")


def description(history: list[Event], metric: Metric) -> str:
    """Return what a figure shows, for those who do not see it."""
    frame = epochs(history)
    if frame.empty:
        return f"{metric.title()} of training pictures; no epoch is over yet."
    last = frame.iloc[-1]
    text = f"{metric.title()} after epoch {last['x']:.0f}: {last[metric]:.3f} on training pictures, "
    return text + f"{last[f'val_{metric}']:.3f} on check pictures."
