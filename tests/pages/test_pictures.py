"""Bringing pictures in, and what is shown of them."""

import json
import shutil
import time

import bringing
import drawing
import filelock
import pytest
from PIL import Image, ImageEnhance
from streamlit.testing.v1 import AppTest
from visiting import links, words

from tlcore import deletion, identity, overview, project, removal
from tlcore.images import intake, intake_record
from tlcore.runs import run as runs
from tlcore.samples import public
from tlcore.training.recipe import Recipe


def drop_area(page) -> dict | None:
    """Return what the drop area of a page is told, or None if there is none."""
    drawn = page.get("bidi_component")
    return json.loads(drawn[0].proto.json) if drawn else None


def test_an_empty_project_has_a_drop_area_and_shows_how_the_folders_should_look(visit, empty, monkeypatch):
    monkeypatch.setenv("THAW_UPLOAD_FILES", "77")
    page = visit("pictures.py", project=empty.id)
    assert drop_area(page) == {"address": f"/files/{empty.id}/upload", "maxFiles": 77, "maxBytes": 50 * 10**9}
    assert "train" in words(page) and "daisy/" in words(page) and "filename,label" in words(page)
    assert not page.text_input  # a path on the server only where the installer allows it


def test_a_zip_is_looked_over_in_a_process_of_its_own(visit, empty, zipped):
    bringing.take(empty, zipped)
    intake.start(empty)
    page = visit("pictures.py", project=empty.id)
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
    bringing.take(empty, zipped)
    intake.start(empty)
    page = visit("pictures.py", project=empty.id)
    assert page.get("progress") or intake.status(empty).state == "ready"
    while intake.status(empty).state == "working":
        time.sleep(0.05)


def send_no_zip(project):
    """Bring in something that only calls itself a zip."""
    bringing.send(project, {"pictures.zip": b"this is no zip"})
    assert intake.receive_upload(project) == []
    assert intake.main([str(project.folder)]) == 1


def test_a_zip_that_cannot_be_used_is_refused_with_advice(visit, empty):
    send_no_zip(empty)
    page = visit("pictures.py", project=empty.id)
    assert "thaw-problem" in words(page)
    assert drop_area(page)  # and another one may be sent


