"""The real app, started as its users start it."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    """The app on a free port of this computer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={number}"]
    options = ["--server.address=127.0.0.1", "--server.headless=true"]
    env = os.environ | {"THAW_HOME": str(tmp_path_factory.mktemp("home"))}
    server = subprocess.Popen([*command, *options], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    while not _answers(number):
        assert server.poll() is None
        time.sleep(0.1)
    yield number
    server.terminate()
    server.wait()


def _answers(port: int) -> bool:
    try:
        return ask(port, "/health").status == 200
    except ConnectionError:
        return False


def ask(port: int, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    connection.close()
    return answer


def open_stream(port: int, **headers: str) -> int:
    """Ask for the websocket through which pages live; 101 when it opens."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    return ask(port, "/_stcore/stream", **upgrade, **headers).status


def test_every_page_gives_an_identity(port):
    for path in ("/", "/pictures", "/train?project=x", "/run", "/results"):
        assert "thaw_identity=" in ask(port, path).getheader("set-cookie")


def test_streamlits_own_routes_stand_behind_the_guard_too(port):
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/static/x.js", "/media/x.png"):
        assert ask(port, path, Host="evil.example").status == 403


def test_the_stream_of_a_page_opens_for_our_own_pages_only(port):
    assert open_stream(port, Origin=f"http://127.0.0.1:{port}") == 101
    assert open_stream(port, Origin="http://evil.example") == 403
    assert open_stream(port, Host="evil.example", Origin="http://evil.example") == 403
