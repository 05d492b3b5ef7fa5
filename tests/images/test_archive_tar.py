import gzip
import io
import tarfile
from pathlib import Path

import pytest
from unpacking import assert_refused, files_in

from tlcore.errors import DiskFull
from tlcore.images import archive


def entry(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, **more: object) -> tuple:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    for field, value in more.items():
        setattr(info, field, value)
    return info, content


def tarred(file: Path, *entries: tuple, mode: str = "w:gz", form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(file, mode, format=form) as target:
        for info, content in entries:
            target.addfile(info, io.BytesIO(content))
    return file


@pytest.mark.parametrize("mode", ["w:gz", "w"])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_files_come_out_in_their_folders(tmp_path: Path, mode: str, form: int) -> None:
    large = bytes(range(256)) * 9000
    entries = (
        entry("./pets", b"", tarfile.DIRTYPE),
        *(entry("./pets/cats/1.jpg", b"cat"), entry("pets/dogs/2.jpg", large), entry("pets/empty.jpg", b"")),
    )
    told: list[tuple[int, int]] = []
    file = tarred(tmp_path / "a.tgz", *entries, mode=mode, form=form)
    set_aside = archive.unpack(file, tmp_path / "out", lambda done, total: told.append((done, total)))
    assert files_in(tmp_path / "out") == ["pets/cats/1.jpg", "pets/dogs/2.jpg", "pets/empty.jpg"]
    assert (tmp_path / "out/pets/cats/1.jpg").read_bytes() == b"cat"
    assert (tmp_path / "out/pets/dogs/2.jpg").read_bytes() == large
    assert set_aside == ()
    assert told[-1] == (4, 4)


def test_what_an_archive_is_says_its_content_and_not_its_name(tmp_path: Path) -> None:
    archive.unpack(tarred(tmp_path / "a.zip", entry("cats/1.jpg")), tmp_path / "out")
    assert files_in(tmp_path / "out") == ["cats/1.jpg"]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_in_any_script_and_long_ones_survive(tmp_path: Path, form: int) -> None:
    names = ["قطط/١.jpg", "猫/一.jpg", "🐱 cats/😀.jpg", "Äpfel & Öl/ß.jpg", "d/" * 90 + "n" * 200 + ".jpg"]
    archive.unpack(tarred(tmp_path / "a.tgz", *map(entry, names), form=form), tmp_path / "out")
    assert files_in(tmp_path / "out") == sorted(names)


def test_what_systems_leave_behind_is_not_unpacked(tmp_path: Path) -> None:
    names = ["cats/1.jpg", "cats/._1.jpg", "cats/.DS_Store", "cats/Thumbs.db", "desktop.ini"]
    assert archive.unpack(tarred(tmp_path / "a.tgz", *map(entry, names)), tmp_path / "out") == ()
    assert files_in(tmp_path / "out") == ["cats/1.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.jpg", "cats/../../evil.jpg", "..", "/etc/evil.jpg", "//server/evil.jpg"),
        *("..\\evil.jpg", "cats\\..\\..\\evil.jpg", "\\evil.jpg", "C:/evil.jpg", "c:evil.jpg", "C:\\evil.jpg"),
    ],
)
def test_a_tar_with_a_name_that_leads_out_is_refused_as_a_whole(tmp_path: Path, name: str) -> None:
    file = tarred(tmp_path / "a.tgz", entry("cats/1.jpg"), entry(name))
    assert_refused(tmp_path, file, "lie outside of its folder")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        *((tarfile.SYMTYPE, "is a link"), (tarfile.LNKTYPE, "is a link"), (tarfile.CHRTYPE, "not an ordinary file")),
        *((tarfile.BLKTYPE, "not an ordinary file"), (tarfile.FIFOTYPE, "not an ordinary file")),
        (tarfile.GNUTYPE_SPARSE, "not an ordinary file"),
    ],
)
def test_links_and_devices_are_set_aside_and_never_made(tmp_path: Path, kind: bytes, words: str) -> None:
    odd = entry("cats/odd.jpg", b"", kind, linkname="/etc/passwd")
    (aside,) = archive.unpack(
        tarred(tmp_path / "a.tgz", odd, entry("cats/1.jpg"), form=tarfile.GNU_FORMAT), tmp_path / "out"
    )
    assert (aside.file, aside.kind) == ("cats/odd.jpg", "unpacked")
    assert words in aside.reason
    assert [path.name for path in (tmp_path / "out/cats").iterdir()] == ["1.jpg"]


