import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from unpacking import assert_refused, files_in

from tlcore.errors import UploadError
from tlcore.images import archive


def zipped(file: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in entries.items():
            target.writestr(name, content)
    return file


def test_files_come_out_in_their_folders(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"pets/cats/1.jpg": b"cat", "pets/dogs/2.jpg": b"dog", "pets/": b""})
    told: list[tuple[int, int]] = []
    set_aside = archive.unpack(file, tmp_path / "out", lambda done, total: told.append((done, total)))
    assert files_in(tmp_path / "out") == ["pets/cats/1.jpg", "pets/dogs/2.jpg"]
    assert (tmp_path / "out/pets/cats/1.jpg").read_bytes() == b"cat"
    assert set_aside == ()
    assert told[-1] == (3, 3)


def test_names_in_any_script_survive(tmp_path: Path) -> None:
    names = ["قطط/١.jpg", "猫/一.jpg", "🐱 cats/😀.jpg", "Äpfel & Öl/ß.jpg", "CON/dots...jpg"]
    archive.unpack(zipped(tmp_path / "a.zip", dict.fromkeys(names, b"x")), tmp_path / "out")
    assert files_in(tmp_path / "out") == sorted(names)


def rename_raw(file: Path, name: str, raw: bytes, flag: int = 0) -> None:
    """Put raw bytes of the same length in the place of a name, as programs do that say nothing of UTF-8."""
    content = bytearray(file.read_bytes().replace(name.encode(), raw))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(signature)
        while start >= 0:
            struct.pack_into("<H", content, start + place, flag)
            start = content.find(signature, start + 4)
    file.write_bytes(content)


def test_utf8_names_without_their_flag_are_understood_as_macos_writes_them(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"aaaaaa/1.jpg": b"x"})
    rename_raw(file, "aaaaaa/", "猫猫".encode() + b"/")
    archive.unpack(file, tmp_path / "out")
    assert files_in(tmp_path / "out") == ["猫猫/1.jpg"]


def test_old_names_are_read_as_the_zip_standard_has_it(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"aaaaa/1.jpg": b"x"})
    rename_raw(file, "aaaaa/", "Äpfel/".encode("cp437"))
    archive.unpack(file, tmp_path / "out")
    assert files_in(tmp_path / "out") == ["Äpfel/1.jpg"]


def test_a_unicode_name_in_an_extra_field_counts(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("cats/1.jpg")
    body = b"\x01" + struct.pack("<L", zlib.crc32(b"cats/1.jpg")) + "猫/1.jpg".encode()
    info.extra = struct.pack("<HH", 0x7075, len(body)) + body
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as target:
        target.writestr(info, b"x")
    archive.unpack(tmp_path / "a.zip", tmp_path / "out")
    assert files_in(tmp_path / "out") == ["猫/1.jpg"]


def test_what_systems_leave_behind_is_not_unpacked(tmp_path: Path) -> None:
    names = ["cats/1.jpg", "__MACOSX/cats/._1.jpg", "cats/.DS_Store", "cats/Thumbs.db", "desktop.ini"]
    assert archive.unpack(zipped(tmp_path / "a.zip", dict.fromkeys(names, b"x")), tmp_path / "out") == ()
    assert files_in(tmp_path / "out") == ["cats/1.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.jpg", "cats/../../evil.jpg", "..", "/etc/evil.jpg", "//server/evil.jpg"),
        *("..\\evil.jpg", "cats\\..\\..\\evil.jpg", "\\evil.jpg", "C:/evil.jpg", "c:evil.jpg", "C:\\evil.jpg"),
    ],
)
def test_a_zip_with_a_name_that_leads_out_is_refused_as_a_whole(tmp_path: Path, name: str) -> None:
    file = zipped(tmp_path / "a.zip", {"cats/1.jpg": b"x", name: b"evil"})
    assert_refused(tmp_path, file, "lie outside of its folder")


def test_an_entry_without_a_name_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "pictures.zip"
    with zipfile.ZipFile(file, "w") as target:
        target.writestr(zipfile.ZipInfo(""), b"nameless")
        target.writestr("cold/1.png", b"named")
    assert archive.unpack(file, tmp_path / "out") == ()
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["1.png"]


