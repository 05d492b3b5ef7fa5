import contextlib
from pathlib import Path

import bringing
import pytest

from tlcore import project as projects
from tlcore.errors import DiskFull, UploadError
from tlcore.images import pieces, upload
from tlcore.images.upload import Announced
from tlcore.project import Project

LARGE = upload.PIECE_BYTES + 1000


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    return projects.create("someone", "Pets")


def announce(project: Project, **files: int) -> list[upload.Answer]:
    return upload.announce(project, [Announced(path, size, 1) for path, size in files.items()])


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_what_was_announced_is_missing_until_it_is_here(project: Project) -> None:
    assert [answer.missing for answer in announce(project, small=5, empty=0, large=LARGE)] == [(0,), (0,), (0, 1)]
    bringing.send(project, {"small": b"12345", "empty": b""})
    assert [answer.missing for answer in announce(project, small=5, empty=0, large=LARGE)] == [(), (), (0, 1)]
    assert upload.standing(project) == upload.Standing(3, LARGE + 5, 2, 5)
    assert upload.close(project) == ["large"]


def test_nothing_was_announced_at_first(project: Project) -> None:
    assert upload.standing(project) == upload.Standing()
    assert not upload.folder_of(project).exists()


@pytest.mark.parametrize("chunk", [1, 7, 2**20])
def test_bytes_may_arrive_in_chunks_of_any_size(project: Project, chunk: int) -> None:
    (one, other, empty) = announce(project, a=3, b=4, c=0)
    body = bringing.header((one.number, 0), (empty.number, 0), (other.number, 0)) + b"abcdefg"
    with pieces.Batch(project) as batch:
        for at in range(0, len(body), chunk):
            batch.feed(body[at : at + chunk])
        batch.finish()
    folder = upload.folder_of(project)
    assert upload.piece_file(folder, one.number, 0).read_bytes() == b"abc"
    assert upload.piece_file(folder, other.number, 0).read_bytes() == b"defg"
    assert upload.close(project) == []


def test_a_batch_that_breaks_off_keeps_what_is_whole_and_nothing_else(project: Project) -> None:
    one, other = announce(project, a=3, b=4)
    with pytest.raises(UploadError, match="shorter"), pieces.Batch(project) as batch:
        batch.feed(bringing.header((one.number, 0), (other.number, 0)) + b"abcd")
        batch.finish()
    assert files_in(upload.folder_of(project) / "pieces") == [f"{one.number}.0"]
    assert [answer.missing for answer in announce(project, a=3, b=4)] == [(), (0,)]


def test_a_piece_that_is_sent_twice_is_there_once(project: Project) -> None:
    (one,) = announce(project, a=3)
    for content in (b"abc", b"xyz"):
        with pieces.Batch(project) as batch:
            batch.feed(bringing.header((one.number, 0)) + content)
            batch.finish()
    assert files_in(upload.folder_of(project) / "pieces") == [f"{one.number}.0"]


@pytest.mark.parametrize(
    "body",
    [
        b"abc\n",
        b"[[1]]\n",
        b"[[99, 0]]\nabc",
        b"[[1, 1]]\nabc",
        b"[[1, -1]]\nabc",
        b"[[-1, 0]]\nabc",
        b"[[99999999999999999999, 0]]\nabc",
        b'[["../../evil", 0]]\nabc',
        b"[[1, 0]]\nabc and more",
        b"[[1, 0]]\nab",
        b"",
        b"[" + b" " * 70_000,
        b"[" + b"[1, 0]," * 1001 + b"[1, 0]]\nabc",
    ],
)
def test_a_request_that_no_page_of_ours_sends_is_refused(project: Project, tmp_path: Path, body: bytes) -> None:
    announce(project, a=3)
    before = set(files_in(tmp_path))
    with pytest.raises(UploadError, match="did not understand"), pieces.Batch(project) as batch:
        batch.feed(body)
        batch.finish()
    new = set(files_in(tmp_path)) - before
    assert {Path(name).parent.name for name in new} <= {"pieces"}


