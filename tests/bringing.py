"""Pictures brought into a project as a browser brings them: announced, sent in pieces, taken."""

import json
from pathlib import Path

from tlcore.images import intake, pieces, upload
from tlcore.images.upload import Announced
from tlcore.project import Project


def header(*named: tuple[int, int]) -> bytes:
    """Return the first line of a request with these pieces (file number, piece)."""
    return json.dumps(named).encode() + b"\n"


def send(project: Project, contents: dict[str, bytes], chunk: int = 2**16) -> list[int]:
    """Announce files and send what is missing of them, each piece by itself; return their numbers."""
    announced = [Announced(path, len(content), 1) for path, content in contents.items()]
    answers = upload.announce(project, announced)
    for file, answer in zip(announced, answers, strict=True):
        for piece in answer.missing:
            start = piece * upload.PIECE_BYTES
            body = header((answer.number, piece)) + contents[file.path][start : start + upload.PIECE_BYTES]
            with pieces.Batch(project) as batch:
                for at in range(0, len(body), chunk):
                    batch.feed(body[at : at + chunk])
                batch.finish()
    return [answer.number for answer in answers]


def take(project: Project, *files: Path) -> None:
    """Send files of this computer (a zip, loose pictures), or folders with everything in them, and have them taken."""
    contents = {}
    for file in files:
        inside = sorted(path for path in file.rglob("*") if path.is_file()) if file.is_dir() else [file]
        contents |= {path.relative_to(file.parent).as_posix(): path.read_bytes() for path in inside}
    send(project, contents)
    assert intake.receive_upload(project) == []
