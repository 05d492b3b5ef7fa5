"""The command ``sample``: a labelled set to try Thaw with, drawn by Thaw or fetched. No TensorFlow here."""

import argparse
from pathlib import Path

from tlcore.commands.outcome import Outcome, progress, tasks
from tlcore.errors import UserError
from tlcore.samples import public, sample
from tlcore.samples.public import PublicSet


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = commands.add_parser("sample", help="draw or fetch a labelled set of pictures to try Thaw with")
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="list the sets, name first on each line")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the pictures go; must be new")
    parser.set_defaults(run_command=_sample)


def _sample(parsed: argparse.Namespace) -> Outcome:
    """List the sets, draw one or fetch one."""
    if parsed.list:
        return _list()
    if parsed.name is None or parsed.out is None:
        raise UserError(
            "A sample set needs its name and a folder for its pictures.",
            "For example: python -m tlcore sample leaves --out leaves. Or list them: python -m tlcore sample --list.",
        )
    if parsed.name in public.SETS:
        return _fetch(public.SETS[parsed.name], parsed.out)
    if parsed.name not in sample.SAMPLES:
        names = ", ".join([*sample.SAMPLES, *public.SETS])
        raise UserError(f"There is no sample set named “{parsed.name}”.", f"Choose one of: {names}.")
    return _draw(sample.SAMPLES[parsed.name], parsed.out)


def _draw(chosen: sample.Sample, folder: Path) -> Outcome:
    """Draw a set."""
    with progress("Drawing") as report:
        sample.write(chosen, folder, report)
    count = chosen.per_class * len(chosen.class_names)
    return Outcome(
        f"{count} pictures in {len(chosen.class_names)} classes: {folder}",
        {"folder": str(folder), "classes": dict.fromkeys(chosen.class_names, chosen.per_class)},
    )


def _fetch(chosen: PublicSet, folder: Path) -> Outcome:
    """Fetch a public set, and say whose it is."""
    with tasks() as about:
        set_aside = public.write(chosen, folder, about)
    value = {
        "folder": str(folder),
        "classes": list(chosen.class_names),
        "set_aside": [{"file": entry.file, "reason": entry.reason} for entry in set_aside],
        **_rights(chosen),
    }
    return Outcome(f"{chosen.origin.title}, {len(chosen.class_names)} classes: {folder}\n{_in_words(chosen)}", value)


def _list() -> Outcome:
    """List the sets, those of others with their licence."""
    drawn = [
        {"name": each.name, "classes": list(each.class_names), "pictures": each.per_class * len(each.class_names)}
        for each in sample.SAMPLES.values()
    ]
    fetched = [
        {"name": each.name, "classes": list(each.class_names), "pictures": each.pictures}
        | {"size_bytes": each.size_bytes, "address": each.address, **_rights(each)}
        for each in public.SETS.values()
    ]
    lines = [f"{row['name']}  {row['pictures']} pictures: {', '.join(row['classes'])}" for row in drawn]
    lines += [
        f"{each.name}  {each.pictures} pictures: {', '.join(each.class_names)}; {each.size_bytes / 1e6:.0f} MB "
        f"from the internet. {_in_words(each)}"
        for each in public.SETS.values()
    ]
    return Outcome("\n".join(lines), {"samples": drawn, "public": fetched})


def _rights(chosen: PublicSet) -> dict[str, str]:
    """Return whose a public set is, for machines; an empty licence where none is known."""
    origin = chosen.origin
    return {"made_by": origin.made_by, "licence": origin.licence, "licence_url": origin.licence_url}


def _in_words(chosen: PublicSet) -> str:
    """Return whose a public set is, for people."""
    origin = chosen.origin
    licence = f"Licence: {origin.licence}" if origin.licence else "We know of no licence"
    return f"Photos by {origin.made_by}. {licence} ({origin.licence_url}). {origin.allows}"