def test_a_link_is_set_aside_and_never_made(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("cats/link.jpg")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as target:
        target.writestr(link, "/etc/passwd")
        target.writestr("cats/1.jpg", b"x")
    (entry,) = archive.unpack(tmp_path / "a.zip", tmp_path / "out")
    assert (entry.file, entry.kind) == ("cats/link.jpg", "unpacked")
    assert "is a link" in entry.reason
    assert files_in(tmp_path / "out") == ["cats/1.jpg"]


@pytest.mark.parametrize("name", ["cats/" + "n" * 300 + ".jpg", "cats/" + "猫" * 100 + ".jpg", "d/" * 600 + "1.jpg"])
def test_a_name_too_long_for_a_disk_is_set_aside(tmp_path: Path, name: str) -> None:
    (entry,) = archive.unpack(zipped(tmp_path / "a.zip", {"cats/1.jpg": b"x", name: b"y"}), tmp_path / "out")
    assert "make it shorter" in entry.reason
    assert len(entry.file) <= 200
    assert files_in(tmp_path / "out") == ["cats/1.jpg"]


def test_a_line_break_in_a_name_is_set_aside_and_shown_without_it(tmp_path: Path) -> None:
    (entry,) = archive.unpack(zipped(tmp_path / "a.zip", {"cats/1.jpg": b"x", "cats/a\nb.jpg": b"y"}), tmp_path / "out")
    assert "line break" in entry.reason
    assert "\n" not in entry.file


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["cats/1.jpg", "cats/1.jpg/2.jpg", "cats/1.jpg/"])
def test_a_name_that_is_there_twice_is_set_aside_and_the_first_stays(tmp_path: Path, second: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as target:
        target.writestr("cats/1.jpg", b"first")
        target.writestr(second, b"" if second.endswith("/") else b"second")
    (entry,) = archive.unpack(tmp_path / "a.zip", tmp_path / "out")
    assert "same name" in entry.reason
    assert (tmp_path / "out/cats/1.jpg").read_bytes() == b"first"


def test_names_that_differ_only_in_case_are_kept_or_named(tmp_path: Path) -> None:
    set_aside = archive.unpack(zipped(tmp_path / "a.zip", {"c/A.jpg": b"1", "c/a.jpg": b"2"}), tmp_path / "out")
    assert len(files_in(tmp_path / "out")) + len(set_aside) == 2


def test_a_bomb_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target, target.open("cats/1.bmp", "w") as stream:
        for _ in range(archive.RATIO_MATTERS_BYTES // 2**20 + 1):
            stream.write(bytes(2**20))
    assert_refused(tmp_path, file, "-fold when unpacked")


def test_a_zip_that_says_it_holds_too_much_is_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {f"cats/{number}.jpg": b"x" for number in range(20)})
    content = bytearray(file.read_bytes())
    start = content.find(b"PK\x01\x02")
    while start >= 0:
        struct.pack_into("<L", content, start + 24, 2**32 - 2)
        start = content.find(b"PK\x01\x02", start + 4)
    file.write_bytes(content)
    assert_refused(tmp_path, file, "more than 100-fold when unpacked")


def test_a_zip_that_would_take_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 10**6)
    file = zipped(tmp_path / "a.zip", {f"cats/{number}.jpg": bytes(10**5) for number in range(11)})
    assert_refused(tmp_path, file, r"more than the 1\.0 MB that are taken when unpacked")


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"cats/1.jpg": b"x" * 5000})
    content = bytearray(file.read_bytes())
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", content, content.find(signature) + place, 10)
    file.write_bytes(content)
    assert_refused(tmp_path, file, "damaged or cut short")


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 5)
    file = zipped(tmp_path / "a.zip", {f"cats/{number}.jpg": b"x" for number in range(6)})
    assert_refused(tmp_path, file, "holds more than the 5 files")


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"cats/1.jpg": b"x" * 100})
    content = bytearray(file.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", content, content.find(signature) + place, 0x1)
    file.write_bytes(content)
    assert_refused(tmp_path, file, "protected by a password")


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_zip_that_is_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    file = zipped(tmp_path / "a.zip", {f"cats/{number}.jpg": bytes(range(256)) * 9 for number in range(20)})
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    assert_refused(tmp_path, file, "damaged or cut short")


def test_a_zip_with_a_damaged_file_inside_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("cats/1.jpg", b"a" * 1000)
    file.write_bytes(file.read_bytes().replace(b"a" * 1000, b"a" * 500 + b"b" * 500))
    assert_refused(tmp_path, file, "damaged or cut short")


@pytest.mark.parametrize("content", [b"", b"Rar!\x1a\x07\x00", b"<html></html>"])
def test_what_is_no_zip_is_called_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(content)
    assert_refused(tmp_path, file, "is not a zip")


def test_a_zip_inside_a_zip_stays_a_file(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as target:
        target.writestr("../../evil.jpg", b"x")
    archive.unpack(zipped(tmp_path / "a.zip", {"cats/inner.zip": inner.getvalue()}), tmp_path / "out")
    assert files_in(tmp_path / "out") == ["cats/inner.zip"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("pets.zip", "pets"),
        ("pets.tgz", "pets"),
        ("my.pets.TAR.GZ", "my.pets"),
        ("pets.tar", "pets"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_archives_are_known_by_their_names(name: str, stem: str) -> None:
    assert archive.stem(name) == stem
    assert archive.is_archive(name) == (name != stem)


def test_the_name_for_messages_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"nothing")
    with pytest.raises(UploadError, match=r"“holiday\.zip” is not a zip"):
        archive.unpack(tmp_path / "x.zip", tmp_path / "out", name="holiday.zip")
