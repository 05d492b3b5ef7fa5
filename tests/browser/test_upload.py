"""Pictures on their way in, in a real browser: dropped, broken off, gone on with, cancelled."""

import contextlib
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import drawing
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, TimeoutError, expect

from tlcore import identity, project

SLOW = 1_500_000  # bytes a second: slow enough to step in between


@pytest.fixture(scope="module")
def window(new_visitor) -> BrowserContext:
    """One browser window for all tests: what it has loaded of the app once, it need not load again."""
    return new_visitor()


@pytest.fixture
def page(server, home, window, monkeypatch) -> Iterator[Page]:
    """The page of an empty project, of a visitor who made it before."""
    mine = identity.new()
    with monkeypatch.context() as changed:
        changed.setenv("THAW_HOME", str(home))
        made = project.create(mine, "Sent")
    window.clear_cookies()
    window.add_cookies([{"name": identity.COOKIE, "value": mine, "url": server}])
    opened = window.new_page()
    opened.goto(f"{server}/pictures?project={made.id}")
    yield ready(opened)
    for left in window.pages:
        left.close()


def empty_project(opened: Page, server: str) -> Page:
    """Make a project on the home page; return its page."""
    opened.goto(server)
    opened.get_by_label("Name of a new project").fill("Sent")
    opened.get_by_role("button", name="Make it").click()
    return ready(opened)


def ready(opened: Page) -> Page:
    """Wait until the page of an empty project stands."""
    opened.on("dialog", lambda dialog: dialog.accept())  # that files are still being sent
    expect(opened.get_by_role("button", name="Choose a folder")).to_be_visible()
    # Until the server has drawn the page, the area may be put there anew, and the focus is lost.
    expect(opened.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    return opened


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """Two classes of ten small pictures, each with as many large ones: 12 MB together."""
    root = drawing.draw_folder(tmp_path_factory.mktemp("drawn") / "pictures", ("cold", "寒い"), per_class=10)
    for number in range(20):
        noise = Image.effect_noise((800, 800), 90 + number)
        noise.save(root / ("cold", "寒い")[number % 2] / f"large {number}.png", compress_level=1)
    return root


@pytest.fixture
def pictures(drawn, tmp_path) -> Path:
    """A copy of them, which a test may change."""
    return Path(shutil.copytree(drawn, tmp_path / "pictures"))


def drop(page: Page, *paths: Path) -> None:
    """Drop files and folders on the page, as the system's file manager does."""
    devtools = page.context.new_cdp_session(page)
    place = page.locator(".area").bounding_box()
    where = {"x": place["x"] + place["width"] / 2, "y": place["y"] + 20}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "data": data, **where})


@pytest.fixture
def network(page) -> Callable[..., None]:
    """Return a function that makes the connection of the page slow or breaks it."""
    return network_of(page)


def network_of(page: Page) -> Callable[..., None]:
    devtools = page.context.new_cdp_session(page)

    def set_conditions(bytes_per_second: int = -1, is_broken: bool = False) -> None:
        rates = {"downloadThroughput": -1, "uploadThroughput": bytes_per_second, "latency": 0}
        devtools.send("Network.emulateNetworkConditions", {"offline": is_broken, **rates})

    devtools.send("Network.enable")
    return set_conditions


def expect_pictures(page: Page, number: int, classes: int = 2) -> None:
    """Wait until that many pictures have been looked over."""
    expect(page.get_by_role("heading", name="Classes")).to_be_visible(timeout=60_000)
    expect(page.locator(".thaw-facts")).to_have_text(re.compile(rf"^\s*{number}\s*pictures\s*{classes}\s*classes"))


def expect_title(page: Page, words: str) -> None:
    """Wait until the drop area says this."""
    expect(page.locator(".area .title")).to_contain_text(words)


