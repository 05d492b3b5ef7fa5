"""Damaged pictures and archives by chance, and what has to hold for each: no crash, nothing outside of the folder.

Pictures go through decoders, so one that hangs, crashes or eats the memory is noticed and named.
"""

import contextlib
import faulthandler
import gzip
import io
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import drawing
from hypothesis import strategies as st

from tlcore.errors import DatasetError, UploadError
from tlcore.images import archive, decoding, inspection
from tlcore.images.decoded import Wish
from tlcore.images.limits import Limits

LONGEST_S = 60.0

FORMATS = {"JPEG": {}, "PNG": {}, "GIF": {}, "WEBP": {}, "BMP": {}, "TIFF": {}, "PPM": {}, "ICO": {}, "JPEG2000": {},
           "AVIF": {}, "TIFF packed": {"compression": "tiff_lzw"}, "JPEG steps": {"progressive": True}}  # fmt: skip
NAMES = (
    *("a/1.png", "b/2.jpg", "../../out.png", "/tmp/out.png", "C:\\out.png", "..\\..\\out.png", "a/../../out.png"),
    *(
        "a/CON.png",
        "a/x.png.",
        "a/" + "n" * 300 + ".png",
        "a/line\nbreak.png",
        "a/\u202egnp.exe",
        "b/😀.png",
        "A/1.png",
    ),
    *("a/inner.zip", "", "/", "a/", "./a/./3.png", "a\x00b.png", "__MACOSX/a/._1.png", "a/.hidden.png", "~/out.png"),
)


KINDS = (tarfile.REGTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)


@cache
def whole(name: str, number: int) -> bytes:
    """Return a picture in a format, not damaged."""
    content = io.BytesIO()
    drawing.scene(number, (36, 28)).save(content, name.split()[0], **FORMATS[name])
    return content.getvalue()


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Return bytes with a few accidents: other bytes, something cut out, doubled or put in, a number made huge."""
    data = bytearray(content)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(1, 64))
        accident = draw(st.sampled_from(("byte", "cut", "end", "double", "put in", "huge", "zero")))
        if accident == "byte" and data:
            data[at] = draw(st.integers(0, 255))
        elif accident == "cut":
            del data[at : at + length]
        elif accident == "end":
            del data[at:]
        elif accident == "double":
            data[at:at] = data[at : at + length]
        elif accident == "put in":
            data[at:at] = draw(st.binary(max_size=24))
        else:
            data[at : at + 4] = b"\x7f\xff\xff\xff" if accident == "huge" else bytes(4)
    return bytes(data)


@st.composite
def pictures(draw: st.DrawFn) -> bytes:
    """Return a damaged picture, or bytes that never were one."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    return draw(damaged(whole(draw(st.sampled_from(tuple(FORMATS))), draw(st.integers(0, 3)))))


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    """Return a zip of damaged pictures under hostile names, itself damaged or not."""
    content = io.BytesIO()
    names = draw(st.lists(st.sampled_from(NAMES) | st.text(max_size=12), max_size=6))
    with zipfile.ZipFile(content, "w", draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))) as packed:
        for name in ("a/0.png", "b/0.jpg", *names):
            entry = zipfile.ZipInfo(name.encode("utf-8", "replace").decode())
            entry.external_attr = draw(st.sampled_from((0o100644, 0o120777, 0o040755, 0o010644))) << 16
            packed.writestr(entry, draw(pictures()))
    return draw(st.sampled_from((content.getvalue(),)) | damaged(content.getvalue()))


@st.composite
def tars(draw: st.DrawFn) -> bytes:
    """Return a tar archive of damaged pictures under hostile names, itself damaged or not, packed or not."""
    content = io.BytesIO()
    names = draw(st.lists(st.sampled_from(NAMES) | st.text(max_size=12), max_size=6))
    forms = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)
    with tarfile.open(fileobj=content, mode="w", format=draw(st.sampled_from(forms))) as packed:
        for name in ("a/0.png", "b/0.jpg", *names):
            entry, inside = tarfile.TarInfo(name.encode("utf-8", "replace").decode()), draw(pictures())
            entry.type, entry.size = draw(st.sampled_from(KINDS)), len(inside)
            packed.addfile(entry, io.BytesIO(inside) if entry.isreg() else None)
    made = draw(st.sampled_from((content.getvalue(),)) | damaged(content.getvalue()))
    return draw(st.sampled_from((made,)) | damaged(gzip.compress(made, 1)))


@contextlib.contextmanager
def no_longer_than(seconds: float = LONGEST_S) -> Iterator[None]:
    """End the whole process, with a word on where it was, if the block takes longer than that."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def assert_harmless(reason: str) -> None:
    """Fail on a reason that says that a picture harmed its decoder: no picture of a few hundred bytes may do that."""
    assert not any(harm in reason for harm in ("decoder down", "longer than", "more memory")), reason


def look_at(content: bytes, place: Path) -> bool:
    """Read bytes as a picture in a decoder: a square and an impression come out, or a reason why not.

    Returns:
        Whether it was read.
    """
    (place / "sent").write_bytes(content)
    wish = Wish(24, "crop", is_judged=True)
    with no_longer_than():
        (found,) = decoding.in_order(place, ["sent"], wish, Limits(seconds=LONGEST_S / 2))
    if found.seen is None:
        assert found.reason
        assert_harmless(found.reason)
        return False
    assert found.seen.square is not None and found.seen.square.shape == (24, 24, 3)
    assert found.impression is not None and found.impression.tile.shape == (32, 32, 3)
    return True


def bring_in(content: bytes, place: Path) -> None:
    """Unpack bytes as an archive below a folder and look over what came out; nothing may lie beside."""
    place.mkdir()
    file, target = place / "sent.zip", place / "unpacked"
    file.write_bytes(content)
    try:
        with no_longer_than():
            archive.unpack(file, target)
            found = inspection.inspect(target, limits=Limits(seconds=LONGEST_S / 2))
        for entry in found.dataset.set_aside:
            assert_harmless(entry.reason)
    except (UploadError, DatasetError) as error:
        assert error.problem and error.advice
        assert_harmless(error.detail)
    assert {path.name for path in place.iterdir()} <= {"sent.zip", "unpacked"}
    assert not any(path.is_symlink() for path in place.rglob("*"))
    assert file.read_bytes() == content
