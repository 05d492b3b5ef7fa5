import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bringing
import drawing
import filelock
import published as publishing
import pytest
from PIL import Image

from tlcore import atomic
from tlcore import project as projects
from tlcore.errors import DatasetError, UploadError, UserError
from tlcore.images import dataset as datasets
from tlcore.images import finding, intake, intake_record, origin, thumbnails
from tlcore.images.intake_status import IntakeStatus
from tlcore.project import Project
from tlcore.samples import public


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("THAW_PICTURE_FOLDERS", str(tmp_path / "allowed"))
    yield projects.create("someone", "Pets")


def zip_of(folder: Path, file: Path) -> Path:
    with zipfile.ZipFile(file, "w") as target:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                target.write(path, path.relative_to(folder.parent))
    return file


def settled(project: Project) -> IntakeStatus:
    """Wait until the worker has ended."""
    deadline = time.monotonic() + 40
    while (status := intake.status(project)).state == "working":
        assert time.monotonic() < deadline, (project.folder / "intake.log").read_text()
        time.sleep(0.05)
    return status


def bring(project: Project, file: Path) -> IntakeStatus:
    bringing.take(project, file)
    intake.start(project)
    return settled(project)


def test_a_new_project_is_empty(project: Project) -> None:
    assert intake.status(project) == IntakeStatus("empty")


def test_a_zip_becomes_a_dataset_with_thumbnails_and_findings(project: Project, tmp_path: Path) -> None:
    drawn = drawing.draw_folder(tmp_path / "猫 & dogs", ("猫", "dogs"), per_class=12)
    (drawn / "dogs" / "broken.jpg").write_bytes(b"broken")
    (drawn / "dogs" / "copy.png").write_bytes((drawn / "dogs" / "0.png").read_bytes())
    assert bring(project, zip_of(drawn, tmp_path / "a.zip")).state == "ready"
    dataset = datasets.load(project.dataset_file)
    assert dataset.root == project.pictures
    assert dataset.counts() == {"dogs": 13, "猫": 12}
    assert all((project.pictures / entry.file).is_file() for entry in dataset.pictures)
    assert all(thumbnails.file_of(project.thumbnails, entry.content).is_file() for entry in dataset.pictures)
    assert [each.kind for each in finding.load(intake.findings_file(project))] == ["unreadable", "duplicate"]
    assert not project.incoming.exists(), "the zip is not kept"
    assert not project.incoming.exists()


def test_what_could_not_be_unpacked_is_among_what_was_set_aside(project: Project, tmp_path: Path) -> None:
    file = zip_of(drawing.draw_folder(tmp_path / "drawn"), tmp_path / "a.zip")
    with zipfile.ZipFile(file, "a") as target:
        target.writestr("drawn/warm/" + "n" * 300 + ".png", b"x")
    assert bring(project, file).state == "ready"
    (entry,) = datasets.load(project.dataset_file).set_aside
    assert entry.kind == "unpacked"


def test_a_bad_zip_leaves_the_project_usable(project: Project, tmp_path: Path) -> None:
    (tmp_path / "holiday.zip").write_bytes(b"PK\x03\x04 cut")
    status = bring(project, tmp_path / "holiday.zip")
    assert status.state == "failed"
    assert "“holiday.zip” is damaged" in status.problem
    assert status.advice
    assert not project.dataset_file.exists()
    assert bring(project, zip_of(drawing.draw_folder(tmp_path / "drawn"), tmp_path / "b.zip")).state == "ready"


def test_a_bad_zip_does_not_cost_the_pictures_that_are_there(project: Project, tmp_path: Path) -> None:
    bring(project, zip_of(drawing.draw_folder(tmp_path / "drawn"), tmp_path / "b.zip"))
    before = datasets.load(project.dataset_file)
    (tmp_path / "new.zip").write_bytes(b"PK\x03\x04 cut")
    assert bring(project, tmp_path / "new.zip").state == "failed"
    assert datasets.load(project.dataset_file) == before
    assert all((project.pictures / entry.file).is_file() for entry in before.pictures)


