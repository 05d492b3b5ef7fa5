"""The command ``sample``: draw a small labelled set to try Thaw with. No TensorFlow here."""

import argparse
from pathlib import Path

from tlcore.commands.outcome import Outcome, progress
from tlcore.errors import UserError
from tlcore.samples import sample


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = commands.add_parser("sample", help="draw a small labelled set of pictures to try Thaw with")
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="list the sets, name first on each line")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the pictures go; must be new")
    parser.set_defaults(run_command=_sample)


def _sample(parsed: argparse.Namespace) -> Outcome:
    """List the sets, or draw one."""
    if parsed.list:
        return _list()
    if parsed.name is None or parsed.out is None:
        raise UserError(
            "A sample set needs its name and a folder to be drawn into.",
            "For example: python -m tlcore sample leaves --out leaves. Or list them: python -m tlcore sample --list.",
        )
    chosen = sample.get(parsed.name)
    with progress("Drawing") as report:
        sample.write(chosen, parsed.out, report)
    count = chosen.per_class * len(chosen.class_names)
    return Outcome(
        f"{count} pictures in {len(chosen.class_names)} classes: {parsed.out}",
        {"folder": str(parsed.out), "classes": dict.fromkeys(chosen.class_names, chosen.per_class)},
    )


def _list() -> Outcome:
    """List the sets."""
    rows = [
        {"name": each.name, "classes": list(each.class_names), "pictures": each.per_class * len(each.class_names)}
        for each in sample.SAMPLES.values()
    ]
    lines = [f"{row['name']}  {row['pictures']} pictures: {', '.join(row['classes'])}" for row in rows]
    return Outcome("\n".join(lines), {"samples": rows})
