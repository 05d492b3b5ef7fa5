"""The app and a real Chromium, for benchmarks of what people see."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, int]]:
    """Start the app; give its address and its process number."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    environment = os.environ | {"THAW_HOME": str(home), "KERAS_HOME": str(home / "keras")}
    process = subprocess.Popen(
        [*command, "--server.address=127.0.0.1"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while process.poll() is None:
            try:
                direct.open(f"{address}/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser: the one that THAW_BROWSER names, or one that is installed."""
    path = os.environ.get("THAW_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield started
        finally:
            started.close()


def open_project(page: Page, address: str, name: str) -> None:
    """Make a project of this name and wait for its drop area."""
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_label("Name of a new project").fill(name)
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="Choose a folder").wait_for()
    page.wait_for_timeout(1000)


def drop(page: Page, folder: Path) -> None:
    """Drop a folder on the page."""
    devtools = page.context.new_cdp_session(page)
    place = page.locator(".area").bounding_box()
    assert place
    where = {"x": place["x"] + place["width"] / 2, "y": place["y"] + 20}
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "data": data, **where})
