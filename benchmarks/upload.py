"""Do ten thousand files arrive, how fast, and at what price in memory? ``python -m benchmarks.upload [FILES]``

Draws a folder of small JPEG files in ten class folders (about 7 kB each), starts the app with a home of its own, opens
it in a real Chromium and drops the folder on the page: a drag and drop of the browser itself
(``Input.dispatchDragEvent`` of its devtools), as from a file manager, not files chosen by a script. Prints

- how many of the files are pictures of the data set in the end,
- the seconds from the drop until the server had the last file, beside a bare copy of the same files on the same disk,
- by how much the memory of the web process grew at its highest (resident, read from /proc ten times a second), first
  while the files came, then until the page with all of them was drawn.

Wanted: all of them, at most 60 s, less than 200 MB.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tlcore.images import dataset

ROOT = Path(__file__).resolve().parent.parent
FILES, CLASSES, SIDE = 10_000, 10, 112
LATEST_S = 600.0


def draw(folder: Path, files: int) -> int:
    """Draw noisy pictures, each one different; return their bytes."""
    noise = np.random.default_rng(3)
    size = 0
    for number in range(files):
        file = folder / f"class {number % CLASSES}" / f"{number:05}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise.integers(0, 256, (SIDE, SIDE, 3), dtype="uint8")).save(file, quality=60)
        size += file.stat().st_size
    return size


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


class Memory:
    """The resident memory of a process, watched from the side."""

    def __init__(self, pid: int) -> None:
        self.file = Path(f"/proc/{pid}/statm")
        self.first = self.highest = self.now()
        self.is_over = threading.Event()
        self.watcher = threading.Thread(target=self._watch)

    def now(self) -> int:
        """Return the bytes now."""
        return int(self.file.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def _watch(self) -> None:
        while not self.is_over.wait(0.1):
            self.highest = max(self.highest, self.now())

    def __enter__(self) -> "Memory":
        self.watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.watcher.join()


def open_project(page: Page, address: str) -> None:
    """Make a project and wait for its drop area."""
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_label("Name of a new project").fill("Ten thousand")
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


def send(page: Page, folder: Path) -> float:
    """Drop a folder and return the seconds until the server says that it has everything."""
    began = time.perf_counter()
    with page.expect_response(lambda answer: answer.url.endswith("/upload/finish"), timeout=LATEST_S * 1000) as waiting:
        drop(page, folder)
    seconds = time.perf_counter() - began
    assert waiting.value.json() == {"missing": 0, "names": []}, waiting.value.text()
    return seconds


def found_in(home: Path) -> tuple[int, int]:
    """Return the number of pictures of the only dataset, and of files set aside."""
    (file,) = home.glob("projects/*/dataset.json")
    found = dataset.load(file)
    return len(found.pictures), len(found.set_aside)


def main() -> None:
    """Measure and print."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    browser = os.environ.get("THAW_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as place:
        folder, home = Path(place) / "pictures", Path(place) / "home"
        home.mkdir()
        size = draw(folder, files)
        began = time.perf_counter()
        shutil.copytree(folder, Path(place) / "copy")
        copy_s = time.perf_counter() - began
        print(f"{os.cpu_count()} cores. {files:,} files, {size / 1e6:.0f} MB; a bare copy takes {copy_s:.1f} s.")
        with serving(home) as (address, pid), sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
            page = started.new_page()
            open_project(page, address)
            with Memory(pid) as memory:
                seconds = send(page, folder)
                grown = memory.highest - memory.first
                page.get_by_role("heading", name="Classes").wait_for(timeout=LATEST_S * 1000)
                page.wait_for_timeout(2000)
            pictures, aside = found_in(home)
            print(f"pictures in the data set: {pictures:,} of {files:,}, set aside: {aside}")
            print(f"from the drop until the last file was there: {seconds:.1f} s, {seconds / copy_s:.1f} times a copy")
            print(f"the web process grew by {grown / 1e6:.0f} MB while they came,", end=" ")
            print(f"by {(memory.highest - memory.first) / 1e6:.0f} MB until the page showed them")
            started.close()


if __name__ == "__main__":
    main()
