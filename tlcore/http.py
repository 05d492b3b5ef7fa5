"""What browsers fetch beside the pages: small pictures, the finished model, a sign of life. No TensorFlow here.

    /health                                           200 while the server works
    /files/PROJECT/thumbnails/CONTENT.jpg             a small copy of a picture, made by Thaw itself
    /files/PROJECT/runs/RUN/thaw-model.zip            the finished model

Whoever asks without the identity of the owner or of a guest gets the same answer as for something that does not exist.
"""

import re
import unicodedata
from pathlib import Path

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tlcore import identity, project
from tlcore.errors import UserError
from tlcore.guard import GuardMiddleware
from tlcore.identity import IdentityMiddleware
from tlcore.project import Project
from tlcore.runs import address
from tlcore.runs.run import Run

ONE_DAY_S = 24 * 3600


def middleware() -> list[Middleware]:
    """Return what stands before every page and route, outermost first."""
    return [Middleware(GuardMiddleware), Middleware(IdentityMiddleware)]


def routes() -> list[Route]:
    """Return the routes beside the pages."""
    return [
        Route("/health", health),
        Route("/files/{project}/thumbnails/{content}.jpg", send_thumbnail),
        Route("/files/{project}/runs/{run}/thaw-model.zip", send_model),
    ]


def thumbnail_path(owned: Project, content: str) -> str:
    """Return the address of a small copy of a picture."""
    return f"/files/{owned.id}/thumbnails/{content}.jpg"


def model_path(owned: Project, run: Run) -> str:
    """Return the address of a run's model."""
    return f"/files/{owned.id}/runs/{run.id}/thaw-model.zip"


def model_file(run: Run) -> Path:
    """Return the file that is sent as a run's model."""
    return run.exports / "keras.zip"


def health(request: Request) -> Response:
    """Say that the server works."""
    return JSONResponse({"status": "ok"})


def send_thumbnail(request: Request) -> Response:
    """Send a small copy of a picture; its content never changes, so the browser may keep it."""
    try:
        owned = opened_project(request)
    except UserError as error:
        return not_found(error)
    content = request.path_params["content"]
    file = owned.thumbnails / f"{content}.jpg"
    if not (re.fullmatch(r"[0-9a-f]{64}", content) and file.is_file()):
        return PlainTextResponse("There is no such picture.\n", status_code=404)
    headers = private(f"private, max-age={ONE_DAY_S}, immutable")
    return FileResponse(file, media_type="image/jpeg", headers=headers)


def send_model(request: Request) -> Response:
    """Send the finished model of a run, in pieces, under a name that says what it is."""
    try:
        owned = opened_project(request)
        run = address.find(owned.runs, request.path_params["run"])
    except UserError as error:
        return not_found(error)
    file = model_file(run)
    if not file.is_file():
        return PlainTextResponse("This run has no model to download.\n", status_code=404)
    return FileResponse(
        file, media_type="application/zip", filename=download_name(owned, run), headers=private("private, no-store")
    )


def download_name(owned: Project, run: Run) -> str:
    """Return a file name that every system accepts: thaw-flowers-20261121-143000.zip."""
    letters = unicodedata.normalize("NFC", owned.name)
    name = re.sub(r"[^\w]+", "-", letters).strip("-")[:60]
    return "-".join(part for part in ("thaw", name, run.id.rsplit("-", 1)[0]) if part) + ".zip"


def opened_project(request: Request) -> Project:
    """Return the project in the address if the browser that asks may see it.

    Raises:
        UserError: It may not, or there is none.
    """
    return project.load(request.path_params["project"], identity.of(request.cookies) or "")


def private(cache_control: str) -> dict[str, str]:
    """Return headers for what belongs to one person."""
    return {
        "cache-control": cache_control,
        "cross-origin-resource-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }


def not_found(error: UserError) -> Response:
    """Answer that there is nothing."""
    return PlainTextResponse(f"{error}\n", status_code=404)