def expect_some_but_not_all(page: Page, all_of_them: int) -> None:
    """Wait until some files have arrived, but not all."""
    title = page.locator(".area .title")
    expect(title).to_have_text(re.compile(rf"^[1-9]\d* of {all_of_them} files"), timeout=60_000)
    assert not title.inner_text().startswith(f"{all_of_them} ")


def test_a_folder_that_is_dropped_arrives_whole(page, pictures):
    (pictures / "cold" / "line\nbreak \u202e 🐱.png").write_bytes((pictures / "cold" / "0.png").read_bytes())
    (pictures / "cold" / ("n" * 240 + ".png")).write_bytes((pictures / "cold" / "1.png").read_bytes())
    (pictures / ".DS_Store").write_bytes(b"litter")
    drop(page, pictures)
    expect_pictures(page, 42)
    expect(page.get_by_text("寒い", exact=True).first).to_be_visible()


def test_class_folders_and_zips_may_be_dropped_together(page, pictures, tmp_path):
    shutil.make_archive(str(tmp_path / "warm"), "zip", drawing.draw_folder(tmp_path / "more", ("warm",)) / "warm")
    drop(page, pictures / "cold", pictures / "寒い", tmp_path / "warm.zip")
    expect_pictures(page, 60, classes=3)


def test_a_zip_can_be_chosen_with_the_keyboard_alone(page, pictures, tmp_path):
    with zipfile.ZipFile(tmp_path / "large.zip", "w") as target:  # stored: 12 MB in two pieces
        for file in pictures.rglob("*.png"):
            target.write(file, file.relative_to(pictures))
    for _ in range(10):  # a page that is drawn once more, right at its start, takes the focus away
        page.get_by_role("button", name="Choose a folder").focus()
        page.keyboard.press("Tab")
        with contextlib.suppress(AssertionError, TimeoutError):
            expect(page.get_by_role("button", name="Choose a zip or pictures")).to_be_focused(timeout=500)
            with page.expect_file_chooser(timeout=3000) as chooser:
                page.keyboard.press("Enter")
            break
    chooser.value.set_files(tmp_path / "large.zip")
    expect_pictures(page, 40)


def test_after_a_broken_connection_it_goes_on_by_itself(page, pictures, network):
    network(SLOW)
    drop(page, pictures)
    expect_some_but_not_all(page, 40)
    network(is_broken=True)
    expect(page.get_by_text("The connection to the server broke.")).to_be_visible()
    network()
    expect_pictures(page, 40)


def test_after_a_restart_of_the_server_it_goes_on_by_itself(serving, new_visitor, pictures, tmp_path):
    places = (tmp_path / "home", tmp_path / "keras", tmp_path / "server.log")
    with serving(*places) as address:
        page = empty_project(new_visitor().new_page(), address)
        network = network_of(page)
        network(SLOW)
        drop(page, pictures)
        expect_some_but_not_all(page, 40)
    expect(page.get_by_text("The connection to the server broke.")).to_be_visible()
    network()
    with serving(*places, port=int(address.rpartition(":")[2])):
        expect_pictures(page, 40)


def test_after_a_reload_only_the_rest_is_sent(page, server, pictures, network):
    network(SLOW)
    drop(page, pictures)
    expect_some_but_not_all(page, 40)
    page.reload()
    expect_title(page, "An upload broke off")
    project = re.search(r"project=(\w+)", page.url).group(1)
    before = page.context.request.get(f"{server}/files/{project}/upload").json()
    assert 0 < before["filesHere"] < before["files"] == 40
    network()
    sent = []
    page.on("requestfinished", lambda request: sent.append(request) if "/pieces" in request.url else None)
    page.locator("input.folder").set_input_files(pictures)
    expect_pictures(page, 40)
    sizes = sum(int(request.header_value("content-length")) for request in sent)
    rest = before["bytes"] - before["bytesHere"]
    assert rest < sizes < rest + 2000, "the files and one short line in each request"