def test_no_name_from_a_browser_becomes_a_name_on_the_disk(project: Project, tmp_path: Path) -> None:
    names = ["../../../evil.jpg", "/etc/evil.jpg", "C:\\evil.jpg", "a\0b.jpg", "n" * 5000, "\ud800.jpg"]
    bringing.send(project, dict.fromkeys(names, b"evil"))
    pieces_here = files_in(upload.folder_of(project) / "pieces")
    assert pieces_here == [f"{number}.0" for number in range(1, len(names) + 1)]
    assert not [name for name in files_in(tmp_path) if "evil" in name]


def test_what_systems_leave_behind_is_not_even_sent(project: Project) -> None:
    names = ["pets/.DS_Store", "pets/cats/Thumbs.db", "__MACOSX/pets/._1.jpg", "pets\\desktop.ini"]
    assert {answer.missing for answer in announce(project, **dict.fromkeys(names, 5))} == {()}
    assert upload.standing(project).files == 0


@pytest.mark.parametrize("again", [Announced("a", 4, 1), Announced("a", 3, 2)])
def test_a_file_that_was_changed_is_another_file(project: Project, again: Announced) -> None:
    bringing.send(project, {"a": b"abc"})
    (answer,) = upload.announce(project, [again])
    assert answer.missing == (0,)
    assert files_in(upload.folder_of(project) / "pieces") == []


def test_files_that_never_come_can_be_left_behind_and_are_named(project: Project) -> None:
    bringing.send(project, {"a": b"abc"})
    announce(project, b=5)
    assert upload.close(project) == ["b"]
    assert upload.close(project, without_missing=True) == []
    assert [(file.path, file.reason) for file in upload.files_in(upload.folder_of(project))] == [
        ("a", ""),
        ("b", upload.LOST),
    ]
    assert [answer.missing for answer in announce(project, b=5)] == [(0,)], "it may still come"
    assert upload.close(project) == ["b"]


@pytest.mark.parametrize(("setting", "value"), [("THAW_UPLOAD_FILES", "2"), ("THAW_UPLOAD_GB", "0.000001")])
def test_more_than_the_installer_allows_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)
    announce(project, a=400, b=400)
    with pytest.raises(UploadError, match="this server takes at most"):
        announce(project, c=400)
    assert upload.standing(project).files == 2


def test_cancel_drops_everything_and_what_is_still_coming_is_refused(project: Project) -> None:
    (answer,) = announce(project, a=3)
    with pytest.raises(UploadError), pieces.Batch(project) as batch:
        batch.feed(bringing.header((answer.number, 0)) + b"a")
        upload.cancel(project)
        batch.feed(b"bc")
    assert not upload.folder_of(project).exists()
    with pytest.raises(UploadError), pieces.Batch(project) as batch:
        batch.feed(bringing.header((answer.number, 0)))


def test_a_full_disk_is_said_and_the_upload_goes_on_when_there_is_room(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THAW_HOME", str(small_disk))
    project = projects.create("someone", "Pets")
    contents = {f"{number}.jpg": bytes([number]) * 500_000 for number in range(4)}
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_400_000))
    with pytest.raises(DiskFull, match="The disk of the server is full"):
        bringing.send(project, contents)
    here = upload.standing(project).files_here
    assert 0 < here < 4
    assert len(files_in(upload.folder_of(project) / "pieces")) == here, "no half piece stays behind"
    ballast.unlink()
    bringing.send(project, contents)
    assert upload.close(project) == []


def test_a_disk_that_is_full_from_the_start_is_said(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_HOME", str(small_disk))
    project = projects.create("someone", "Pets")
    with contextlib.suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(bytes(4096)):
            pass
    with pytest.raises(DiskFull):
        announce(project, a=3)
    (small_disk / "ballast").unlink()
    assert announce(project, a=3)
