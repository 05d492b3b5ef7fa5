"""Pictures that hang, crash or eat the memory, in real decoders; whatever they do, all others are looked at."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import drawing
import numpy as np
import pytest
from PIL import Image

from tlcore.errors import UserError
from tlcore.images import decoding, folder, picture
from tlcore.images.decoded import Decoded, Wish
from tlcore.images.limits import Limits

ROOT = Path(decoding.__file__).parents[2]
NAMES = [f"{number:02}.png" for number in range(40)]

with_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
with_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc on this system")
with_a_limit = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="no limit of memory on this system")


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        Image.new("RGB", (12, 8), (number, 7, 9)).save(tmp_path / name)
    return tmp_path


def a_file_that_hangs(file: Path) -> None:
    """Put a pipe in its place: who reads it waits until somebody writes."""
    file.unlink(missing_ok=True)
    os.mkfifo(file)


def readers(pipe: Path) -> list[int]:
    """Return the processes that have a pipe open, but for this one."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                targets = [str(entry.readlink()) for entry in (process / "fd").iterdir()]
            except OSError:  # it has just ended
                continue
            found += [int(process.name)] if str(pipe) in targets else []
    return found


@contextlib.contextmanager
def caught(pipe: Path) -> Iterator[int]:
    """Wait until a process reads a pipe, and keep it waiting there; give its number."""
    writer = os.open(pipe, os.O_WRONLY)  # waits for a reader
    yield readers(pipe)[0]
    os.close(writer)


def said(found: Decoded) -> tuple:
    """Return everything that was found out about a file, as a value that can be compared."""
    if found.seen is None or found.impression is None or found.seen.square is None:
        return (found.reason,)
    facts = (found.seen.width, found.seen.height, found.seen.frames, found.seen.stored)
    pixels = (found.seen.square.tobytes(), found.impression.tile.tobytes(), found.impression.remarks)
    return (found.content, found.size_bytes, facts, pixels)


def assert_all_but(found: list[Decoded], culprit: int, reason: str) -> None:
    assert found[culprit].reason == reason and found[culprit].seen is None
    others = [each for number, each in enumerate(found) if number != culprit]
    assert len(others) == len(NAMES) - 1 and all(each.seen is not None for each in others)
    assert len({each.content for each in others}) == len(others), "each is another picture, none came twice"


@with_pipes
@pytest.mark.parametrize("culprit", [0, 22])
def test_a_picture_that_hangs_is_set_aside_and_all_others_go_on(drawn: Path, culprit: int) -> None:
    a_file_that_hangs(drawn / NAMES[culprit])
    found = list(decoding.in_order(drawn, NAMES, Wish(), Limits(seconds=2)))
    assert_all_but(found, culprit, "took longer than 2 seconds to decode")


@with_pipes
@with_proc
@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_picture_that_brings_its_decoder_down_is_set_aside_and_all_others_go_on(drawn: Path, which: int) -> None:
    a_file_that_hangs(drawn / NAMES[21])

    def strike() -> None:
        with caught(drawn / NAMES[21]) as decoder:
            os.kill(decoder, which)

    threading.Thread(target=strike, daemon=True).start()
    assert_all_but(list(decoding.in_order(drawn, NAMES, Wish())), 21, "brought its decoder down")


@with_a_limit
def test_a_picture_that_needs_more_memory_than_it_may_is_set_aside(tmp_path: Path) -> None:
    root = drawing.draw_folder(tmp_path, per_class=2)
    Image.new("RGB", (9000, 9000)).save(root / "warm" / "vast.png", compress_level=1)
    dataset = folder.scan(root, limits=Limits(memory_bytes=300 * 2**20))
    (entry,) = dataset.set_aside
    assert (entry.file, entry.kind) == ("warm/vast.png", "unreadable")
    assert entry.reason == "needs more memory than the 300 MB that one picture may take"
    assert len(dataset.pictures) == 4
    assert folder.scan(root).set_aside == (), "with the usual limits it is read"


