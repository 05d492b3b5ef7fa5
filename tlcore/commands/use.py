"""Commands on a finished run: ``evaluate``, ``predict``, ``export``. TensorFlow is imported when one is used."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from tlcore.commands.outcome import Outcome, progress
from tlcore.errors import UserError
from tlcore.export import formats, package
from tlcore.images import intake
from tlcore.results import evaluation, prediction
from tlcore.results.report import Report
from tlcore.runs import run as runs
from tlcore.runs.run import Run


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add the commands."""
    evaluate = commands.add_parser("evaluate", help="score the model of a run on a folder of labelled pictures")
    predict = commands.add_parser("predict", help="name what is on pictures")
    export = commands.add_parser("export", help="write the model of a run as a package for others")
    for parser, work in ((evaluate, _evaluate), (predict, _predict), (export, _export)):
        parser.add_argument("run", type=Path, metavar="RUN_DIR")
        parser.set_defaults(run_command=work)
    evaluate.add_argument("pictures", type=Path, metavar="PICTURES")
    predict.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    export.add_argument("--format", default="keras", choices=tuple(formats.FORMATS))
    export.add_argument("--out", type=Path, required=True, metavar="FILE.zip")


def _open(folder: Path) -> Run:
    """Return a finished run.

    Raises:
        UserError: There is no run in the folder, or it has no model.
    """
    run = Run(folder)
    if not run.recipe_file.exists():
        raise UserError(f"There is no run in {folder}.", "Name the folder that was given to train as --out.")
    if runs.state(run) != "finished":
        raise UserError(f"The run in {folder} has no finished model (it is {runs.state(run)}).", "Train it to its end.")
    return run


def _evaluate(parsed: argparse.Namespace) -> Outcome:
    """Score on labelled pictures."""
    run = _open(parsed.run)
    with progress("Reading pictures") as report_reading:
        dataset = intake.open_pictures(parsed.pictures, report_reading, at_least=1)
    with progress("Looking at pictures") as report_looking:
        report = evaluation.evaluate_run(run, dataset, report_looking)
    pictures = evaluation.in_the_order_of(run.dataset().class_names, dataset)
    seen = evaluation.seen_in_training(run, pictures)
    text = scores_text(report)
    if seen:
        text += f"\n{len(seen)} of these pictures were used in training, which flatters the score."
    return Outcome(text, asdict(report) | {"seen_in_training": len(seen)})


def scores_text(report: Report) -> str:
    """Return a report as lines for people."""
    low, high = report.test_accuracy_interval
    width = max(len(name) for name in report.class_names)
    lines = [
        f"accuracy {report.test_accuracy:.3f} on {report.n_test} pictures "
        f"(95 % interval {low:.3f} to {high:.3f}; always saying the largest class gives {report.majority_accuracy:.3f})"
    ]
    for name, score in report.per_class.items():
        lines.append(
            f"  {name:<{width}}  precision {score.precision:.3f}  recall {score.recall:.3f}  "
            f"F1 {score.f1:.3f}  ({score.n_test} pictures)"
        )
    return "\n".join(lines)


def _predict(parsed: argparse.Namespace) -> Outcome:
    """Name what is on pictures, one line each."""
    run = _open(parsed.run)
    class_names = run.dataset().class_names
    with progress("Looking at pictures") as report_looking:
        answers = prediction.predict(run, parsed.images, report_looking)
    lines, values = [], []
    for answer in answers:
        if answer.problem:
            print(f"{answer.file}: {answer.problem}", file=sys.stderr)
            values.append({"file": str(answer.file), "problem": answer.problem})
            continue
        ranked = sorted(zip(answer.probabilities, class_names, strict=True), reverse=True)
        lines.append(f"{answer.file}\t{ranked[0][1]}\t{ranked[0][0]:.3f}")
        values.append(
            {
                "file": str(answer.file),
                "class_name": ranked[0][1],
                "probability": ranked[0][0],
                "probabilities": dict(zip(class_names, answer.probabilities, strict=True)),
            }
        )
    return Outcome("\n".join(lines), {"predictions": values}, int(any(answer.problem for answer in answers)))


def _export(parsed: argparse.Namespace) -> Outcome:
    """Write the package."""
    run = _open(parsed.run)
    if parsed.out.is_dir():
        raise UserError(f"{parsed.out} is a folder.", f"Name a file, for example {parsed.out / 'model.zip'}.")
    with progress("Packing the model") as report_packing:
        out = package.write(run, parsed.out, file_format=parsed.format, progress=report_packing)
    size = out.stat().st_size
    return Outcome(f"{out} ({size / 1e6:.1f} MB)", {"file": str(out), "format": parsed.format, "size_bytes": size})
