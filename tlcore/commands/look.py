"""Commands that only look: which backbones there are, where they can be cut, what a folder holds. No TensorFlow."""

import argparse
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tlcore import atomic
from tlcore.backbones import stage_table, table, weights
from tlcore.commands.outcome import Outcome, progress
from tlcore.images import health, intake, split, split_table
from tlcore.training import recipe
from tlcore.training.recipe import Recipe

__all__ = ["Outcome", "add_to"]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add the commands ``backbones``, ``stages``, ``check`` and ``split``."""
    backbones = commands.add_parser("backbones", help="list the backbones and whether their weights are here")
    backbones.set_defaults(run_command=_backbones)
    stages = commands.add_parser("stages", help="list the stages of a backbone and where it can be cut")
    stages.add_argument("backbone", metavar="BACKBONE")
    stages.set_defaults(run_command=_stages)
    check = commands.add_parser("check", help="look over a folder, zip or tar archive of pictures")
    check.add_argument("pictures", type=Path, metavar="PICTURES")
    check.set_defaults(run_command=_check)
    parts = commands.add_parser("split", help="write which pictures are for training, for checking and for the exam")
    parts.add_argument("pictures", type=Path, metavar="PICTURES")
    parts.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    parts.add_argument(
        "--before", type=Path, metavar="OLD.csv", help="who was in its exam or check pictures stays there"
    )
    for name in ("validation_share", "test_share", "seed"):
        usual = getattr(Recipe(), name)
        parts.add_argument(f"--{name.replace('_', '-')}", type=type(usual), default=usual, metavar="N")
    parts.set_defaults(run_command=_split)


def _backbones(parsed: argparse.Namespace) -> Outcome:
    """List name, parameters and presence of every backbone."""
    rows = [
        {"name": row.name, "parameters": row.parameters, "on_this_computer": weights.is_here(row)}
        for row in table.BACKBONES.values()
    ]
    width = max(len(row["name"]) for row in rows)
    lines = [
        f"{row['name']:<{width}}  {row['parameters'] / 1e6:7.2f} M  "
        f"{'on this computer' if row['on_this_computer'] else 'to be downloaded'}"
        for row in rows
    ]
    return Outcome("\n".join(lines), {"backbones": rows})


def _stages(parsed: argparse.Namespace) -> Outcome:
    """List stages and cuts of one backbone."""
    anatomy = stage_table.anatomy(parsed.backbone)
    count = len(anatomy.stages)
    lines = [f"{parsed.backbone}: {count} stages, {len(anatomy.cuts)} places where it can be cut"]
    for stage in anatomy.stages:
        share = stage_table.learning_share(parsed.backbone, stage.number)
        lines.append(
            f"  stage {stage.number}: {stage.parameters:>11,} weights, hands on {' x '.join(map(str, stage.shape))}; "
            f"--freeze {stage.number} leaves {share:.1%} of the backbone learning"
        )
    value = {
        "backbone": parsed.backbone,
        "parameters": anatomy.parameters,
        "stages": [asdict(stage) for stage in anatomy.stages],
        "cuts": [asdict(cut) for cut in anatomy.cuts],
    }
    return Outcome("\n".join(lines), value)


def _check(parsed: argparse.Namespace) -> Outcome:
    """Look over pictures and list what was set aside and what was found."""
    with progress("Reading pictures") as report:
        seen = intake.inspect(parsed.pictures, report)
    dataset = seen.dataset
    findings = health.findings(dataset, seen.tiles, seen.hash_only)
    value = {
        "classes": dataset.counts(),
        "set_aside": [{"file": entry.file, "reason": entry.reason} for entry in dataset.set_aside],
        "findings": [{"kind": f.kind, "message": f.message, "files": list(f.files)} for f in findings],
    }
    lines = [f"{name}: {count}" for name, count in dataset.counts().items()]
    lines.append(f"{len(dataset.pictures)} pictures in {len(dataset.class_names)} classes")
    for reason, count in Counter(entry.reason for entry in dataset.set_aside).items():
        lines.append(f"set aside: {count} ({reason})")
    lines += [f"{finding.kind}: {finding.message}" for finding in findings]
    return Outcome("\n".join(lines), value)


def _split(parsed: argparse.Namespace) -> Outcome:
    """Draw the parts as training would and write them as a table."""
    recipe.check(Recipe(validation_share=parsed.validation_share, test_share=parsed.test_share, seed=parsed.seed))
    with progress("Reading pictures") as report:
        dataset = intake.open_pictures(parsed.pictures, report)
    before = split_table.read(parsed.before, dataset) if parsed.before else None
    parts = split.draw(dataset, parsed.validation_share, parsed.test_share, parsed.seed, before)
    atomic.write_bytes(parsed.out, split_table.table(dataset, parts).encode("utf-8"))
    counts = {name: len(getattr(parts, name)) for name in ("train", "validation", "test", "left_out")}
    words = f"{counts['train']} training, {counts['validation']} check and {counts['test']} exam pictures"
    return Outcome(f"{parsed.out}: {words}, {counts['left_out']} left out", {"file": str(parsed.out), **counts})
