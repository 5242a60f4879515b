"""Which visitor a request is from: a random key in a cookie that no script of a page can read."""

from __future__ import annotations

import os
import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection

COOKIE = "mmgan-owner"
YEARS = 5 * 365 * 24 * 3600  # seconds; whoever comes back after the summer holidays finds their projects
_KEY = re.compile(r"[\w-]{32,64}", re.ASCII)


def owner_of(cookies) -> str:
    """The visitor's key; "" where there is none, which owns nothing."""
    key = (cookies or {}).get(COOKIE, "")
    return key if _KEY.fullmatch(key) else ""


class GiveKey:
    """Gives a key to every visitor of the page who has none yet."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope.get("path") != "/" or owner_of(HTTPConnection(scope).cookies):
            await self.app(scope, receive, send)
            return

        async def with_key(message):
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"]).append("set-cookie", _cookie(scope))
            await send(message)

        await self.app(scope, receive, with_key)


def _cookie(scope) -> str:
    secure = scope.get("scheme") == "https"  # as the door found it; a proxy is believed only if it was named
    # On Hugging Face Spaces the page is a frame in another site's page, where stricter cookies are never sent.
    site = "None; Partitioned" if os.environ.get("SPACE_ID") and secure else "Lax"
    parts = [f"{COOKIE}={secrets.token_urlsafe(24)}", "Path=/", f"Max-Age={YEARS}", "HttpOnly", f"SameSite={site}"]
    return "; ".join(parts + ["Secure"] * secure)
