import contextlib
import os
import random
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import bringing
import pytest

from tlcore import project as projects
from tlcore.errors import DiskFull, UploadError
from tlcore.images import arrival, upload
from tlcore.images.dataset import SetAside
from tlcore.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    return projects.create("someone", "Pets")


def settle(project: Project, folder: Path) -> tuple[SetAside, ...]:
    return arrival.settle(upload.folder_of(project), folder, lambda task: lambda done, total: None)


def settled(project: Project, folder: Path, contents: dict[str, bytes]) -> dict[str, bytes]:
    """Return what lies in the folder after these files were sent."""
    bringing.send(project, contents)
    settle(project, folder)
    return files_in(folder)


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_come_into_their_folders(project: Project, tmp_path: Path) -> None:
    contents = {"pets/cats/1.jpg": b"cat", "pets/dogs/2.jpg": b"", "3.jpg": b"loose"}
    assert settled(project, tmp_path / "out", contents) == contents


def test_a_file_of_several_pieces_is_whole(project: Project, tmp_path: Path) -> None:
    content = os.urandom(2 * upload.PIECE_BYTES + 77)
    assert settled(project, tmp_path / "out", {"cats/large.tif": content}) == {"cats/large.tif": content}


def test_broken_off_in_the_middle_of_joining_it_goes_on(project: Project, tmp_path: Path) -> None:
    content = os.urandom(2 * upload.PIECE_BYTES + 77)
    (number,) = bringing.send(project, {"cats/large.tif": content})
    first, second = (upload.piece_file(upload.folder_of(project), number, piece) for piece in (0, 1))
    with first.open("ab") as target:  # half of the second piece, when the power went
        target.write(second.read_bytes()[: upload.PIECE_BYTES // 2])
    settle(project, tmp_path / "out")
    assert files_in(tmp_path / "out") == {"cats/large.tif": content}


@pytest.mark.parametrize(
    "path",
    [
        *("../evil.jpg", "cats/../../evil.jpg", "..", "/etc/evil.jpg", "//server/evil.jpg", "", "."),
        *("..\\evil.jpg", "cats\\..\\..\\evil.jpg", "\\evil.jpg", "C:/evil.jpg", "c:evil.jpg", "C:\\evil.jpg"),
    ],
)
def test_a_path_that_leads_out_is_set_aside_with_its_reason(project: Project, tmp_path: Path, path: str) -> None:
    bringing.send(project, {"cats/1.jpg": b"x", path: b"evil"})
    before = set(files_in(tmp_path))
    (entry,) = settle(project, tmp_path / "deep" / "out")
    assert entry.reason == "has a path that leads out of its folder"
    assert entry.kind == "unpacked"
    assert set(files_in(tmp_path)) - before == {"deep/out/cats/1.jpg"}


HOSTILE = [
    *("a\nb.jpg", "a\0b.jpg", "a\u202egpj.exe.jpg", "\u200fcat.jpg", "🐱 😀.jpg", "CON", "con.jpg", "dots...", "end ."),
    *(
        "n" * 300 + ".jpg",
        "猫" * 100 + ".jpg",
        "\ud800.jpg",
        "a\u2028b.jpg",
        "-rf",
        "~",
        "$HOME",
        "%2e%2e%2f.jpg",
        "*?.jpg",
    ),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_other_name_keeps_its_file_in_its_class(project: Project, tmp_path: Path, name: str) -> None:
    found = settled(project, tmp_path / "out", {f"cats/{name}": b"picture"})
    ((path, content),) = found.items()
    assert content == b"picture"
    assert path.startswith("cats/") and path.count("/") == 1
    assert not any(unicodedata.category(letter) == "Cc" for letter in path)
    assert Path(path).suffix == Path(name).suffix.strip() or os.name == "nt"
    assert all(str(file).startswith(str(tmp_path)) for file in tmp_path.rglob("*"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such folders")
@pytest.mark.parametrize(
    "name", ["CON", "dots...", "寒い", "قطط", "🐱 cats", "a\u200fb", "it's 100%", "Äpfel & Öl", "x" * 200]
)
def test_class_folders_keep_their_names(project: Project, tmp_path: Path, name: str) -> None:
    assert set(settled(project, tmp_path / "out", {f"{name}/1.jpg": b"x"})) == {f"{name}/1.jpg"}


def test_hostile_names_all_at_once_lose_nothing(project: Project, tmp_path: Path) -> None:
    contents = {f"cats/{name}": f"{number}".encode() for number, name in enumerate(HOSTILE)}
    contents |= {f"{name}/1.jpg": f"folder {number}".encode() for number, name in enumerate(HOSTILE)}
    assert sorted(settled(project, tmp_path / "out", contents).values()) == sorted(contents.values())


def test_two_thousand_random_paths_lose_nothing_and_stay_inside(project: Project, tmp_path: Path) -> None:
    chance = random.Random(7)
    words = [
        "cats",
        "Cats",
        "..",
        ".",
        "",
        "C:",
        "\\",
        "a\nb",
        "\0",
        "\u202e",
        "🐱",
        "x" * 300,
        "CON",
        "dots..",
        " ",
        "1.jpg",
    ]
    paths = {
        "/".join("".join(chance.choices(words, k=chance.randint(1, 3))) for _ in range(chance.randint(1, 5)))
        for _ in range(2000)
    }
    contents = {path: f"{number}".encode() for number, path in enumerate(sorted(paths))}
    bringing.send(project, contents)
    announced = {file.path for file in upload.files_in(upload.folder_of(project))}
    assert all(any(part.startswith(".") for part in path.replace("\\", "/").split("/")) for path in paths - announced)
    before = {path for path in tmp_path.rglob("*") if "upload" not in path.parts}
    set_aside = settle(project, tmp_path / "deep" / "out")
    found = files_in(tmp_path / "deep" / "out")
    assert len(set(found.values())) == len(found) == len(announced) - len(set_aside)
    new = {path for path in tmp_path.rglob("*") if "upload" not in path.parts} - before
    assert all(path == tmp_path / "deep" or path.is_relative_to(tmp_path / "deep" / "out") for path in new)


def test_names_that_differ_only_in_case_are_two_files_on_any_disk(project: Project, tmp_path: Path) -> None:
    found = settled(project, tmp_path / "out", {"cats/A.jpg": b"1", "cats/a.jpg": b"2", "cats/a.JPG": b"3"})
    assert sorted(found.values()) == [b"1", b"2", b"3"]
    assert len({name.casefold() for name in found}) == 3 or len(found) == 3


def test_names_that_become_the_same_are_still_two_files(project: Project, tmp_path: Path) -> None:
    found = settled(project, tmp_path / "out", {"cats/a\nb.jpg": b"1", "cats/a\tb.jpg": b"2", "cats/a_b.jpg": b"3"})
    assert sorted(found.values()) == [b"1", b"2", b"3"]


def test_a_file_inside_of_what_is_a_file_is_set_aside(project: Project, tmp_path: Path) -> None:
    bringing.send(project, {"cats": b"a file", "cats/1.jpg": b"x"})
    (entry,) = settle(project, tmp_path / "out")
    assert entry.file == "cats/1.jpg" and "same name as a file" in entry.reason


def test_folders_without_end_are_set_aside(project: Project, tmp_path: Path) -> None:
    bringing.send(project, {"d/" * 600 + "1.jpg": b"x"})
    (entry,) = settle(project, tmp_path / "out")
    assert "lies too deep" in entry.reason


def test_what_never_arrived_is_named(project: Project, tmp_path: Path) -> None:
    bringing.send(project, {"cats/1.jpg": b"x"})
    upload.announce(project, [upload.Announced("cats/2\n.jpg", 5, 1)])
    upload.close(project, without_missing=True)
    (entry,) = settle(project, tmp_path / "out")
    assert (entry.file, entry.reason) == ("cats/2\N{REPLACEMENT CHARACTER}.jpg", upload.LOST)


def zipped(file: Path, *names: str) -> bytes:
    with zipfile.ZipFile(file, "w") as target:
        for name in names:
            target.writestr(name, name)
    return file.read_bytes()


def test_a_zip_alone_is_unpacked_in_place(project: Project, tmp_path: Path) -> None:
    content = zipped(tmp_path / "pets.zip", "cats/1.jpg", "dogs/2.jpg")
    assert set(settled(project, tmp_path / "out", {"pets.zip": content})) == {"cats/1.jpg", "dogs/2.jpg"}
    assert settle(project, tmp_path / "out") == (), "called again it goes on where it was"


def test_several_zips_are_a_folder_each(project: Project, tmp_path: Path) -> None:
    contents = {name: zipped(tmp_path / name, "1.jpg") for name in ("cats.zip", "dogs.ZIP")}
    assert set(settled(project, tmp_path / "out", contents)) == {"cats/1.jpg", "dogs/1.jpg"}


def test_a_zip_inside_a_folder_stays_a_file(project: Project, tmp_path: Path) -> None:
    content = zipped(tmp_path / "x.zip", "../evil.jpg")
    assert set(settled(project, tmp_path / "out", {"cats/x.zip": content})) == {"cats/x.zip"}


def test_a_tgz_is_unpacked_as_a_zip_is(project: Project, tmp_path: Path) -> None:
    for name in ("cats.tar.gz", "dogs.tgz"):
        with tarfile.open(tmp_path / name, "w:gz") as target:
            target.addfile(tarfile.TarInfo("1.jpg"))
    contents = {name: (tmp_path / name).read_bytes() for name in ("cats.tar.gz", "dogs.tgz")}
    assert set(settled(project, tmp_path / "out", contents)) == {"cats/1.jpg", "dogs/1.jpg"}


def test_a_bad_zip_is_refused_by_its_name(project: Project, tmp_path: Path) -> None:
    bringing.send(project, {"holiday\n.zip": b"nothing"})
    with pytest.raises(UploadError, match=r"“holiday_\.zip” is not a zip"):
        settle(project, tmp_path / "out")


def test_more_files_come_beside_those_that_are_there(project: Project, tmp_path: Path) -> None:
    settled(project, tmp_path / "out", {"cats/1.jpg": b"one", "cats/2.jpg": b"two"})
    upload.cancel(project)
    found = settled(project, tmp_path / "out", {"cats/1.jpg": b"one", "cats/2.jpg": b"other", "dogs/1.jpg": b"dog"})
    assert sorted(found.values()) == [b"dog", b"one", b"other", b"two"]


def test_loose_files_become_a_class(tmp_path: Path) -> None:
    (tmp_path / "dogs").mkdir()
    (tmp_path / "1.jpg").write_bytes(b"x")
    arrival.gather(tmp_path, "../cats: 🐱")
    assert set(files_in(tmp_path)) == {"_cats_ 🐱/1.jpg"}


def test_a_zip_for_which_there_is_no_room_stays_for_another_attempt(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THAW_HOME", str(small_disk))
    project = projects.create("someone", "Pets")
    content = zipped(tmp_path / "pets.zip", "cats/1.jpg")
    bringing.send(project, {"pets.zip": content})
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as stream:
        while stream.write(bytes(4096)):
            pass
    with pytest.raises(DiskFull):
        settle(project, small_disk / "out")
    ballast.unlink()
    settle(project, small_disk / "out")
    assert set(files_in(small_disk / "out")) == {"cats/1.jpg"}
