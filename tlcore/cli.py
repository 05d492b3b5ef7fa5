"""``python -m tlcore COMMAND``: from a folder of pictures to a model without a browser.

Exit code 0 only when it worked; 1 with one plain line on standard error when it did not; 2 when the words of the call
are off. With ``--json`` standard output holds one JSON object and nothing else; progress goes to standard error.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from tlcore import __version__
from tlcore.commands import draw, embed, look, train, use
from tlcore.errors import UserError


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with exit code 2."""
        self.exit(2, f"{self.prog}: {message}. See {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(prog="python -m tlcore", description="Fine-tune an image classifier on your own pictures.")
    parser.add_argument("--version", action="version", version=f"Thaw {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (train, use, look, draw, embed):
        module.add_to(commands)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="print one JSON object at the end, for machines")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    # Class names may be in any script, whatever the console's own encoding is.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parsed = build_parser().parse_args(arguments)
    try:
        outcome: look.Outcome = parsed.run_command(parsed)
    except UserError as error:
        print(_one_line(error), file=sys.stderr)
        return 1
    except OSError as error:  # a path that cannot be read or written, a full disk: the user's to mend
        print(
            f"{error.filename or 'The disk'}: {error.strerror or error}. Check the path and try again.", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 1
    _print(outcome.value if parsed.json else outcome.text)
    return outcome.exit_code


def _one_line(error: UserError) -> str:
    """Return an error as one line."""
    return " ".join(str(error).split())


def _print(value: Any) -> None:
    """Print text as it is and anything else as JSON."""
    print(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