def test_a_path_is_taken_only_from_allowed_folders(visit, empty, tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_PICTURE_FOLDERS", str(tmp_path / "allowed"))
    page = visit("pictures.py", project=empty.id)
    page.text_input[0].input(str(tmp_path))
    next(each for each in page.button if each.label == "Take this folder").click().run()
    assert "thaw-problem" in words(page)
    assert intake.status(empty).state == "empty"


def bring_in(project, *folders):
    """Bring pictures into a project, and wait until the worker has ended."""
    bringing.take(project, *folders)
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
    assert "Bring in other pictures" in words(page) and drop_area(page)


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
    assert not drop_area(page)
    assert "To train on other pictures, make a new project" in words(page)


def test_pictures_that_cannot_be_used_leave_the_first_ones_in_place(visit, filled):
    send_no_zip(filled)
    page = visit("pictures.py", project=filled.id)
    assert "thaw-problem" in words(page) and "<dd>60</dd><dt>pictures</dt>" in words(page)
    assert drop_area(page)


def test_while_pictures_are_looked_over_the_page_shows_what_it_understood(visit, empty, tmp_path):
    for part in ("train", "test"):
        drawing.draw_folder(tmp_path / "set" / part, ("cold", "<b>"), per_class=4)
    bring_in(empty, tmp_path / "set")
    with filelock.FileLock(intake_record.lock_file(empty)):
        intake_record.begin(empty)
        said = words(visit("pictures.py", project=empty.id))
    assert "<th>Folder</th><th>Class</th><th>Training</th><th>Exam</th>" in said
    assert "<td>set/…/<b></td><td><b></td><td>4</td><td>4</td>" in said  # unescaped by ``words``


def test_one_class_alone_asks_for_another_and_goes_on_when_it_comes(visit, empty, tmp_path):
    root = drawing.draw_folder(tmp_path / "pictures", ("cold", "warm"), per_class=5)
    bring_in(empty, root / "cold")
    page = visit("pictures.py", project=empty.id)
    assert "All pictures are in one class, “cold”" in words(page) and "<td>cold</td><td>5</td>" in words(page)
    assert "Go on like this" not in words(page) and drop_area(page)
    bring_in(empty, root / "warm")
    assert "<dd>10</dd><dt>pictures</dt>" in words(visit("pictures.py", project=empty.id))
    assert overview.dataset_of(empty).class_names == ("cold", "warm")


def test_loose_pictures_get_a_name(visit, empty, tmp_path):
    root = drawing.draw_folder(tmp_path / "pictures", ("cold", "warm"), per_class=5)
    bring_in(empty, *(root / "cold").iterdir())
    page = visit("pictures.py", project=empty.id)
    page.text_input[0].input("cold").run()
    next(each for each in page.button if each.label == "Make them a class").click().run()
    settle(empty)
    assert "All pictures are in one class, “cold”" in words(visit("pictures.py", project=empty.id))
    bring_in(empty, root / "warm")
    assert overview.dataset_of(empty).counts() == {"cold": 5, "warm": 5}


def settle(project):
    while intake.status(project).state == "working":
        time.sleep(0.05)


@pytest.mark.parametrize(("choice", "classes"), [(0, {"north": 4, "south": 4}), (1, {"cold": 4, "warm": 4})])
def test_folders_inside_folders_are_asked_about(visit, empty, tmp_path, choice, classes):
    for place in ("north", "south"):
        drawing.draw_folder(tmp_path / "set" / place, ("cold", "warm"), per_class=2)
    bring_in(empty, tmp_path / "set")
    page = visit("pictures.py", project=empty.id)
    radio = page.radio[0]
    assert radio.label == "Which folders are the classes?" and "cold, warm" in radio.options[1]
    radio.set_value(radio.options[choice]).run()
    next(each for each in page.button if each.label == "Go on like this").click().run()
    settle(empty)
    assert overview.dataset_of(empty).counts() == classes


def test_pictures_beside_the_class_folders_are_named_before_they_stay_out(visit, empty, tmp_path):
    root = drawing.draw_folder(tmp_path / "pictures", per_class=4)
    (root / "cold" / "0.png").rename(root / "stray <b>.png")
    bring_in(empty, root)
    page = visit("pictures.py", project=empty.id)
    assert "1 picture lies outside of any class folder and will stay out: pictures/stray <b>.png" in words(page)
    assert not any("stray <b>" in each.proto.body for each in page.html)
    next(each for each in page.button if each.label == "Go on like this").click().run()
    settle(empty)
    assert overview.dataset_of(empty).counts() == {"cold": 3, "warm": 4}


@pytest.mark.parametrize("classes", [("cold",), ()])
def test_a_folder_of_the_server_is_never_added_to(visit, empty, tmp_path, monkeypatch, classes):
    monkeypatch.setenv("THAW_PICTURE_FOLDERS", str(tmp_path))
    root = drawing.draw_folder(tmp_path / "set", ("cold", "warm"), per_class=4)
    taken = tmp_path / "set" if classes else root / "cold"
    if classes:
        shutil.rmtree(root / "warm")
    before = sorted(tmp_path.rglob("*.png"))
    intake.receive_folder(empty, taken)
    assert intake.main([str(empty.folder)]) == 0
    page = visit("pictures.py", project=empty.id)
    assert "Bring in others instead" in words(page) and not page.text_input[1:]
    assert ("take the folder above both" if classes else "4 pictures without a class folder") in words(page)
    bring_in(empty, drawing.draw_folder(tmp_path / "new", ("red", "green"), per_class=4))
    assert overview.dataset_of(empty).class_names == ("green", "red")
    assert before == sorted(file for file in before if file.is_file())


def test_what_was_brought_in_can_be_dropped_instead_of_answering(visit, filled, tmp_path):
    bring_in(filled, drawing.draw_folder(tmp_path / "pictures", ("cold",), per_class=4))
    page = visit("pictures.py", project=filled.id)
    next(each for each in page.button if each.label == "Start afresh").click().run()
    assert "<dd>60</dd><dt>pictures</dt>" in words(page)
    assert not filled.incoming.exists()


def test_a_worker_that_broke_off_can_be_tried_again(visit, empty, zipped):
    bringing.take(empty, zipped)
    intake_record.begin(empty)
    record = json.loads(intake_record.file_of(empty).read_text())
    record["started"] -= intake_record.HANDOVER_S + 1
    intake_record.file_of(empty).write_text(json.dumps(record))
    page = visit("pictures.py", project=empty.id)
    next(each for each in page.button if each.label == "Try again").click().run()
    settle(empty)
    assert len(overview.dataset_of(empty).pictures) == 60


def test_nobody_trains_on_pictures_that_are_being_replaced(visit, filled):
    with filelock.FileLock(intake_record.lock_file(filled)):
        intake_record.begin(filled)
        page = visit("train.py", project=filled.id)
        assert "are being looked over" in words(page)
        assert not page.button


def test_nobody_trains_while_new_pictures_wait_for_an_answer(visit, filled, tmp_path):
    bring_in(filled, drawing.draw_folder(tmp_path / "pictures", ("cold",), per_class=4))
    page = visit("train.py", project=filled.id)
    assert "wait for a word from you" in words(page) and not page.button
    assert links(page)["Answer"].endswith(f"pictures?project={filled.id}")


@pytest.fixture
def noticed(empty, tmp_path):
    """A project with a copy in its own class, one in another class, a dark picture, and one class in PNG."""
    folder = drawing.draw_scenes(tmp_path / "pictures", per_class=14)
    copy = Image.open(folder / "a" / "007.jpg")
    copy.save(folder / "a" / "zz copy.jpg", quality=50)
    Image.open(folder / "a" / "014.jpg").save(folder / "b" / "zz wrong.jpg", quality=50)
    ImageEnhance.Brightness(drawing.scene(900)).enhance(0.05).save(folder / "b" / "night.jpg")
    bring_in(empty, folder)
    return empty


def files_of(project):
    return {picture.file.partition("/")[2] for picture in overview.dataset_of(project).pictures}


def press(page, key):
    page.button(key=key).click().run()
    assert not page.exception
    return page


def test_copies_are_left_out_with_one_click_and_come_back_with_another(visit, noticed):
    page = visit("pictures.py", project=noticed.id)
    assert "Near-copies" in words(page) and "4 pictures form 2 groups that look the same" in words(page)
    before = files_of(noticed)
    page = press(page, "leave-near_copy")
    assert before - files_of(noticed) == {"a/zz copy.jpg"}
    assert "a/zz copy.jpg left out" in words(page)
    assert "2 pictures look the same" in words(page), "the pair in two classes is still there"
    assert (noticed.pictures / "pictures" / "a" / "zz copy.jpg").is_file(), "nothing is deleted"
    press(page, "undo-0")
    assert files_of(noticed) == before


def test_a_picture_in_the_wrong_class_is_moved(visit, noticed):
    page = visit("pictures.py", project=noticed.id)
    assert "leave-near_conflict" not in [button.key for button in page.button], "nobody knows which one is wrong"
    page.button_group(key="pick-near_conflict-1").set_value([2]).run()
    page.selectbox(key="target-near_conflict").select("a").run()
    page = press(page, "move-near_conflict")
    dataset = overview.dataset_of(noticed)
    moved = next(picture for picture in dataset.pictures if picture.file.endswith("zz wrong.jpg"))
    assert dataset.class_names[moved.label] == "a"
    assert "Alike, in two classes: pictures/b/zz wrong.jpg moved to “a”" in words(page)
    assert "leave-near_conflict" not in [button.key for button in page.button]
    assert not [finding for finding in overview.findings_of(noticed) if finding.kind == "near_conflict"]


def test_what_is_kept_is_not_said_again_even_after_a_second_look(visit, noticed, tmp_path):
    page = press(visit("pictures.py", project=noticed.id), "keep-dark")
    assert "Very dark: pictures/b/night.jpg kept as it is" in words(page)
    kinds = {finding.kind for finding in overview.findings_of(noticed)}
    assert "dark" not in kinds and "near_copy" in kinds
    press(page, "leave-near_copy")
    (tmp_path / "pictures").rename(tmp_path / "renamed")
    bring_in(noticed, tmp_path / "renamed")
    assert "dark" not in {finding.kind for finding in overview.findings_of(noticed)}
    assert "a/zz copy.jpg" not in files_of(noticed)


def test_the_last_classes_cannot_be_left_out(visit, empty, tmp_path):
    folder = drawing.draw_scenes(tmp_path / "pictures", per_class=12)
    for file in (folder / "b").iterdir():
        Image.open(file).resize((30, 20)).save(file)
    bring_in(empty, folder)
    page = press(visit("pictures.py", project=empty.id), "leave-tiny")
    assert "That would leave only “a”" in words(page)
    assert len(overview.dataset_of(empty).class_names) == 2


def test_with_a_run_answers_are_shown_and_no_more_can_be_given(visit, noticed):
    press(visit("pictures.py", project=noticed.id), "leave-near_copy")
    dataset = overview.dataset_of(noticed)
    runs.create(noticed.runs / runs.new_id(), Recipe(), dataset, overview.split_of(noticed, dataset, Recipe()))
    page = visit("pictures.py", project=noticed.id)
    assert "a/zz copy.jpg left out" in words(page)
    keys = {button.key.split("-")[0] for button in page.button if button.key}
    assert not keys & {"leave", "keep", "undo", "move"}


def test_a_finding_that_still_stands_open_when_a_run_begins_takes_no_answer(visit, noticed):
    def part_of_the_page() -> None:  # as Streamlit runs it again by itself, with what it was given before
        from pages.parts import findings, place
        from tlcore import overview

        opened = place.opened_project()
        findings.draw_one(opened, overview.looked_over(opened), overview.findings_of(opened)[0], True)

    visit()  # the browser
    page = AppTest.from_function(part_of_the_page)
    page.query_params["project"] = noticed.id
    assert "keep" in str([button.key for button in page.run().button])
    dataset = overview.dataset_of(noticed)
    runs.create(noticed.runs / runs.new_id(), Recipe(), dataset, overview.split_of(noticed, dataset, Recipe()))
    assert "A run has begun" in words(page.run()) and "keep" not in str([button.key for button in page.button])


def test_the_page_says_what_copies_would_have_done_and_hands_out_the_split(visit, noticed):
    page = visit("pictures.py", project=noticed.id)
    said = words(page)
    assert "4 pictures look the same as another one, in 2 groups" in said
    assert "With a plain random draw" in said and "means of 10 draws" in said
    assert [button.label for button in page.download_button] == ["Download as a table (CSV)"]


def test_who_was_in_the_exam_stays_there_when_pictures_are_added(visit, filled, tmp_path):
    visit("pictures.py", project=filled.id)
    dataset = overview.dataset_of(filled)
    exam = {dataset.pictures[row].content for row in overview.split_of(filled, dataset, Recipe()).test}
    folder = drawing.draw_folder(tmp_path / "pictures", ("ice", "amber", "<moss>"))
    for picture in drawing.draw_scenes(tmp_path / "more", ("ice", "amber"), per_class=20).rglob("*.jpg"):
        picture.rename((folder / picture.parent.name / picture.name).with_suffix(".png"))
    bring_in(filled, folder)
    dataset = overview.dataset_of(filled)
    parts = overview.split_of(filled, dataset, Recipe())
    assert len(dataset.pictures) == 100
    assert exam < {dataset.pictures[row].content for row in parts.test}
    assert overview.split_of(filled, dataset, Recipe()) == parts


@pytest.mark.parametrize("page", ["pictures.py", "train.py", "runs.py", "run.py", "results.py"])
def test_nobody_sees_the_project_of_another(visit, filled, run, page):
    for who in (identity.new(), None):
        said = words(visit(page, who=who, project=filled.id, run=run.id))
        assert "Ice & amber" not in said and "thaw-problem" in said


@pytest.mark.parametrize("project_id", ["", "0" * 16, "../../etc", "%00"])
def test_an_address_that_leads_nowhere_says_so(visit, project_id):
    assert "thaw-problem" in words(visit("pictures.py", project=project_id))
    assert project.owned_by("x") == ()


def test_public_sets_are_offered_with_size_and_licence_and_the_page_asks_no_network(visit, empty, published):
    page = visit("pictures.py", project=empty.id)
    said = words(page)
    for chosen in public.SETS.values():
        assert chosen.origin.title in said and chosen.origin.allows in said
        assert f'href="{chosen.origin.licence_url}"' in said
        assert page.button(key=f"public-{chosen.name}").label == "Fetch and use"
    assert "We know of no licence" in said and "\u00a0MB to fetch" in said
    assert published.asked == []


def test_a_public_set_is_fetched_and_then_says_whose_it_is(visit, empty, published):
    intake.receive_link(empty, "flower_photos")
    intake_record.begin(empty)
    assert intake.main([str(empty.folder)]) == 0
    page = visit("pictures.py", project=empty.id)
    said = words(page)
    assert "<b>Flower photos</b>, by many people on Flickr" in said
    assert "https://creativecommons.org/licenses/by/2.0/" in said
    assert page.button(key="public-flower_photos").label == "Use these"  # it lies in the cache
    assert "on this computer already" in said


def test_without_internet_a_public_set_fails_in_plain_words_and_can_be_tried_again(visit, empty, monkeypatch):
    monkeypatch.setenv("THAW_WEIGHTS_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    page = visit("pictures.py", project=empty.id)
    page.button(key="public-flower_photos").click().run()
    while intake.status(empty).state == "working":
        time.sleep(0.05)
    page = visit("pictures.py", project=empty.id)
    assert "Flower photos could not be fetched from 127.0.0.1:9: there is no connection" in words(page)
    assert "Try again" in [each.label for each in page.button]


def test_while_a_set_is_fetched_the_page_counts_megabytes(visit, empty):
    intake_record.begin(empty)
    with filelock.FileLock(intake_record.lock_file(empty)):
        report = intake_record.Report(empty)
        report.about("Fetching flower photos", "MB")
        report.write(done=35, total=229)
        page = visit("pictures.py", project=empty.id)
        assert page.get("progress")[0].proto.text == "Fetching flower photos: 35 of 229 MB"
        next(each for each in page.button if each.label == "Stop").click().run()
        assert intake_record.wish_file(empty).exists()
        page = visit("pictures.py", project=empty.id)
        assert page.get("progress")[0].proto.text == "Stopping …"
        assert "Stop" not in [each.label for each in page.button]
        report.write(has_ended=True, problem="Looking over the pictures was stopped.", advice="Try again.")
    page = visit("pictures.py", project=empty.id)
    assert 'class="thaw-message thaw-warm" role="status"><p><strong>Looking over the pictures was stopped.' in words(
        page
    )


def test_what_was_stopped_is_not_tried_again_as_long_as_a_run_on_the_pictures_can_be_taken_back(
    visit, filled, run, zipped
):
    bringing.take(filled, zipped)
    intake_record.begin(filled)
    intake_record.Report(filled).write(has_ended=True, problem="It was stopped.", advice="Try again.")
    deletion.delete_run(run)
    said = words(visit("pictures.py", project=filled.id))
    assert "It was stopped." not in said and "Until then they can be taken back, on the page Runs." in said
    removal.remove(removal.laid_aside(filled.runs)[0])
    page = visit("pictures.py", project=filled.id)
    assert "It was stopped." in words(page) and "Try again" in [each.label for each in page.button]
