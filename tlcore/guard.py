"""The one guard before every page, websocket and route: by which name, and from which page. No TensorFlow here.

Whose something is stands in ``project.load``, which pages and routes alike go through.
"""

import socket
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tlcore import workspace

THIS_COMPUTER = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FOREIGN_UPLOADS = "/_stcore/upload_file"
"""Streamlit's own way in for files, which no page uses: it asks nobody whose they are, and keeps them in memory."""
POLICY_VIOLATION = 1008  # websocket close code, RFC 6455 section 7.4.1


class GuardMiddleware:
    """Let a request through only by a known name and only from our own pages."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        reason = refusal(HTTPConnection(scope))
        if not reason:
            await self.app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason})
        else:
            await PlainTextResponse(reason + "\n", status_code=403)(scope, receive, send)


def refusal(connection: HTTPConnection) -> str:
    """Return why a request is refused; empty if it may pass.

    The Host must be a name of this server: a foreign name that was made to point here (DNS rebinding) would let its
    owner's page read everything. The Origin, where a browser sends one, must be a page of ours.
    """
    host = connection.headers.get("host", "")
    if len(connection.headers.getlist("host")) != 1 or host_name(host) not in own_names(connection):
        return "Thaw does not answer under this name. Whoever runs it can allow the name with THAW_HOSTS."
    if FOREIGN_UPLOADS in connection.scope["path"]:
        return "Thaw takes files only into a project."
    changes_something = connection.scope["type"] == "websocket" or connection.scope["method"] not in SAFE_METHODS
    origins = connection.headers.getlist("origin")
    if changes_something and any(urlsplit(origin).netloc.lower() != host.lower() for origin in origins):
        return "Thaw takes this only from its own pages."
    return ""


def host_name(host: str) -> str:
    """Return the name in a Host header, lower case and without port; empty if it is not a plain name."""
    try:
        parts = urlsplit(f"//{host}")
        if parts.netloc != host or "@" in host or parts.port == 0:
            return ""
        return (parts.hostname or "").rstrip(".")
    except ValueError:  # a port that is no number, or a bracket that is never closed
        return ""


def own_names(connection: HTTPConnection) -> frozenset[str]:
    """Return the names under which this server may be called.

    The address at which the connection arrived is one of them: so a server that is shared in a network answers to its
    own addresses there, and one that listens on this computer only does not.
    """
    machine = socket.gethostname().lower()
    names = {machine, machine.split(".")[0], machine.split(".")[0] + ".local", *workspace.extra_hosts()}
    server = connection.scope.get("server")
    return THIS_COMPUTER | names | ({server[0].removeprefix("::ffff:")} if server else set())


def _unframed(send: Send) -> Send:
    """Add to each answer that no other site may show it inside its own pages (against clickjacking)."""

    async def send_unframed(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["content-security-policy"] = "frame-ancestors 'self'"
        await send(message)

    return send_unframed
