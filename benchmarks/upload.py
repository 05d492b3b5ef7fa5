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
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from benchmarks.browsing import chromium, drop, open_project, serving
from tlcore.images import dataset

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
    with tempfile.TemporaryDirectory() as place:
        folder, home = Path(place) / "pictures", Path(place) / "home"
        home.mkdir()
        size = draw(folder, files)
        began = time.perf_counter()
        shutil.copytree(folder, Path(place) / "copy")
        copy_s = time.perf_counter() - began
        print(f"{os.cpu_count()} cores. {files:,} files, {size / 1e6:.0f} MB; a bare copy takes {copy_s:.1f} s.")
        with serving(home) as (address, pid), chromium() as browser:
            page = browser.new_page()
            open_project(page, address, "Ten thousand")
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


if __name__ == "__main__":
    main()