def test_new_pictures_take_the_place_of_the_old_ones(project: Project, tmp_path: Path) -> None:
    bring(project, zip_of(drawing.draw_folder(tmp_path / "old"), tmp_path / "old.zip"))
    bring(project, zip_of(drawing.draw_folder(tmp_path / "new", ("red", "blue")), tmp_path / "new.zip"))
    assert datasets.load(project.dataset_file).class_names == ("blue", "red")
    assert not (project.pictures / "old").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals as on Linux and macOS")
def test_a_worker_that_is_killed_in_the_middle_reads_as_failed_and_can_be_started_again(
    project: Project, tmp_path: Path
) -> None:
    file = zip_of(drawing.draw_folder(tmp_path / "drawn"), tmp_path / "a.zip")
    with zipfile.ZipFile(file, "a") as target:
        large = io.BytesIO()
        Image.effect_noise((1200, 1200), 90).save(large, "PNG", compress_level=1)
        for number in range(60):  # enough work to be caught in
            target.writestr(f"drawn/warm/large{number}.png", large.getvalue() + bytes([number]))
    bringing.take(project, file)
    intake_record.begin(project)
    worker = subprocess.Popen(
        [sys.executable, "-m", "tlcore.images.intake", str(project.folder)], cwd=Path(intake.__file__).parents[2]
    )
    while "Looking" not in (status := intake.status(project)).task or not status.done:
        assert status.state == "working"
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    status = intake.status(project)
    assert status.state == "failed"
    assert "ended unexpectedly" in status.problem
    assert bring(project, zip_of(drawing.draw_folder(tmp_path / "again"), tmp_path / "b.zip")).state == "ready"
    assert not project.incoming.exists()


def test_a_worker_that_never_came_up_reads_as_failed_after_a_while(project: Project) -> None:
    intake_record.begin(project)
    assert intake.status(project).state == "working"
    record = json.loads(intake_record.file_of(project).read_text())
    record["started"] -= intake_record.HANDOVER_S + 1
    intake_record.file_of(project).write_text(json.dumps(record))
    assert intake.status(project).state == "failed"


def test_nothing_can_be_brought_in_while_pictures_are_looked_over(project: Project) -> None:
    intake_record.begin(project)
    with pytest.raises(UploadError, match="still being looked over"):
        intake.receive_upload(project)
    with pytest.raises(UploadError, match="still being looked over"):
        intake.start(project)


def test_an_allowed_folder_of_the_server_is_looked_over_where_it_lies(project: Project, tmp_path: Path) -> None:
    drawn = drawing.draw_folder(tmp_path / "allowed" / "pets")
    assert intake.receive_folder(project, drawn) == drawn.resolve()
    intake.start(project)
    assert settled(project).state == "ready"
    dataset = datasets.load(project.dataset_file)
    assert dataset.root == drawn.resolve()
    assert len(list(project.thumbnails.iterdir())) == len(dataset.pictures)


@pytest.mark.parametrize(
    "path", ["outside", "allowed/../outside", "allowed/link", "allowed/missing", "/", "allowed/a.zip"]
)
def test_no_other_folder_of_the_server_is_taken(project: Project, tmp_path: Path, path: str) -> None:
    drawing.draw_folder(tmp_path / "outside")
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "allowed" / "a.zip").write_bytes(b"")
    with pytest.raises(UploadError, match="There is no folder"):
        intake.receive_folder(project, tmp_path / path)


def test_the_worker_checks_the_folder_again(project: Project, tmp_path: Path) -> None:
    drawing.draw_folder(tmp_path / "outside")
    (tmp_path / "allowed").mkdir()
    project.incoming.mkdir()
    (project.incoming / "folder.json").write_text(json.dumps({"folder": str(tmp_path / "outside")}))
    intake.start(project)
    status = settled(project)
    assert status.state == "failed"
    assert "There is no folder" in status.problem


