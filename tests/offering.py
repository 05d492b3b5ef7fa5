"""A small server on this computer that offers files as the internet does, with its accidents."""

import contextlib
import http.server
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path


class FileServer(http.server.ThreadingHTTPServer):
    """Serves the files below a folder.

    Attributes:
        cuts: So many of the next answers break off in the middle.
        knows_ranges: Whether it can be asked for the rest of a file.
        tells_length: Whether it says how long a file is.
        pause_s: How long it rests after each 64 kB, in seconds.
        asked: Paths that were asked for.
        ranges: What was asked of each, "" for everything.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.cuts = 0
        self.knows_ranges = True
        self.tells_length = True
        self.pause_s = 0.0
        self.asked: list[str] = []
        self.ranges: list[str] = []

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(http.server.BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.asked.append(self.path)
        self.server.ranges.append(asked)
        file = self.server.folder / self.path.lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        content, start = file.read_bytes(), 0
        if asked and self.server.knows_ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        content = content[start:]
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.cuts:
            self.server.cuts -= 1
            content = content[: len(content) // 2]
        with contextlib.suppress(ConnectionError):  # who asked has heard enough
            for at in range(0, len(content), 2**16):
                self.wfile.write(content[at : at + 2**16])
                time.sleep(self.server.pause_s)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[FileServer]:
    """Offer the files below a folder while the block runs."""
    with FileServer(folder) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()
