"""Weights to test with: random ones in a real file, real ones where they exist, and a small server that gives them."""

import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tlcore.backbones import stages, table

REAL_WEIGHTS = Path(__file__).parents[3] / "shared" / "weights" / "keras_home" / "models"


class WeightsServer(http.server.ThreadingHTTPServer):
    """Serves the files below ``folder``; breaks off in the middle of the next ``cuts`` answers."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.cuts = 0
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        file = self.server.folder / self.path.lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.cuts:
            self.server.cuts -= 1
            content = content[: len(content) // 2]
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    """A mirror of Keras' server on this computer; Thaw is told to use it."""
    with WeightsServer(tmp_path / "server") as running:
        monkeypatch.setenv("THAW_WEIGHTS_URL", running.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


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