def test_without_a_setting_no_folder_of_the_server_is_taken(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("THAW_PICTURE_FOLDERS")
    with pytest.raises(UploadError, match="none is allowed"):
        intake.receive_folder(project, drawing.draw_folder(tmp_path / "allowed"))


def test_the_command_line_takes_a_folder_or_a_zip_and_unpacks_it_once(project: Project, tmp_path: Path) -> None:
    drawn = drawing.draw_folder(tmp_path / "drawn")
    file = zip_of(drawn, tmp_path / "a.zip")
    with zipfile.ZipFile(file, "a") as target:
        target.writestr("drawn/warm/a\nb.png", b"x")
    from_folder, from_zip = intake.open_pictures(drawn), intake.open_pictures(file)
    assert from_folder.fingerprint == from_zip.fingerprint
    assert [entry.kind for entry in from_zip.set_aside] == ["unpacked"]
    changed = (from_zip.root / from_zip.pictures[0].file).stat().st_mtime_ns
    assert intake.open_pictures(file) == from_zip
    assert (from_zip.root / from_zip.pictures[0].file).stat().st_mtime_ns == changed


def test_the_command_line_takes_a_tar_archive_as_it_takes_a_zip(project: Project, tmp_path: Path) -> None:
    drawn = drawing.draw_folder(tmp_path / "drawn")
    with tarfile.open(tmp_path / "drawn.tgz", "w:gz") as target:
        target.add(drawn, "drawn")
        link = tarfile.TarInfo("drawn/warm/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "0.png"
        target.addfile(link)
    from_tar = intake.open_pictures(tmp_path / "drawn.tgz")
    assert from_tar.fingerprint == intake.open_pictures(drawn).fingerprint
    assert [entry.kind for entry in from_tar.set_aside] == ["unpacked"]


def test_the_command_line_says_when_there_is_nothing_or_too_little(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UploadError, match="no folder, zip or tar archive"):
        intake.open_pictures(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="one class"):
        intake.open_pictures(drawing.draw_folder(tmp_path / "one", ("cats",)))
    assert intake.open_pictures(tmp_path / "one", at_least=1).class_names == ("cats",)


def test_a_sample_set_is_drawn_and_looked_over(project: Project) -> None:
    intake.receive_sample(project, "signs")
    intake.start(project)
    assert settled(project).state == "ready"
    dataset = datasets.load(project.dataset_file)
    assert dataset.root == project.pictures and set(dataset.counts().values()) == {60}


def test_a_sample_set_that_does_not_exist_is_refused_at_once(project: Project) -> None:
    with pytest.raises(UserError, match="no sample set"):
        intake.receive_sample(project, "dinosaurs")


def fetched(project: Project, name: str) -> IntakeStatus:
    intake.receive_link(project, name)
    intake_record.begin(project)
    intake.main([str(project.folder)])
    return intake.status(project)


def test_a_public_set_is_fetched_and_looked_over_and_its_origin_is_kept(published, project: Project) -> None:
    assert fetched(project, "flower_photos").state == "ready"
    dataset = datasets.load(project.dataset_file)
    assert dataset.root == project.pictures
    assert dataset.class_names == ("daisy", "dandelion", "roses", "sunflowers", "tulips")
    assert (project.pictures / "flower_photos" / "LICENSE.txt").is_file(), "it names the photographers"
    assert origin.load(origin.file_of(project)) == public.get("flower_photos").origin
    assert not project.incoming.exists()


@pytest.mark.parametrize("name", ["cats_and_dogs", "cats_and_dogs_large"])
def test_no_public_set_asks_anything(published, project: Project, name: str) -> None:
    assert fetched(project, name).state == "ready"
    assert datasets.load(project.dataset_file).class_names == public.get(name).class_names


def test_other_pictures_do_not_keep_the_origin_of_those_before(published, project: Project, tmp_path: Path) -> None:
    assert fetched(project, "flower_photos").state == "ready"
    assert bring(project, zip_of(drawing.draw_folder(tmp_path / "drawn"), tmp_path / "b.zip")).state == "ready"
    assert origin.load(origin.file_of(project)) is None


def test_pictures_that_cannot_be_fetched_leave_those_before_with_their_origin(published, project: Project) -> None:
    assert fetched(project, "flower_photos").state == "ready"
    before = datasets.load(project.dataset_file)
    shutil.rmtree(published.folder)
    assert fetched(project, "cats_and_dogs").state == "failed"
    assert datasets.load(project.dataset_file) == before
    assert origin.load(origin.file_of(project)) == public.get("flower_photos").origin


def test_after_a_broken_connection_the_fetching_can_be_tried_again(published, project: Project) -> None:
    published.cuts = 3
    status = fetched(project, "flower_photos")
    assert (status.state, status.can_try_again) == ("failed", True)
    assert "the connection broke off" in status.problem
    intake_record.begin(project)
    assert intake.main([str(project.folder)]) == 0
    assert intake.status(project).state == "ready"
    assert published.ranges[3].startswith("bytes="), "it goes on where it was"


def test_without_internet_the_worker_says_so_and_what_was_asked_for_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THAW_WEIGHTS_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    intake.receive_link(project, "flower_photos")
    intake.start(project)
    status = settled(project)
    assert (status.state, status.can_try_again) == ("failed", True)
    assert "Flower photos could not be fetched" in status.problem and "try again" in status.advice


def test_a_public_set_that_does_not_exist_is_refused_at_once(project: Project) -> None:
    with pytest.raises(UserError, match="no public set"):
        intake.receive_link(project, "dinosaurs")


def test_the_status_says_in_what_it_counts(project: Project) -> None:
    intake_record.begin(project)
    with filelock.FileLock(intake_record.lock_file(project)):
        report = intake_record.Report(project)
        report.about("Fetching flower photos", "MB")
        report.write(done=35, total=229)
        assert intake.status(project) == IntakeStatus("working", "Fetching flower photos", 35, 229, "MB")
        report.about("Unpacking")
        assert intake.status(project).unit == ""


def test_a_fetch_can_be_stopped_and_goes_on_where_it_was(published, project: Project) -> None:
    published.pause_s = 0.05
    contents = publishing.contents_of(public.get("cats_and_dogs"))
    publishing.publish(published, "cats_and_dogs", contents | {"cats_and_dogs_filtered/filler": os.urandom(3_000_000)})
    intake.receive_link(project, "cats_and_dogs")
    intake_record.begin(project)
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(intake.main, [str(project.folder)])
        while not intake.status(project).done:
            assert not ending.done()
            time.sleep(0.01)
        intake.stop(project)
        assert ending.result(timeout=30) == 1
    status = intake.status(project)
    assert (status.state, status.can_try_again, status.problem) == (
        "failed",
        True,
        "Looking over the pictures was stopped.",
    )
    assert status.is_stopped
    published.pause_s = 0.0
    intake_record.begin(project)
    assert intake.main([str(project.folder)]) == 0
    assert intake.status(project).state == "ready"
    assert published.ranges[1].startswith("bytes=")


def test_without_a_worker_there_is_nothing_to_stop(project: Project) -> None:
    intake.stop(project)
    assert not intake_record.wish_file(project).exists()


def test_a_worker_that_ends_well_between_two_looks_never_reads_as_killed(project: Project) -> None:
    """A quick hand: record and lock change at every moment, as they do when a small upload is looked over."""
    atomic.write_json(project.dataset_file, {})
    quick = """
import sys, filelock
from pathlib import Path
from tlcore import atomic
from tlcore.images import intake_record
from tlcore.images.intake_record import Report
from tlcore.project import Project
project = Project(**atomic.read_json(Path(sys.argv[1]) / "project.json"))
for _ in range(400):
    with filelock.FileLock(intake_record.lock_file(project)):
        intake_record.begin(project)
        report = Report(project)
        report.write(has_ended=True)
print("done", flush=True)
"""
    worker = subprocess.Popen([sys.executable, "-c", quick, str(project.folder)], stdout=subprocess.PIPE)
    states = set()
    while worker.poll() is None:
        states.add(intake.status(project).state)
    assert worker.stdout.read() == b"done\n"
    assert states <= {"empty", "ready", "working"}