def test_the_same_comes_out_however_many_decoders_there_are(tmp_path: Path) -> None:
    root = drawing.draw_folder(tmp_path / "drawn", per_class=30)
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.png"))
    (root / files[7]).write_bytes(b"broken")
    (root / files[8]).write_bytes(b"")
    wish = Wish(24, "pad", is_judged=True)
    alone, both, many = ([said(found) for found in decoding.in_order(root, files, wish, None, n)] for n in (1, 2, 4))
    assert alone == both == many
    assert [row for row, each in enumerate(alone) if len(each) == 1] == [7, 8]
    assert alone[8] == ("is empty (0 bytes)",)


def test_a_decoder_gives_what_reading_in_this_process_gives(tmp_path: Path) -> None:
    drawing.scene(3).save(tmp_path / "a.jpg")
    (found,) = decoding.in_order(tmp_path, ["a.jpg"], Wish(40, "crop"))
    assert found.seen is not None and found.seen.small is None and found.impression is None
    assert np.array_equal(found.seen.square, picture.read(tmp_path / "a.jpg", 40))


def test_decoders_are_kept_for_the_next_folder_and_replaced_when_they_have_died(drawn: Path) -> None:
    limits = Limits(seconds=50)  # of its own, so that no other test's decoders are taken
    assert len(list(decoding.in_order(drawn, NAMES, Wish(), limits, 1))) == 40
    (kept,) = [each for each in decoding._idle if each.limits == limits]
    assert all(found.seen for found in decoding.in_order(drawn, NAMES, Wish(), limits, 1))
    assert [each for each in decoding._idle if each.limits == limits] == [kept]
    kept.process.kill()
    assert all(found.seen for found in decoding.in_order(drawn, NAMES, Wish(), limits, 1))
    assert [each for each in decoding._idle if each.limits == limits] != [kept]


@with_pipes
def test_who_does_not_want_the_rest_does_not_wait_for_a_picture_that_hangs(drawn: Path) -> None:
    a_file_that_hangs(drawn / NAMES[30])
    results = decoding.in_order(drawn, NAMES, Wish())
    assert next(results).seen is not None
    began = time.monotonic()
    results.close()
    assert time.monotonic() - began < Limits().seconds, "it was ended, not waited for"


@with_pipes
@with_proc
def test_a_decoder_does_not_outlive_the_process_that_started_it(drawn: Path) -> None:
    a_file_that_hangs(drawn / NAMES[3])
    code = (
        "import sys, pathlib\n"
        "from tlcore.images import decoding\n"
        "from tlcore.images.decoded import Wish\n"
        "list(decoding.in_order(pathlib.Path(sys.argv[1]), sys.argv[2:], Wish()))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(drawn), *NAMES], cwd=ROOT)
    with caught(drawn / NAMES[3]) as decoder:
        assert decoder != parent.pid
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 40
        while readers(drawn / NAMES[3]):
            assert time.monotonic() < deadline, "the decoder lives on"
            time.sleep(0.02)


@with_a_limit
def test_decoders_that_cannot_start_are_said_in_plain_words(drawn: Path) -> None:
    with pytest.raises(UserError, match="could not be started") as refused:
        list(decoding.in_order(drawn, NAMES, Wish(), Limits(memory_bytes=2**20)))
    assert refused.value.advice and "tlcore.images.decoder" in refused.value.detail


def test_a_disk_that_refuses_a_thumbnail_is_not_the_pictures_fault(drawn: Path) -> None:
    with pytest.raises(FileExistsError):
        list(decoding.in_order(drawn, NAMES, Wish(thumbnails=str(drawn / NAMES[0]))))
    assert len(list(decoding.in_order(drawn, NAMES, Wish()))) == 40, "and the next folder is looked at as ever"


def test_thumbnails_are_written_by_the_decoders(drawn: Path, tmp_path: Path) -> None:
    found = list(decoding.in_order(drawn, NAMES, Wish(thumbnails=str(tmp_path / "small"))))
    assert {file.stem for file in (tmp_path / "small").iterdir()} == {each.content for each in found}
