"""Measure every backbone and write ``stages.json``. Imports Keras.

    python -m tlcore.backbones.generate            write the table anew (all rows: about a minute and a half)
    python -m tlcore.backbones.generate --check    compare every row with the real network, change nothing
    python -m tlcore.backbones.generate --check vgg16 resnet50    only these rows

Run it after a change of the table or of Keras. Needs no weights and no network, and about 2.5 GB of memory for the
largest row.
"""

import argparse
import sys

import keras
from rich.progress import track

from tlcore.backbones import stage_table, stages, table
from tlcore.backbones.stage_table import Anatomy


def measure(name: str) -> Anatomy:
    """Build one backbone at its default size with random weights and take it apart."""
    keras.utils.clear_session()
    backbone = table.get(name)
    return stages.anatomy(backbone, stages.build(backbone, backbone.default_size, weights=None))


def main(arguments: list[str] | None = None) -> int:
    """Write or check the table; return 0 when it is right."""
    parser = argparse.ArgumentParser(prog="python -m tlcore.backbones.generate")
    parser.add_argument("names", nargs="*", help="only these backbones (with --check)")
    parser.add_argument("--check", action="store_true", help="compare with the file and change nothing")
    options = parser.parse_args(arguments)
    if options.names and not options.check:
        parser.error("the table is always written as a whole; name backbones only with --check")
    names = options.names or list(table.BACKBONES)
    measured = {name: measure(name) for name in track(names, description="Measuring backbones")}
    if not options.check:
        stage_table.write(measured)
        return 0
    written = stage_table.read()
    wrong = [name for name, parts in measured.items() if written.get(name) != parts]
    if wrong:
        print(f"stages.json does not fit the networks: {', '.join(wrong)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