def test_a_file_behind_a_link_to_a_folder_stays_inside(tmp_path: Path) -> None:
    """The old trick: a link that leads out, then a file through it."""
    (tmp_path / "elsewhere").mkdir()
    link = entry("cats", b"", tarfile.SYMTYPE, linkname=str(tmp_path / "elsewhere"))
    (aside,) = archive.unpack(tarred(tmp_path / "a.tgz", link, entry("cats/evil.jpg")), tmp_path / "out")
    assert "is a link" in aside.reason
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert files_in(tmp_path / "out") == ["cats/evil.jpg"]


@pytest.mark.parametrize("name", ["cats/" + "n" * 300 + ".jpg", "cats/" + "猫" * 100 + ".jpg", "d/" * 600 + "1.jpg"])
def test_a_name_too_long_for_a_disk_is_set_aside(tmp_path: Path, name: str) -> None:
    (aside,) = archive.unpack(tarred(tmp_path / "a.tgz", entry("cats/1.jpg"), entry(name)), tmp_path / "out")
    assert "make it shorter" in aside.reason
    assert files_in(tmp_path / "out") == ["cats/1.jpg"]


@pytest.mark.parametrize("name", ["cats/a\nb.jpg", b"cats/\xff\xfe.jpg".decode("utf-8", "surrogateescape")])
def test_a_name_that_is_no_text_is_set_aside(tmp_path: Path, name: str) -> None:
    file = tarred(tmp_path / "a.tgz", entry("cats/1.jpg"), entry(name), form=tarfile.GNU_FORMAT)
    (aside,) = archive.unpack(file, tmp_path / "out")
    assert "line break" in aside.reason
    assert aside.file.encode()
    assert files_in(tmp_path / "out") == ["cats/1.jpg"]


@pytest.mark.parametrize("second", ["cats/1.jpg", "cats/1.jpg/2.jpg", "cats/1.jpg/"])
def test_a_name_that_is_there_twice_is_set_aside_and_the_first_stays(tmp_path: Path, second: str) -> None:
    later = entry(second, b"" if second.endswith("/") else b"second")
    (aside,) = archive.unpack(tarred(tmp_path / "a.tgz", entry("cats/1.jpg", b"first"), later), tmp_path / "out")
    assert "same name" in aside.reason
    assert (tmp_path / "out/cats/1.jpg").read_bytes() == b"first"


def test_names_that_differ_only_in_case_are_kept_or_named(tmp_path: Path) -> None:
    set_aside = archive.unpack(tarred(tmp_path / "a.tgz", entry("c/A.jpg"), entry("c/a.jpg")), tmp_path / "out")
    assert len(files_in(tmp_path / "out")) + len(set_aside) == 2


