"""Whether the system ended processes for want of memory, and how to try once more with less. No TensorFlow here."""

from dataclasses import replace
from pathlib import Path

from tlcore.runs import events
from tlcore.runs.run import Run
from tlcore.training import recipe

_COUNTERS = Path("/proc/vmstat")  # of Linux; other systems keep no such count


def kills() -> int:
    """Return how many processes the system has ended for want of memory since it started; 0 where it keeps no count."""
    if not _COUNTERS.exists():
        return 0
    lines = (line.split() for line in _COUNTERS.read_text().splitlines())
    return next((int(words[1]) for words in lines if words[:1] == ["oom_kill"]), 0)


def ask_for_less(run: Run) -> bool:
    """Let a run take half as many pictures at once from now on, and say so; return False where that cannot help.

    Each step is computed in twice as many parts, and still learns from all its pictures.
    """
    if not run.resolved_file.exists():
        return False
    asked = run.recipe()
    parts = 2 * (asked.step_parts or 1)
    if parts > min(asked.batch_size or 1, recipe.MOST_PARTS):
        return False
    recipe.save(replace(asked, step_parts=parts), run.resolved_file)
    run.events.write(events.Note(
        "The computer ran out of memory and its system ended the training. It was tried once more by itself, with half "
        "as many pictures in memory at once. Each step still learns from all of its pictures."
    ))  # fmt: skip
    return True
