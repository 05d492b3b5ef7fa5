"""Pieces of files as one request brings them: a line of JSON, then bytes. No TensorFlow here."""

import contextlib
import json
import secrets
from collections import deque
from pathlib import Path
from typing import BinaryIO

from tlcore.images import disk, upload
from tlcore.project import Project

MAX_PIECES = 1000
"""Most pieces in one request."""

_MAX_HEADER_BYTES = 64 * 1024


class Batch:
    """Pieces on their way in, as one request brings them: a line of JSON ``[[number, piece], ...]``, then their bytes.

    Fed as the bytes arrive, so that never more than a few of them are in memory. A batch that breaks off leaves the
    pieces that are whole and nothing else; use it as a context manager.
    """

    def __init__(self, project: Project) -> None:
        self.folder = upload.folder_of(project)
        self.header = b""
        self.waiting: deque[tuple[Path, int]] | None = None
        self.stream: BinaryIO | None = None
        self.beside = self.target = self.folder
        self.room = 0

    def __enter__(self) -> "Batch":
        return self

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            with contextlib.suppress(OSError):  # a full disk refuses once more what is in the buffer
                self.stream.close()
            self.beside.unlink(missing_ok=True)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            DiskFull: The disk has no room for them.
            UploadError: They are not what was announced.
        """
        if self.waiting is None:
            self.header += chunk
            head, newline, chunk = self.header.partition(b"\n")
            if len(head) > _MAX_HEADER_BYTES:
                raise upload.not_understood("its first line is too long")
            if not newline:
                return
            self.waiting = deque(self._expected(head))
            with disk.explained():
                self._open_next()
        left = memoryview(chunk)
        with disk.explained():
            while self.stream is not None:
                taken = left[: self.room]
                self.stream.write(taken)
                self.room -= len(taken)
                left = left[len(taken) :]
                if self.room:
                    return
                self._keep()
                self._open_next()
        if left:
            raise upload.not_understood("it is longer than what was announced")

    def finish(self) -> None:
        """Check that everything has come.

        Raises:
            UploadError: Something is missing.
        """
        if self.waiting is None or self.stream is not None:
            raise upload.not_understood("it is shorter than what was announced")

    def _expected(self, head: bytes) -> list[tuple[Path, int]]:
        """Return place and length of each piece that the first line names."""
        try:
            named = [(int(number), int(piece)) for number, piece in json.loads(head)]
        except (ValueError, TypeError) as error:
            raise upload.not_understood("its first line names no pieces") from error
        if len(named) > MAX_PIECES or not all(0 < number < 2**53 for number, _ in named):
            raise upload.not_understood("there are too many pieces, or a number that cannot be")
        files = upload.find(self.folder, [number for number, _ in named])
        if not all(0 <= piece < file.n_pieces for file, (_, piece) in zip(files, named, strict=True)):
            raise upload.not_understood("it holds a piece that its file does not have")
        return [
            (upload.piece_file(self.folder, file.number, piece), file.piece_bytes(piece))
            for file, (_, piece) in zip(files, named, strict=True)
        ]

    def _open_next(self) -> None:
        """Open the file of the next piece, if there is one."""
        assert self.waiting is not None
        self.stream = None
        if self.waiting:
            self.target, self.room = self.waiting.popleft()
            self.beside = self.target.with_name(f".{self.target.name}.{secrets.token_hex(4)}")
            self.stream = self.beside.open("xb")

    def _keep(self) -> None:
        """Put a whole piece in its place."""
        assert self.stream is not None
        self.stream.close()
        self.beside.replace(self.target)
