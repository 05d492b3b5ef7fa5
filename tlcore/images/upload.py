"""Files from a browser, distrusted: announced, then received in pieces that are whole or not there. No TensorFlow here.

A browser first announces what it has (path, size, time of change) and is told which pieces of it are missing here. A
piece is at most 8 MB of one file; it is written beside its place and renamed into it. So whatever lies in the folder is
whole, and after a broken connection or a refresh the same announcement tells what is still to be sent. No name that a
browser sends becomes a name on the disk: a piece is called by the number of its file. The worker gives the names
(``arrival``).

    PROJECT/upload/announced.sqlite     which files are coming
    PROJECT/upload/pieces/12.0          file 12, piece 0
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tlcore import workspace
from tlcore.errors import UploadError
from tlcore.images import disk, layout
from tlcore.project import Project

PIECE_BYTES = 8 * 2**20
"""Most bytes of a piece, and of what a browser sends at once."""
LOST = "did not arrive: the browser could not read it or did not send it"

_MAX_PATH = 4096
_WAIT_S = 20.0  # for another announcement that is being written
_TABLE = """CREATE TABLE IF NOT EXISTS file
    (number INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT UNIQUE, size INTEGER, modified INTEGER, reason TEXT DEFAULT '')
"""


@dataclass(frozen=True)
class Announced:
    """A file that a browser has.

    Args:
        path: As the browser calls it, folders included. Distrusted.
        size: In bytes.
        modified: When it was changed last, in milliseconds since 1970; 0 where that is not known. The same path with
            another size or time is another file.
        number: Its number here; 0 as long as it has none.
        reason: Why it is set aside; goes on after the file's name.
    """

    path: str
    size: int
    modified: int = 0
    number: int = 0
    reason: str = ""

    @property
    def n_pieces(self) -> int:
        """Return the number of pieces; an empty file has one."""
        return max(1, -(-self.size // PIECE_BYTES))

    def piece_bytes(self, piece: int) -> int:
        """Return the length of a piece."""
        return min(PIECE_BYTES, self.size - piece * PIECE_BYTES)


@dataclass(frozen=True)
class Answer:
    """What is still to be sent of an announced file: its number here, and the pieces that are missing."""

    number: int
    missing: tuple[int, ...]


@dataclass(frozen=True)
class Standing:
    """How far an upload has come: files and bytes that were announced, and those that are here."""

    files: int = 0
    size: int = 0
    files_here: int = 0
    size_here: int = 0


def folder_of(project: Project) -> Path:
    """Return the folder of an upload that is going on; it is there once something was announced."""
    return project.folder / "upload"


def piece_file(folder: Path, number: int, piece: int) -> Path:
    """Return the file of a piece."""
    return folder / "pieces" / f"{number}.{piece}"


def announce(project: Project, files: Sequence[Announced]) -> list[Answer]:
    """Note files that a browser is going to send; return for each of them what is missing here, in the same order.

    Raises:
        UploadError: With these files it would be more than ``workspace`` allows. None of them is noted.
    """
    folder = folder_of(project)
    with disk.explained():
        (folder / "pieces").mkdir(parents=True, exist_ok=True)
    with database_of(folder) as database:
        database.execute("BEGIN IMMEDIATE")
        answers = [_announce(database, folder, file) for file in files]
        _refuse_too_much(database)
    return answers


def files_in(folder: Path) -> list[Announced]:
    """Return what was announced, in that order."""
    with database_of(folder) as database:
        rows = database.execute("SELECT path, size, modified, number, reason FROM file ORDER BY number")
        return [Announced(*row) for row in rows]


def standing(project: Project) -> Standing:
    """Tell how far an upload has come."""
    folder = folder_of(project)
    if not (folder / "announced.sqlite").is_file():
        return Standing()
    wanted = [file for file in files_in(folder) if not file.reason]
    here = {entry.name for entry in (folder / "pieces").iterdir()}
    whole = missing_bytes = 0
    for file in wanted:
        missing = [piece for piece in range(file.n_pieces) if f"{file.number}.{piece}" not in here]
        whole += not missing
        missing_bytes += sum(file.piece_bytes(piece) for piece in missing)
    size = sum(file.size for file in wanted)
    return Standing(len(wanted), size, whole, size - missing_bytes)


def close(project: Project, without_missing: bool = False) -> list[str]:
    """Say that everything was sent; return the paths of files of which something is missing after all.

    Args:
        project: Whose upload it is.
        without_missing: Go on without these files: they are set aside, with a reason, and an empty list is returned.
    """
    folder = folder_of(project)
    missing = [file for file in files_in(folder) if not file.reason and _missing(folder, file)]
    if not (missing and without_missing):
        return [file.path for file in missing]
    with database_of(folder) as database:
        database.executemany("UPDATE file SET reason = ? WHERE number = ?", [(LOST, file.number) for file in missing])
    return []


def find(folder: Path, numbers: Sequence[int]) -> list[Announced]:
    """Return announced files by their numbers, in the order of these.

    Raises:
        UploadError: One of them was not announced.
    """
    found = []
    with database_of(folder) as database:
        for number in numbers:
            row = database.execute(
                "SELECT path, size, modified, number, reason FROM file WHERE number = ?", (number,)
            ).fetchone()
            if row is None:
                raise not_understood("it holds a file that was not announced")
            found.append(Announced(*row))
    return found


def cancel(project: Project) -> None:
    """Drop an upload with everything of it that has arrived."""
    shutil.rmtree(folder_of(project), ignore_errors=True)


@contextlib.contextmanager
def database_of(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the list of files, and keep what the block changes if it ends well.

    Raises:
        DiskFull: The disk has no room for what the block changes.
        UploadError: The upload was cancelled meanwhile.
    """
    try:
        with contextlib.closing(sqlite3.connect(folder / "announced.sqlite", timeout=_WAIT_S)) as database, database:
            database.execute(_TABLE)
            yield database
    except sqlite3.OperationalError as error:  # a full disk, or a folder that was removed by a cancel
        with disk.explained():
            (folder / ".probe").write_bytes(b"x" * 4096)
            (folder / ".probe").unlink()
        raise UploadError("The list of files could not be written.", "Send the pictures again.", repr(error)) from error


