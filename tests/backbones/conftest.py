"""Weights to test with: random ones in a real file, real ones where they exist, and a small server that gives them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import offering
import pytest

from tlcore.backbones import stages, table

REAL_WEIGHTS = Path(__file__).parents[3] / "shared" / "weights" / "keras_home" / "models"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[offering.FileServer]:
    """A mirror of Keras' server on this computer; Thaw is told to use it."""
    with offering.serving(tmp_path / "server") as running:
        monkeypatch.setenv("THAW_WEIGHTS_URL", running.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield running


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which weights are kept during one test."""
    folder = tmp_path / "keras home"
    monkeypatch.setenv("KERAS_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole HDF5 file with random weights of mobilenet_v2_035."""
    file = tmp_path_factory.mktemp("random") / "weights.h5"
    stages.build(table.get("mobilenet_v2_035"), 32, weights=None, seed=1).save(file)
    return file


@pytest.fixture
def real_weights(keras_home: Path) -> Path:
    """A copy of the folder with real weights, as KERAS_HOME; skips where there are none."""
    if not REAL_WEIGHTS.is_dir():
        pytest.skip(f"no real weights on this computer ({REAL_WEIGHTS})")
    return Path(shutil.copytree(REAL_WEIGHTS, keras_home / "models"))
