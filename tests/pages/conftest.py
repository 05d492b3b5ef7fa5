"""Visits to the pages without a browser: Streamlit's AppTest, with the cookie that a browser would send."""

import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import bringing
import drawing
import filelock
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.session_manager import ClientContext
from streamlit.testing.v1 import AppTest
from visiting import ME

from tlcore import identity, overview, project
from tlcore.images import dataset as datasets
from tlcore.images import intake, split
from tlcore.project import Project
from tlcore.runs import run as runs
from tlcore.runs.run import Run
from tlcore.training.recipe import Recipe

ROUTER = Path(__file__).resolve().parents[2] / "pages" / "router.py"


class Browser(ClientContext):
    """What Streamlit knows of a connection. AppTest has none, so the tests bring one: only the cookies matter."""

    headers, cookies, remote_ip = (), {}, None

    def __init__(self, cookies: dict[str, str]) -> None:
        self.cookies = cookies


@pytest.fixture(autouse=True, scope="module")
def pages_are_drawn_without_a_look_at_all_garbage(garbage_of_others_stays: None) -> None:
    """Where Keras is imported, Streamlit has it clear its session after every run of a page."""


@pytest.fixture(autouse=True, scope="session")
def packages_are_searched_once() -> Iterator[None]:
    """Let Streamlit look for components in what is installed once: AppTest does so at every run of a page.

    A server does it when it starts. It was four fifths of the time of these tests (our measurement).
    """
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """An installation of its own for every test, without pretrained weights."""
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "home"


@pytest.fixture
def visit(monkeypatch) -> Callable[..., AppTest]:
    """Return a function that opens a page as a browser with this identity (None: a browser without cookies)."""

    def open_page(page: str = "projects.py", who: str | None = ME, **parameters: str) -> AppTest:
        browser = Browser({identity.COOKIE: who} if who else {})
        monkeypatch.setattr("streamlit.runtime.context._get_client_context", lambda: browser)
        visited = AppTest.from_file(str(ROUTER), default_timeout=20)
        visited.run()
        visited.switch_page(page)
        visited.query_params.update(parameters)
        return visited.run()

    return open_page


@pytest.fixture
def empty() -> Project:
    return project.create(ME, "Nothing yet")


@pytest.fixture(scope="session")
def zipped(tmp_path_factory) -> Path:
    """A zip of twenty pictures in each of three classes, and one file that is none."""
    folder = drawing.draw_folder(tmp_path_factory.mktemp("zipped") / "pictures", ("ice", "amber", "<moss>"))
    (folder / "ice" / "broken.png").write_bytes(b"not a picture")
    file = folder.parent / "pictures.zip"
    with zipfile.ZipFile(file, "w") as packed:
        for picture in sorted(folder.rglob("*.png")):
            packed.write(picture, picture.relative_to(folder.parent))
    return file


@pytest.fixture(scope="session")
def looked_over(zipped, tmp_path_factory) -> Path:
    """The folder of a project whose pictures have been looked over, in an installation of its own."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("THAW_HOME", str(tmp_path_factory.mktemp("looked_over")))
        made = project.create(ME, "Ice & amber")
        bringing.take(made, zipped)
        assert intake.main([str(made.folder)]) == 0
        return made.folder


@pytest.fixture
def filled(looked_over) -> Project:
    """A project whose pictures have been looked over: a copy, because looking over takes two seconds."""
    made = project.create(ME, "Ice & amber")
    shutil.copytree(looked_over, made.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("project.json"))
    dataset = datasets.load(made.dataset_file)
    datasets.save(replace(dataset, root=made.folder / dataset.root.relative_to(looked_over)), made.dataset_file)
    return made


@pytest.fixture
def run(filled) -> Run:
    """A run that was handed over long ago, so that nothing but its events and its lock say how it is."""
    dataset = overview.dataset_of(filled)
    recipe = Recipe(backbone="mobilenet_v2_035", frozen_stages=4, epochs=4)
    made = runs.create(filled.runs / runs.new_id(), recipe, dataset, split.draw(dataset, 0.15, 0.15, 0))
    made.events.file.write_text('{"type": "queued", "time": 1.0}\n')
    return made


@pytest.fixture
def at_work(run) -> Iterator[Run]:
    """The same run while a process works on it."""
    with filelock.FileLock(run.lock_file):
        yield run