def _announce(database: sqlite3.Connection, folder: Path, file: Announced) -> Answer:
    """Note one file, or find what is here of it. What systems leave behind is not wanted, and not mentioned."""
    path = file.path.encode("utf-8", "replace").decode()[:_MAX_PATH]
    if file.size < 0:
        raise not_understood("a size is below zero")
    if any(layout.is_litter(part) for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")):
        return Answer(0, ())
    row = database.execute("SELECT path, size, modified, number, reason FROM file WHERE path = ?", (path,)).fetchone()
    known = Announced(*row) if row else None
    if known and (known.size, known.modified) == (file.size, file.modified):
        if known.reason == LOST:  # it is there after all
            database.execute("UPDATE file SET reason = '' WHERE number = ?", (known.number,))
        return Answer(known.number, tuple(_missing(folder, known)))
    if known:
        for piece in range(known.n_pieces):
            piece_file(folder, known.number, piece).unlink(missing_ok=True)
        database.execute("DELETE FROM file WHERE number = ?", (known.number,))
    added = database.execute(
        "INSERT INTO file (path, size, modified) VALUES (?, ?, ?)", (path, file.size, file.modified)
    )
    return Answer(added.lastrowid or 0, tuple(range(file.n_pieces)))


def _missing(folder: Path, file: Announced) -> list[int]:
    """Return the pieces of a file that are not here."""
    return [piece for piece in range(file.n_pieces) if not piece_file(folder, file.number, piece).is_file()]


def _refuse_too_much(database: sqlite3.Connection) -> None:
    """Raise if more was announced than is allowed."""
    files, size = database.execute("SELECT count(*), coalesce(sum(size), 0) FROM file").fetchone()
    if files > workspace.upload_files() or size > workspace.upload_bytes():
        raise UploadError(
            f"These are {files:,} files with {size / 1e9:,.1f} GB; this server takes at most "
            f"{workspace.upload_files():,} files and {workspace.upload_bytes() / 1e9:,.1f} GB.",
            "Bring in fewer pictures, or ask whoever runs Thaw to allow more.",
        )


def not_understood(what: str) -> UploadError:
    """Return the error for a request that no page of ours sends."""
    return UploadError(f"The server did not understand what was sent: {what}.", "Load the page again and go on.")
