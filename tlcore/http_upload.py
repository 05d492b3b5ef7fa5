"""How a browser sends pictures into a project. No TensorFlow here.

    GET   /files/PROJECT/upload             how far it has come, and what is allowed
    POST  /files/PROJECT/upload/announce    [[path, size, modified], ...] -> number and missing pieces of each
    POST  /files/PROJECT/upload/pieces      a line [[number, piece], ...], then the bytes of these pieces
    POST  /files/PROJECT/upload/finish      everything was sent: the look over the pictures starts by itself
    POST  /files/PROJECT/upload/cancel      drop what was sent

What is taken or not taken is answered in JSON. 507 means that the disk is full: what has arrived stays, and the same
request may come again later. 409 means that it is not taken, and why. Whoever may not see the project gets the same
answer as for something that does not exist, and a guest who may only look gets 403.
"""

import json
import shutil
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tlcore import http, workspace
from tlcore.errors import DiskFull, UploadError, UserError
from tlcore.images import intake, pieces, upload
from tlcore.images.upload import Announced
from tlcore.project import Project
from tlcore.runs import run as runs

FILES_AT_ONCE = 2000
"""Most files in one announcement."""
_MAX_ANNOUNCEMENT_BYTES = 16 * 2**20
_EXACT = 2**53  # above it a number in JavaScript is not exact
_NAMED = 20  # files named in an answer

Handler = Callable[[Request, Project], Awaitable[Any]]


def routes() -> list[Route]:
    """Return the routes of an upload."""
    at = "/files/{project}/upload"
    return [
        Route(at, _answering(standing)),
        Route(f"{at}/announce", _answering(announce), methods=["POST"]),
        Route(f"{at}/pieces", _answering(take_pieces), methods=["POST"]),
        Route(f"{at}/finish", _answering(finish), methods=["POST"]),
        Route(f"{at}/cancel", _answering(cancel), methods=["POST"]),
    ]


def path_of(owned: Project) -> str:
    """Return the address of a project's upload."""
    return f"/files/{owned.id}/upload"


async def standing(request: Request, owned: Project) -> Any:
    """Tell how far the upload has come."""
    found = await run_in_threadpool(upload.standing, owned)
    return {
        "files": found.files,
        "bytes": found.size,
        "filesHere": found.files_here,
        "bytesHere": found.size_here,
        "maxFiles": workspace.upload_files(),
        "maxBytes": workspace.upload_bytes(),
    }


async def announce(request: Request, owned: Project) -> Any:
    """Note files that are coming; tell what is missing of each, and how much room there is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_ANNOUNCEMENT_BYTES:
            raise upload.not_understood("too many files are announced at once")
    files = _announced(bytes(body))

    def note() -> Any:
        _refuse_late(owned)
        answers = upload.announce(owned, files)
        free = shutil.disk_usage(upload.folder_of(owned)).free
        return {"files": [[answer.number, answer.missing] for answer in answers], "free": free}

    return await run_in_threadpool(note)


async def take_pieces(request: Request, owned: Project) -> Any:
    """Write pieces to the disk as their bytes arrive, never more than a few of them in memory."""
    with pieces.Batch(owned) as batch:
        async for chunk in request.stream():
            await run_in_threadpool(batch.feed, chunk)
        batch.finish()
    return {}


async def finish(request: Request, owned: Project) -> Any:
    """Start the look over the pictures, or name the files of which something is missing."""

    def take() -> Any:
        _refuse_late(owned)
        missing = intake.receive_upload(owned, without_missing="without" in request.query_params)
        if not missing:
            intake.start(owned)
        return {"missing": len(missing), "names": missing[:_NAMED]}

    return await run_in_threadpool(take)


async def cancel(request: Request, owned: Project) -> Any:
    """Drop what was sent."""
    await run_in_threadpool(upload.cancel, owned)
    return {}


def _answering(handle: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that asks whose project it is, and says in JSON what went wrong."""

    @wraps(handle)
    async def answer(request: Request) -> Response:
        try:
            owned = http.opened_project(request)
        except UserError as error:
            return http.not_found(error)
        if not owned.may_change:
            return PlainTextResponse("The link that you came by lets you look, not change.\n", status_code=403)
        try:
            return JSONResponse(await handle(request, owned), headers=http.private("private, no-store"))
        except UserError as error:
            status = 507 if isinstance(error, DiskFull) else 409
            return JSONResponse({"problem": error.problem, "advice": error.advice}, status_code=status)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it

    return answer


def _announced(body: bytes) -> list[Announced]:
    """Return the files that a browser names."""
    try:
        files = [Announced(str(path), int(size), int(modified)) for path, size, modified in json.loads(body)]
    except (ValueError, TypeError, OverflowError) as error:
        raise upload.not_understood("a list of files that is none") from error
    if len(files) > FILES_AT_ONCE or any(not 0 <= file.size < _EXACT or abs(file.modified) > _EXACT for file in files):
        raise upload.not_understood("a list of files that is too long, or a size that cannot be")
    return files


def _refuse_late(owned: Project) -> None:
    """Raise where pictures cannot be brought in any more, or not now."""
    intake.refuse_while_working(owned)
    if runs.hold_pictures(owned.runs):
        raise UploadError(
            "This project has runs, or some that can be taken back, so its pictures stay as they are.",
            "Make a new project for other pictures.",
        )
