"""What every test may ask for: a browser, a small disk, an installation of its own that leaves the user's alone."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest

pytest_plugins = ["drawn_runs", "published"]

NO_BROWSER = "no Chrome or Chromium on this computer, and none could be installed"


@pytest.fixture(scope="session", autouse=True)
def own_installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep everything the tests make away from the user's projects."""
    home = tmp_path_factory.mktemp("thaw_home")
    os.environ["THAW_HOME"] = str(home)
    os.environ["THAW_SPARE"] = "0"  # it would import TensorFlow in each of many servers, for nothing
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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if os.name == "nt" or not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
