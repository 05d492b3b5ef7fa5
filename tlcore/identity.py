"""Who someone is: an unguessable cookie that the server gives to each browser. No TensorFlow here.

The cookie is ``SameSite=Lax`` and not ``Strict``: with ``Strict`` a link in a mail or a learning platform would arrive
without it, a new identity would be given, and the old projects would seem lost. ``Lax`` is never sent along with
pictures, frames or forms of other sites.
"""

import re
import secrets
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "thaw_identity"
LIFETIME_S = 400 * 24 * 3600  # the longest that browsers keep a cookie; renewed with every page that is opened


def new() -> str:
    """Return a new identity: 256 random bits."""
    return secrets.token_urlsafe(32)


def of(cookies: Mapping[str, str]) -> str | None:
    """Return the identity in a browser's cookies, or None if there is none."""
    value = cookies.get(COOKIE)
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{43}", value) else None


class IdentityMiddleware:
    """Give every browser that opens a page its identity, and renew it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the cookie to the answer if it is a page."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        cookie = _set_cookie(of(connection.cookies) or new(), is_secure=scope["scheme"] == "https")

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if _is_page(connection, headers):
                    headers.append("set-cookie", cookie)
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _is_page(connection: HTTPConnection, answer: MutableHeaders) -> bool:
    """Tell whether a person opens a page; not so for scripts, pictures, and pages inside other pages."""
    destination = connection.headers.get("sec-fetch-dest")
    is_html = answer.get("content-type", "").startswith("text/html")
    return connection.scope["method"] == "GET" and (destination == "document" or (destination is None and is_html))


def _set_cookie(identity: str, is_secure: bool) -> str:
    """Return the header that gives a browser its identity."""
    secure = "; Secure" if is_secure else ""
    return f"{COOKIE}={identity}; Path=/; Max-Age={LIFETIME_S}; HttpOnly; SameSite=Lax{secure}"
