"""Files from a server: whole, on from where they were, or refused."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import offering
import pytest

from tlcore import download

CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[offering.FileServer]:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "a.bin").write_bytes(CONTENT)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with offering.serving(tmp_path / "server") as running:
        yield running


def test_a_file_comes_whole_with_progress(server: offering.FileServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    download.receive(f"{server.url}/a.bin", tmp_path / "a", lambda *told: seen.append(told), len(CONTENT))
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert seen == sorted(seen) and seen[-1] == (len(CONTENT), len(CONTENT)) and len(seen) > 3


def test_a_broken_connection_goes_on_where_it_was(server: offering.FileServer, tmp_path: Path) -> None:
    server.cuts = 2
    download.receive(f"{server.url}/a.bin", tmp_path / "a", size_bytes=len(CONTENT))
    assert (tmp_path / "a").read_bytes() == CONTENT
    half = len(CONTENT) // 2
    assert server.ranges == ["", f"bytes={half}-", f"bytes={half + half // 2}-"]


def test_what_came_before_a_failure_is_not_asked_for_again(server: offering.FileServer, tmp_path: Path) -> None:
    server.cuts = 3
    with pytest.raises(download.Unreachable, match="the connection broke off"):
        download.receive(f"{server.url}/a.bin", tmp_path / "a")
    here = (tmp_path / "a").stat().st_size
    assert 0 < here < len(CONTENT)
    seen: list[int] = []
    download.receive(f"{server.url}/a.bin", tmp_path / "a", lambda done, _: seen.append(done))
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={here}-" and min(seen) > here


def test_a_server_that_knows_no_parts_is_asked_for_everything(server: offering.FileServer, tmp_path: Path) -> None:
    server.cuts, server.knows_ranges = 2, False
    download.receive(f"{server.url}/a.bin", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_file_that_is_here_to_its_last_byte_is_not_asked_for(server: offering.FileServer, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    download.receive(f"{server.url}/a.bin", tmp_path / "a", size_bytes=len(CONTENT))
    assert server.asked == []


def test_more_than_the_server_has_is_thrown_away(server: offering.FileServer, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT + b"of an older, longer file")
    download.receive(f"{server.url}/a.bin", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT) + 24}-", ""]


@pytest.mark.parametrize("more", [-5, 5])
def test_another_size_than_the_known_one_is_refused_before_it_comes(
    server: offering.FileServer, tmp_path: Path, more: int
) -> None:
    with pytest.raises(download.Unexpected, match=f"it has {len(CONTENT):,} bytes instead of"):
        download.receive(f"{server.url}/a.bin", tmp_path / "a", size_bytes=len(CONTENT) + more)
    assert not (tmp_path / "a").exists() and len(server.asked) == 1


def test_a_server_that_goes_on_and_on_is_not_listened_to(server: offering.FileServer, tmp_path: Path) -> None:
    server.tells_length = False
    with pytest.raises(download.Unexpected, match="more than 300,000 bytes"):
        download.receive(f"{server.url}/a.bin", tmp_path / "a", size_bytes=300_000)
    assert (tmp_path / "a").stat().st_size <= 300_000


def test_what_ends_early_without_a_length_is_not_taken_for_whole(server: offering.FileServer, tmp_path: Path) -> None:
    server.tells_length, server.cuts = False, 1
    download.receive(f"{server.url}/a.bin", tmp_path / "a", size_bytes=len(CONTENT))
    assert (tmp_path / "a").read_bytes() == CONTENT and len(server.asked) == 2


def test_without_a_server_there_is_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "a").write_bytes(b"from an attempt before")
    with pytest.raises(download.Unreachable, match="there is no connection"):
        download.receive(f"{closed}/a.bin", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"from an attempt before"


def test_a_file_that_is_not_there_is_asked_for_once(server: offering.FileServer, tmp_path: Path) -> None:
    with pytest.raises(download.Unreachable, match="the server answered 404"):
        download.receive(f"{server.url}/b.bin", tmp_path / "b")
    assert len(server.asked) == 1


def test_a_full_disk_is_an_error_of_the_disk(server: offering.FileServer, small_disk: Path) -> None:
    (server.folder / "large.bin").write_bytes(bytes(5 * 10**6))
    with pytest.raises(OSError, match="No space left"):
        download.receive(f"{server.url}/large.bin", small_disk / "a")


def test_hashes_of_both_kinds_are_compared(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    for kind in (hashlib.sha256, hashlib.md5):
        assert download.difference(tmp_path / "a", kind(CONTENT).hexdigest()) == ""
        assert "instead of" in download.difference(tmp_path / "a", kind(b"other").hexdigest())


def test_a_mirror_stands_for_its_origin_and_for_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_WEIGHTS_URL", "http://mirror.school/keras/")
    assert download.mirrored(f"{download.ORIGIN}/a/b.h5") == "http://mirror.school/keras/a/b.h5"
    assert download.mirrored(f"{download.ORIGIN}/a/b.h5", "http://other") == "http://other/a/b.h5"
    assert download.mirrored("https://elsewhere.org/a/b.zip") == "https://elsewhere.org/a/b.zip"
    assert download.mirrored(f"{download.ORIGIN}.evil.org/a") == f"{download.ORIGIN}.evil.org/a"
