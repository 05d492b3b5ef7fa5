"""How long until a class of thousands can be looked at? ``python -m benchmarks.gallery [PICTURES] [--rounds 7]``

Draws two classes, one of 5,000 and one of 50 pictures, drops them on the page in a real Chromium, waits until they were
looked over, and then chooses the small and the large class in turns. Printed are medians of the seconds from the click
until every small copy in view is painted. How much longer the large class takes than the small one says what its size
costs; the page shows the same number of pictures of both.

Wanted: the large class within 1 s.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from benchmarks.browsing import chromium, drop, open_project, serving

PICTURES, FEW, SIDE = 5_000, 50, 160
LATEST_S = 600.0
IN_VIEW = """(wanted) => {
  const all = [...document.querySelectorAll(".thaw-gallery img")].filter((image) => image.alt.startsWith(wanted));
  const seen = all.filter((image) => image.getBoundingClientRect().top < innerHeight);
  return seen.length > 0 && seen.every((image) => image.complete && image.naturalWidth > 0);
}"""


def draw(folder: Path, pictures: int) -> None:
    """Draw noisy pictures, each one different."""
    noise = np.random.default_rng(4)
    for name, number in (("large", pictures), ("small", FEW)):
        (folder / name).mkdir(parents=True)
        for row in range(number):
            coarse = Image.fromarray(noise.integers(0, 256, (8, 8, 3), dtype="uint8"))
            coarse.resize((SIDE, SIDE)).save(folder / name / f"{row:05}.jpg")


def choose(page: Page, name: str) -> float:
    """Choose a class and return the seconds until its pictures in view are there."""
    option = page.get_by_role("option", name=name, exact=True)
    while not option.is_visible():  # a page that is still being drawn closes the list again
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        page.get_by_role("combobox", name="Class").click()
        page.wait_for_timeout(300)
    began = time.perf_counter()
    option.click()
    page.wait_for_function(IN_VIEW, arg=f"{name}: ", polling=10)
    return time.perf_counter() - began


def load(page: Page) -> float:
    """Load the whole page anew and return the seconds until the pictures of its first class are there."""
    began = time.perf_counter()
    page.reload()
    page.get_by_role("heading", name="Look at them").scroll_into_view_if_needed()
    page.wait_for_function(IN_VIEW, arg="large: ", polling=10)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pictures", nargs="?", type=int, default=PICTURES)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, home = Path(place) / "pictures", Path(place) / "home"
        home.mkdir()
        draw(folder, asked.pictures)
        with serving(home) as (address, _), chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            open_project(page, address, "Gallery")
            drop(page, folder)
            page.get_by_role("heading", name="Look at them").wait_for(timeout=LATEST_S * 1000)
            taken: dict[str, list[float]] = {"small": [], "large": []}
            for _ in range(asked.rounds):
                for name, seconds in taken.items():
                    seconds.append(choose(page, name))
            opening = [load(page) for _ in range(asked.rounds)]
    large, small = (statistics.median(taken[name]) for name in ("large", "small"))
    print(f"a class of {asked.pictures:,} pictures opens in {large:.2f} s, one of {FEW} in {small:.2f} s")
    print(f"the whole page, loaded anew, with its pictures: {statistics.median(opening):.2f} s")


if __name__ == "__main__":
    main()
