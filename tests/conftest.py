"""What every test may ask for: a browser, a small disk, an installation of its own that leaves the user's alone."""

import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest

pytest_plugins = ["drawn_runs", "interrupting", "published"]

# With TensorFlow and its networks in the process, looking for garbage as often as Python does by itself is a tenth of
# the time (our measurement).
gc.set_threshold(50_000, 20, 100)

# Every test file that takes more than a quarter of a minute, in the order in which they begin: beside one that mostly
# waits for browsers and processes one that mostly computes, the longest first, as measured on two cores.
LONG_FILES = (
    "browser/test_upload.py", "training/test_keeping.py", "distillation/test_distil.py",
    "browser/test_whole_path.py", "training/test_snapshot.py", "training/test_phase.py", "backbones/test_stages.py",
    "runs/test_supervisor.py", "images/test_real_pictures.py", "training/test_boundary.py",
    "training/test_training.py", "commands/test_cli.py", "training/test_features.py",
    "export/test_predict_script.py", "browser/test_runs.py", "backbones/test_stage_table.py", "runs/test_jax.py",
    "runs/test_scheduler.py", "training/test_freezing.py", "samples/test_sample.py", "test_kills.py",
    "images/test_inspection.py", "training/test_supply.py", "images/test_intake.py", "test_speed.py",
    "training/test_checkpoint.py", "images/test_neighbours.py", "test_sparing.py", "pages/test_pictures.py",
    "runs/test_memory.py", "test_start.py", "runs/test_spare.py", "commands/test_offline.py",
)  # fmt: skip
NO_BROWSER = "no Chrome or Chromium on this computer, and none could be installed"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: workers that take whole files in turn then end at nearly the same time."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


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


@pytest.fixture(scope="module")
def garbage_of_others_stays() -> Iterator[None]:
    """Let nobody look through all that other tests have left, for a file that has Keras clear its session often.

    It collects garbage each time. With TensorFlow and its networks in the process that took most of a second.
    """
    gc.freeze()
    yield
    gc.unfreeze()


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