def test_a_bomb_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    info, _ = entry("cats/1.bmp")
    info.size = archive.RATIO_MATTERS_BYTES + 2**20
    with gzip.open(tmp_path / "bomb.tgz", "wb", compresslevel=1) as target:
        target.write(info.tobuf())
        for _ in range(info.size // 2**20):
            target.write(bytes(2**20))
    assert_refused(tmp_path, tmp_path / "bomb.tgz", "-fold when unpacked")


def test_a_tar_that_says_it_holds_too_much_is_refused_at_its_header(tmp_path: Path) -> None:
    info, _ = entry("cats/1.bmp", size=60 * 10**9)
    with gzip.open(tmp_path / "a.tgz", "wb") as target:
        target.write(info.tobuf())
    assert_refused(tmp_path, tmp_path / "a.tgz", r"more than the 50\.0 GB that are taken when unpacked")


def test_a_header_that_asks_for_the_memory_of_the_computer_is_refused(tmp_path: Path) -> None:
    """Python reads a long name in one piece; this one has 100 MB, and a few kB are sent."""
    info, _ = entry("././@LongLink", b"", tarfile.GNUTYPE_LONGNAME, size=100 * 10**6)
    with gzip.open(tmp_path / "a.tgz", "wb", compresslevel=1) as target:
        target.write(info.tobuf())
        for _ in range(96):
            target.write(b"n" * 2**20)
    assert_refused(tmp_path, tmp_path / "a.tgz", "damaged or cut short")


def test_a_file_of_less_than_nothing_is_refused(tmp_path: Path) -> None:
    """Python would go back and read the same header for ever."""
    info = tarfile.TarInfo("cats/1.jpg")
    info.pax_headers = {"size": "-1024"}
    file = tarred(tmp_path / "a.tgz", entry("cats/0.jpg"), (info, b""))
    assert_refused(tmp_path, file, "damaged or cut short")


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 5)
    file = tarred(tmp_path / "a.tgz", *(entry(f"cats/{number}.jpg") for number in range(6)))
    assert_refused(tmp_path, file, "holds more than the 5 files")


@pytest.mark.parametrize("mode", ["w:gz", "w"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.8])
def test_a_tar_that_is_cut_short_is_refused(tmp_path: Path, mode: str, share: float) -> None:
    contents = (bytes((number * factor) % 251 for factor in range(2304)) for number in range(20))
    file = tarred(
        tmp_path / "a.tgz", *(entry(f"cats/{n}.jpg", content) for n, content in enumerate(contents)), mode=mode
    )
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    assert_refused(tmp_path, file, "damaged or cut short")


def test_a_tar_that_is_cut_between_two_files_is_refused(tmp_path: Path) -> None:
    file = tarred(tmp_path / "a.tar", entry("cats/1.jpg"), entry("cats/2.jpg"), mode="w")
    file.write_bytes(file.read_bytes()[:1024])  # a header and its one block of content
    assert_refused(tmp_path, file, "damaged or cut short")


def test_a_tar_with_a_damaged_header_inside_is_refused(tmp_path: Path) -> None:
    file = tarred(tmp_path / "a.tar", *(entry(f"cats/{number}.jpg") for number in range(3)), mode="w")
    content = bytearray(file.read_bytes())
    content[1024 + 20] ^= 0xFF
    file.write_bytes(content)
    assert_refused(tmp_path, file, "damaged or cut short")


def test_a_tgz_with_a_damaged_file_inside_is_refused(tmp_path: Path) -> None:
    file = tarred(tmp_path / "a.tgz", entry("cats/1.jpg", bytes(range(256)) * 40))
    content = bytearray(file.read_bytes())
    content[-6] ^= 0xFF  # of the sum over everything at the end
    file.write_bytes(content)
    assert_refused(tmp_path, file, "damaged or cut short")


def test_something_else_packed_with_gzip_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.tar.gz"
    file.write_bytes(gzip.compress(b"only a text"))
    assert_refused(tmp_path, file, "“notes.tar.gz” is damaged")


def test_a_tar_inside_a_tar_stays_a_file(tmp_path: Path) -> None:
    inner = tarred(tmp_path / "inner.tgz", entry("../../evil.jpg")).read_bytes()
    archive.unpack(tarred(tmp_path / "a.tgz", entry("cats/inner.tgz", inner)), tmp_path / "out")
    assert files_in(tmp_path / "out") == ["cats/inner.tgz"]


def test_without_room_nothing_stays_behind(tmp_path: Path, small_disk: Path) -> None:
    file = tarred(tmp_path / "a.tgz", entry("cats/1.jpg", bytes(5 * 10**6)))
    with pytest.raises(DiskFull, match="when unpacked, but only"):
        archive.unpack(file, small_disk / "out")
    assert list(small_disk.iterdir()) == []
