"""Bringing pictures in, and what is shown of them."""

import io
import time
import zipfile

import drawing
import filelock
import pytest
from visiting import links, words

from tlcore import identity, overview, project
from tlcore.images import intake, intake_record


def test_an_empty_project_asks_for_a_zip_and_shows_how_it_should_look(visit, empty):
    page = visit("pictures.py", project=empty.id)
    assert page.file_uploader[0].label == "A zip with one folder per class"
    assert "train" in words(page) and "daisy/" in words(page)
    assert not page.text_input  # a path on the server only where the installer allows it


def test_a_zip_is_looked_over_in_a_process_of_its_own(visit, empty, zipped):
    page = visit("pictures.py", project=empty.id)
    page.file_uploader[0].upload("pictures.zip", zipped.read_bytes(), "application/zip").run()
    assert page.get("progress") or "60" in words(page)
    while intake.status(empty).state == "working":
        time.sleep(0.05)
    assert "Classes" in words(visit("pictures.py", project=empty.id))
    assert len(overview.dataset_of(empty).pictures) == 60


def test_what_was_found_is_shown(visit, filled):
    page = visit("pictures.py", project=filled.id)
    said = words(page)
    assert "<dd>60</dd><dt>pictures</dt>" in said and "<dd>3</dd><dt>classes</dt>" in said
    assert "broken.png" in said
    assert "1 file set aside: which, and why" in [each.label for each in page.expander]
    for words_of_part in ("Training pictures", "Check pictures", "Exam pictures"):
        assert words_of_part in said
    assert links(page)["Choose how to train"].endswith(f"train?project={filled.id}")


def test_names_of_classes_are_shown_as_they_are_and_never_as_html(visit, filled):
    page = visit("pictures.py", project=filled.id)
    bodies = [each.proto.body for each in page.html]
    assert any("<b>&lt;moss&gt;</b>" in body for body in bodies)
    assert not any("<moss>" in body for body in bodies)


def test_thumbnails_are_fetched_lazily_from_our_own_route(visit, filled):
    page = visit("pictures.py", project=filled.id)
    page.selectbox(key="gallery-class").select("ice").run()
    first = next(each for each in overview.dataset_of(filled).pictures if each.file.endswith("ice/0.png"))
    source = f'<img loading="lazy" src="/files/{filled.id}/thumbnails/{first.content}.jpg"'
    assert any(source in each.proto.body for each in page.html)


def test_while_pictures_are_looked_over_the_page_says_so(visit, empty, zipped):
    with zipped.open("rb") as stream:
        intake.receive_zip(empty, stream, "pictures.zip")
    intake.start(empty)
    page = visit("pictures.py", project=empty.id)
    assert page.get("progress") or intake.status(empty).state == "ready"
    while intake.status(empty).state == "working":
        time.sleep(0.05)


def test_a_zip_that_cannot_be_used_is_refused_with_advice(visit, empty):
    page = visit("pictures.py", project=empty.id)
    page.file_uploader[0].upload("pictures.zip", b"this is no zip", "application/zip").run()
    while intake.status(empty).state == "working":
        time.sleep(0.05)
    page = visit("pictures.py", project=empty.id)
    assert "thaw-problem" in words(page)
    assert page.file_uploader  # and another one may be sent


def test_a_path_is_taken_only_from_allowed_folders(visit, empty, tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_PICTURE_FOLDERS", str(tmp_path / "allowed"))
    page = visit("pictures.py", project=empty.id)
    page.text_input[0].input(str(tmp_path))
    next(each for each in page.button if each.label == "Take this folder").click().run()
    assert "thaw-problem" in words(page)
    assert intake.status(empty).state == "empty"


def bring_in(project, folder):
    """Bring a folder of pictures into a project as a zip, and wait until it has been looked over."""
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as packed:
        for picture in sorted(folder.rglob("*.png")):
            packed.write(picture, picture.relative_to(folder.parent))
    with folder.with_suffix(".zip").open("rb") as stream:
        intake.receive_zip(project, stream, "pictures.zip")
    assert intake.main([str(project.folder)]) == 0


def test_a_class_that_is_too_small_is_said_at_the_top_and_other_pictures_can_be_brought_in(visit, empty, tmp_path):
    folder = drawing.draw_folder(tmp_path / "pictures")
    for picture in sorted((folder / "warm").iterdir())[1:]:
        picture.unlink()
    bring_in(empty, folder)
    page = visit("pictures.py", project=empty.id)
    said = words(page)
    assert said.count("“warm” has only 1 picture to draw from") == 1
    assert said.index("“warm” has only 1 picture") < said.index("thaw-classes")
    assert "Choose how to train" not in links(page)
    assert "Bring in other pictures" in words(page) and page.file_uploader


def test_other_pictures_replace_the_first_ones_until_a_run_has_begun(visit, filled, tmp_path):
    page = visit("pictures.py", project=filled.id)
    page.selectbox(key="gallery-class").select("ice").run()
    folder = drawing.draw_folder(tmp_path / "pictures", ("cold", "warm"), per_class=5)
    bring_in(filled, folder)
    page.run()
    assert not page.exception and "<dd>10</dd><dt>pictures</dt>" in words(page)
    assert links(page)["Choose how to train"]
    assert "broke" not in words(page)
    page = visit("pictures.py", project=filled.id)
    page.button(key="sample-leaves").click().run()
    while intake.status(filled).state == "working":
        time.sleep(0.05)
    assert set(overview.dataset_of(filled).class_names) == {"healthy", "spotted"}


def test_with_a_run_the_pictures_stay(visit, filled, run):
    page = visit("pictures.py", project=filled.id)
    assert not page.file_uploader
    assert "To train on other pictures, make a new project" in words(page)


def test_pictures_that_cannot_be_used_leave_the_first_ones_in_place(visit, filled):
    intake.receive_zip(filled, io.BytesIO(b"this is no zip"), "pictures.zip")
    assert intake.main([str(filled.folder)]) == 1
    page = visit("pictures.py", project=filled.id)
    assert "thaw-problem" in words(page) and "<dd>60</dd><dt>pictures</dt>" in words(page)
    assert page.file_uploader


def test_nobody_trains_on_pictures_that_are_being_replaced(visit, filled):
    with filelock.FileLock(intake_record.lock_file(filled)):
        intake_record.begin(filled)
        page = visit("train.py", project=filled.id)
        assert "are being looked over" in words(page)
        assert not page.button


@pytest.mark.parametrize("page", ["pictures.py", "train.py", "runs.py", "run.py", "results.py"])
def test_nobody_sees_the_project_of_another(visit, filled, run, page):
    for who in (identity.new(), None):
        said = words(visit(page, who=who, project=filled.id, run=run.id))
        assert "Ice & amber" not in said and "thaw-problem" in said


@pytest.mark.parametrize("project_id", ["", "0" * 16, "../../etc", "%00"])
def test_an_address_that_leads_nowhere_says_so(visit, project_id):
    assert "thaw-problem" in words(visit("pictures.py", project=project_id))
    assert project.owned_by("x") == ()
