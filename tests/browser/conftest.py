"""A real server with an installation of its own, and a real Chromium in front of it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import drawing
import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"  # real pictures and weights, where a developer has them
BACKBONE_WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
START_S = 60

expect.set_options(timeout=20_000)  # for computers that do something else as well


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Remember how each phase of a test went, for the screenshots."""
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """A zip with one folder per class: real photos where there are some, else drawn pictures."""
    target = tmp_path_factory.mktemp("photos") / "flowers.zip"
    source = SHARED / "data" / "flowers.zip"
    if source.is_file():
        _take_some(source, target)
    else:
        folder = drawing.draw_folder(target.with_suffix(""), ("cold", "warm", "寒い"), per_class=30, side=96)
        shutil.make_archive(str(target.with_suffix("")), "zip", folder)
    return target


@pytest.fixture(scope="session")
def class_names(photos) -> set[str]:
    """The folders of the zip that hold photos."""
    with zipfile.ZipFile(photos) as archive:
        return {Path(entry.filename).parent.name for entry in archive.infolist() if not entry.is_dir()}


def _take_some(source: Path, target: Path) -> None:
    """Copy the first 40 training and 12 exam photos of three classes into a zip of their own."""
    limits, taken = {"train": 40, "test": 12}, {}
    with zipfile.ZipFile(source) as full, zipfile.ZipFile(target, "w") as part:
        for entry in full.infolist():
            names = Path(entry.filename).parts
            found = next((place for place, name in enumerate(names) if name in limits), None)
            if entry.is_dir() or found is None or names[found + 1] not in ("daisy", "rose", "sunflower"):
                continue
            key = names[found : found + 2]
            taken[key] = taken.get(key, 0) + 1
            if taken[key] <= limits[key[0]]:
                part.writestr(entry, full.read(entry))


@pytest.fixture(scope="session")
def has_weights() -> bool:
    """Whether real weights of the backbone are on this computer; the server is given a copy of them."""
    return (SHARED / "weights" / "keras_home" / "models" / BACKBONE_WEIGHTS).is_file()


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """The folder of the installation that ``server`` serves."""
    return tmp_path_factory.mktemp("thaw")


@pytest.fixture(scope="module")
def server(tmp_path_factory, home, browser_path, has_weights) -> Iterator[str]:
    """The address of the real app, which runs for the tests of a file."""
    keras_home = tmp_path_factory.mktemp("keras")
    (keras_home / "models").mkdir()
    if has_weights:
        shutil.copy(SHARED / "weights" / "keras_home" / "models" / BACKBONE_WEIGHTS, keras_home / "models")
    with _serving(home, keras_home, home / "server.log") as address:
        yield address


@pytest.fixture
def crowded_server(small_disk, tmp_path, browser_path) -> Iterator[str]:
    """The address of the real app, whose home lies on a small disk."""
    with _serving(small_disk, tmp_path / "keras", tmp_path / "server.log") as address:
        yield address


@pytest.fixture
def serving(browser_path) -> Callable[..., contextlib.AbstractContextManager[str]]:
    """Return a function that runs the app for a block: (home, home of Keras, log file, port)."""
    return _serving


@contextlib.contextmanager
def _serving(home: Path, keras_home: Path, log: Path, port: int = 0) -> Iterator[str]:
    """Start the app, give its address, and stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = port or probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address=127.0.0.1"]
    command += [f"--server.port={port}", "--server.headless=true"]
    environment = os.environ | {"THAW_HOME": str(home), "KERAS_HOME": str(keras_home)}
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
    try:
        _wait_for(process, f"http://127.0.0.1:{port}/_stcore/health", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop_runs(home)
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:  # it waits for a browser that sends slowly; start.py ends it then, too
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Wait until the server answers; fail with its log if it does not."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            direct.open(address, timeout=2).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"The server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


def _stop_runs(home: Path) -> None:
    """Ask runs that a failed test left behind to stop: they outlive the server on purpose."""
    for folder in home.glob("projects/*/runs/*/"):
        (folder / "stop").touch()


@pytest.fixture(scope="module")
def browser(browser_path) -> Iterator[Browser]:
    """One Chromium for the tests of a file; one that stayed until the last test of all would cost time meanwhile."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser_path, args=list(SWITCHES))
        yield started
        started.close()


@pytest.fixture(scope="module")
def new_visitor(browser) -> Iterator[Callable[[], BrowserContext]]:
    """Return a function that opens a browser window of a person of their own, with cookies of their own."""
    opened: list[BrowserContext] = []

    def make() -> BrowserContext:
        context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
        context.set_default_timeout(20_000)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


@pytest.fixture(autouse=True)
def screenshots_of_failures(request, browser, tmp_path) -> Iterator[None]:
    """Keep what every open page shows when a test fails, in the test's own folder."""
    yield
    reports = [getattr(request.node, f"report_{phase}", None) for phase in ("setup", "call")]
    if any(report is not None and report.failed for report in reports):
        pages = [page for context in browser.contexts for page in context.pages]
        for number, page in enumerate(pages):
            page.screenshot(path=tmp_path / f"page-{number}.png", full_page=True)
            (tmp_path / f"page-{number}.txt").write_text(page.url + "\n" + page.inner_text("body"), encoding="utf-8")
        print(f"Screenshots are in {tmp_path}")
