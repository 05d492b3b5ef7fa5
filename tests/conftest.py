"""What every test may ask for: a browser, and an installation of its own that leaves the user's alone."""

import os
from pathlib import Path

import chromium
import pytest

pytest_plugins = ["drawn_runs"]

NO_BROWSER = "no Chrome or Chromium on this computer, and none could be installed"


@pytest.fixture(scope="session", autouse=True)
def own_installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep everything the tests make away from the user's projects."""
    home = tmp_path_factory.mktemp("thaw_home")
    os.environ["THAW_HOME"] = str(home)
    return home


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Return the path of a Chrome or Chromium; skip where there is none, and fail where there has to be one (CI)."""
    path = os.environ.get("THAW_BROWSER") or chromium.installed()
    if path and not chromium.works(path):
        pytest.fail(f"THAW_BROWSER names {path}, and that does not start.")
    if path:
        return path
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{NO_BROWSER}; with CI=true the browser tests must run")
    pytest.skip(NO_BROWSER)
