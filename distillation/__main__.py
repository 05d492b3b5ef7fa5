"""Make a backbone: ``python -m distillation --teacher FILE --pictures FOLDER ... --out FOLDER --rounds 64x12``.

Ended and started again with the same ``--out``, it goes on where it was.
"""

import argparse
import dataclasses
from pathlib import Path

from distillation import plan as plans
from distillation.plan import ENGINES, Plan


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m distillation", description=__doc__)
    parser.add_argument("--teacher", type=Path, required=True, help="weights of MobileNetV2 1.0 with its ImageNet top")
    parser.add_argument("--pictures", type=Path, nargs="+", required=True, help="folders with pictures; no labels")
    parser.add_argument("--out", type=Path, required=True, help="folder of this distillation")
    parser.add_argument("--rounds", help="picture sizes and rounds, such as 64x12,96x6,128x2")
    parser.add_argument("--engine", default="keras", choices=ENGINES, help="what runs the teacher")
    for field in dataclasses.fields(Plan):
        if field.name != "sizes":
            kind = type(field.default)
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, help=f"default {field.default}")
    return parser.parse_args()


def _new_plan(asked: argparse.Namespace) -> Plan | None:
    """Return the plan of a new distillation, or None to go on with one."""
    settings = {field.name: getattr(asked, field.name, None) for field in dataclasses.fields(Plan)}
    chosen = {name: value for name, value in settings.items() if value is not None}
    if asked.rounds:
        return Plan(sizes=plans.rounds(asked.rounds), **chosen)
    if chosen:
        raise ValueError("Settings belong to a new distillation: give --rounds too, or none of them to go on.")
    return None


def main() -> None:
    """Run or go on with a distillation."""
    asked = _arguments()
    try:
        plan = plans.of_folder(asked.out, _new_plan(asked))
    except ValueError as error:
        raise SystemExit(str(error)) from error

    from distillation import views  # Keras takes seconds to import: only once the words are right
    from distillation.distil import Distillation
    from distillation.teacher import Teacher

    try:
        files = views.pictures_below(asked.pictures)
        teacher = Teacher(asked.teacher, asked.engine)
    except (ValueError, OSError) as error:
        raise SystemExit(str(error)) from error
    distillation = Distillation(asked.out, plan)
    done, rounds = distillation.rounds_done, len(distillation.plan.sizes)
    print(f"{len(files)} pictures, {done} of {rounds} rounds done", flush=True)
    distillation.run(teacher, files)


if __name__ == "__main__":
    main()
