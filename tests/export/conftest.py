"""Finished runs to export."""

from collections.abc import Callable

import finished
import pytest

from tlcore.runs.run import Run


@pytest.fixture(scope="session")
def make_run(tmp_path_factory) -> Callable[..., Run]:
    """Return a function that makes a finished run with the given class names."""
    return lambda *names, **choices: finished.make_run(tmp_path_factory.mktemp("finished"), *names, **choices)


@pytest.fixture(scope="session")
def finished_run(make_run) -> Run:
    """A run with five classes whose names are as odd as folder names can be."""
    return make_run(("..hidden", "C:\\pictures $name", "قطط", "猫 と 犬", "rosé, 50 %"))