def test_what_is_here_can_be_used_without_the_rest(page, pictures, network):
    network(SLOW)
    drop(page, pictures)
    expect_some_but_not_all(page, 40)
    page.reload()
    network()
    page.get_by_role("button", name="Go on with what is here").click()
    expect_title(page, "files did not arrive")
    page.get_by_role("button", name="Go on without them").click()
    expect(page.get_by_text(re.compile("files set aside|We found")).first).to_be_visible(timeout=60_000)


def test_another_folder_does_not_mix_with_what_broke_off(page, pictures, network, tmp_path):
    network(SLOW)
    drop(page, pictures)
    expect_some_but_not_all(page, 40)
    page.reload()
    expect_title(page, "An upload broke off")
    network()
    drop(page, drawing.draw_folder(tmp_path / "other", ("red", "green"), per_class=6))
    expect_title(page, "40 files of another upload")
    page.get_by_role("button", name="Only the new ones").click()
    expect_pictures(page, 12)


def test_a_walk_through_the_app_does_not_break_it_off(page, pictures, network):
    network(SLOW)
    drop(page, pictures)
    expect_some_but_not_all(page, 40)
    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    page.get_by_role("link", name="Pictures").click()
    expect(page.get_by_role("button", name="Cancel").or_(page.get_by_role("heading", name="Classes"))).to_be_visible()
    network()
    expect_pictures(page, 40)


def test_a_cancelled_upload_leaves_nothing_behind(page, pictures, network):
    network(SLOW)
    drop(page, pictures)
    expect_some_but_not_all(page, 40)
    page.get_by_role("button", name="Cancel").click()
    expect_title(page, "Drop a folder or a zip here")
    network()
    page.reload()
    expect_title(page, "Drop a folder or a zip here")
    page.wait_for_load_state("networkidle")
    expect_title(page, "Drop a folder or a zip here")
    drop(page, pictures)
    expect_pictures(page, 40)


def test_a_file_that_vanishes_meanwhile_is_named_and_the_rest_is_used(page, pictures, network):
    network(SLOW // 20)
    drop(page, pictures)
    expect_title(page, "of 40 files")
    lost = pictures / "寒い" / "3.png"
    lost.unlink()
    network()
    page.get_by_role("button", name="Go on without them").or_(page.get_by_role("heading", name="Classes")).wait_for()
    if page.get_by_role("button", name="Go on without them").count():  # the browser had not read it yet
        expect(page.locator(".area .names")).to_have_text("pictures/寒い/3.png")
        page.get_by_role("button", name="Go on without them").click()
        expect_pictures(page, 39)
        expect(page.get_by_text("1 file set aside: which, and why")).to_be_visible()


def test_one_class_alone_waits_for_the_other(page, pictures):
    drop(page, pictures / "cold")
    expect(page.get_by_text("All pictures are in one class, “cold”.")).to_be_visible(timeout=60_000)
    drop(page, pictures / "寒い")
    expect_pictures(page, 40)


def test_a_second_upload_takes_the_place_of_the_first(page, pictures, tmp_path):
    drop(page, drawing.draw_folder(tmp_path / "first", per_class=5))
    expect_pictures(page, 10)
    page.locator(".area").scroll_into_view_if_needed()
    drop(page, pictures)
    expect(page.get_by_text("寒い", exact=True).first).to_be_visible(timeout=60_000)
    expect_pictures(page, 40)


def test_a_full_disk_is_said_and_it_goes_on_when_there_is_room(crowded_server, small_disk, new_visitor, tmp_path):
    root = drawing.draw_folder(tmp_path / "few", per_class=4)
    for number in range(8):  # 1.4 MB
        Image.effect_noise((420, 420), 90).save(root / "cold" / f"large {number}.png", compress_level=1)
    page = empty_project(new_visitor().new_page(), crowded_server)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_000_000))
    drop(page, root)
    expect(page.get_by_text(re.compile("The server has room for|The disk of the server is full")).first).to_be_visible()
    ballast.unlink()
    page.get_by_role("button", name="Try now").click()
    expect_pictures(page, 16)
