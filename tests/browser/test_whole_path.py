"""The whole path in a real browser: photos in, a run watched, a proven model out on another Python.

The tests of this file stand on each other, in their order, as the steps of a person do.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError, expect
from watching import expect_points, fill, settle

FINISHED_MS = 150_000


@pytest.fixture(scope="module")
def page(new_visitor) -> Page:
    """The window in which the path is walked."""
    return new_visitor().new_page()


@pytest.fixture(scope="module")
def project_address(server, page, photos) -> str:
    """A project with photos in it; the page shows them."""
    page.goto(server)
    page.get_by_label("Name of a new project").fill("Flowers 花")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Pictures", exact=True)).to_be_visible()
    page.locator("input.files").set_input_files(photos)
    expect(page.get_by_role("heading", name="Classes")).to_be_visible(timeout=60_000)
    return page.url


def choose(page: Page, has_weights: bool, epochs: int, early_stopping: bool = True) -> None:
    """Go to the page Train and choose a small network that learns from its first stage on, at 96 pixels."""
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name="VGG16")).to_be_visible()
    settle(page)  # cards that are still being drawn move the last one
    page.get_by_role("button", name="Choose", exact=True).last.click()
    expect(page).to_have_url(re.compile("backbone=vgg16"))
    settle(page)  # as long as it is being drawn, parts of the page before stand on it too
    page.get_by_text("All backbones").click()
    pick(page, "Backbone", "MobileNetV2 0.35")
    expect(page).to_have_url(re.compile("backbone=mobilenet_v2_035"))
    settle(page)
    page.get_by_role("slider", name="How many stages stay frozen").press("Home")
    expect(page.get_by_text("Nothing frozen:")).to_be_visible()
    page.get_by_text("More settings").click()
    fill(page, "Epochs (rounds), at most", str(epochs))
    if not early_stopping:
        page.get_by_text("Stop when it no longer gets better").click()
    if not has_weights:
        page.get_by_role("tab", name="New final layers").click()
        pick(page, "Start from", "random")
    page.get_by_role("tab", name="Pictures").click()
    fill(page, "Picture size in pixels", "96")


def pick(page: Page, label: str, choice: str) -> None:
    """Choose from a list by typing."""
    settle(page)
    field, option = page.get_by_role("combobox", name=label), page.get_by_role("option", name=choice, exact=True)
    for _ in range(10):  # anything that still moves on the page closes the list again
        field.click()
        field.fill(choice)
        with contextlib.suppress(TimeoutError):
            option.wait_for(timeout=1000)
            break
    field.press("ArrowDown")
    field.press("Enter")
    settle(page)


def epoch(page: Page) -> int:
    """Return the epoch that the page says the run has come to."""
    return int(page.get_by_text(re.compile(r"^Epoch \d+ of")).first.inner_text().split()[1])


def test_photos_in_a_zip_become_classes(page, project_address, class_names):
    for name in class_names:
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    assert "project=" in project_address
    expect(page.locator(".thaw-gallery img").first).to_have_js_property("complete", True)


@pytest.fixture(scope="module")
def run_address(page, project_address, has_weights) -> str:
    """A long run that was started by a double click."""
    choose(page, has_weights, epochs=300, early_stopping=False)
    page.get_by_role("button", name="Start training").dblclick()
    expect(page).to_have_url(re.compile(r"/run\?project=\w+&run="))
    return page.url


def test_a_double_click_on_start_makes_one_run(page, run_address):
    page.get_by_role("link", name="Runs").click()
    expect(page.locator("[class*='st-key-thaw-line-']")).to_have_count(1)
    page.locator("[class*='st-key-thaw-line-']").get_by_role("button", name=re.compile("Open|Results")).click()
    expect(page).to_have_url(run_address)


def test_points_appear_on_both_plots(page, run_address):
    expect_points(page, timeout_ms=90_000)


def test_a_refresh_in_the_middle_shows_the_same_run(page, run_address):
    heading, before = page.get_by_role("heading", level=1).inner_text(), epoch(page)
    page.reload()
    expect_points(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    assert page.url == run_address
    assert epoch(page) >= before


def test_a_second_window_of_the_same_browser_shows_the_same_run(page, run_address):
    window = page.context.new_page()
    window.goto(run_address)
    expect_points(window)
    window.close()


def test_another_browser_sees_nothing_of_it(new_visitor, server, run_address):
    stranger = new_visitor().new_page()
    stranger.goto(server)
    expect(stranger.get_by_text("You have no project yet")).to_be_visible()
    stranger.goto(run_address)
    expect(stranger.get_by_text("There is no such project for this browser.")).to_be_visible()
    expect(stranger.locator(".js-plotly-plot")).to_have_count(0)
    assert "Flowers" not in stranger.inner_text("body")


def test_a_run_that_is_stopped_early_says_so_and_keeps_its_best(page, run_address):
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text(re.compile("^Stopp(ing|ed)")).first).to_be_visible()
    expect(page.get_by_text("Stopped. The model has")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="See the results").click()
    expect(page.get_by_role("link", name="Download the model")).to_be_visible()


@pytest.fixture(scope="module")
def downloaded(page, run_address, has_weights, tmp_path_factory) -> Path:
    """The zip of a second run that came to its end, as the browser saved it."""
    choose(page, has_weights, epochs=4)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("Finished. The model has")).to_be_visible(timeout=FINISHED_MS)
    page.get_by_role("button", name="See the results").click()
    expect(page.get_by_role("heading", name="Class by class")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the model").click()
    target = tmp_path_factory.mktemp("download") / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target


def test_results_show_the_exam(page, downloaded):
    expect(page.get_by_text("exam pictures named correctly")).to_be_visible()
    expect(page.get_by_role("heading", name="What is taken for what")).to_be_visible()
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.locator("[class*='st-key-thaw-line-']")).to_have_count(2)
    page.go_back()
    assert re.match(r"thaw-Flowers-花-\d{8}-\d{6}\.zip$", downloaded.name)


def test_a_stranger_cannot_download_the_model(new_visitor, page, server, downloaded):
    address = page.get_by_role("link", name="Download the model").get_attribute("href")
    stranger = new_visitor()
    stranger.new_page().goto(server)
    assert stranger.request.get(server + address).status == 404
    assert page.context.request.get(server + address).status == 200


@pytest.fixture
def clean_python(tmp_path) -> Iterator[Path]:
    """A Python with nothing installed; removed at once, because with TensorFlow in it it takes 2 GB."""
    venv.create(tmp_path / "venv", with_pip=True, symlinks=os.name != "nt")
    yield tmp_path / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    shutil.rmtree(tmp_path / "venv")


def call(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that knows nothing of Thaw and of this Python."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "THAW", "KERAS"))}
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, encoding="utf-8", errors="replace")


def test_the_model_proves_itself_in_a_clean_environment(downloaded, clean_python, tmp_path):
    folder = tmp_path / "thaw model"
    with zipfile.ZipFile(downloaded) as archive:
        archive.extractall(folder)
    install = ("-m", "pip", "install", "-q", "--no-compile", "-r", folder / "requirements.txt")
    installed = call(clean_python, *install, cwd=tmp_path)
    if installed.returncode:
        reason = f"packages could not be installed: {installed.stderr[-500:]}"
        (pytest.fail if os.environ.get("CI", "").lower() in {"1", "true"} else pytest.skip)(reason)
    tested = call(clean_python, folder / "predict.py", "--selftest", cwd=tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert tested.stdout.splitlines()[-1].startswith("OK: ")
    asked = call(clean_python, folder / "predict.py", "--json", next((folder / "examples").glob("01.*")), cwd=tmp_path)
    answers = json.loads(asked.stdout)["predictions"][0]["answers"]
    assert sum(answer["probability"] for answer in answers) == pytest.approx(1, abs=1e-5)
