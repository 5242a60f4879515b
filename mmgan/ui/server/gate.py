"""Who gets in: what every request passes before gradio, or any route of ours, sees it."""

from __future__ import annotations

import contextlib
import json
import os
import re

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection

from ...language import LANGUAGES
from .answers import HANDLERS, Sentences
from .assets import FRAME, asset
from .door import Door, refuse
from .flags import Flags
from .gradio_routes import OnlyNeeded
from .login import Login, known
from .owner import GiveKey
from .stalled import EndStalled
from .throttle import RefuseLarge, Throttle

# What the login page itself needs; everything else needs a login.
OPEN = (
    "/login",
    "/logout",
    "/assets/",
    "/static/",
    "/theme.css",
    "/favicon.ico",
    "/manifest.json",
    "/gradio_api/startup-events",  # launch() itself asks for it
)


def app_options(demo: gr.Blocks, flags: Flags) -> dict:
    """For ``app_kwargs`` of the server of ``demo``.

    gradio wraps layers of its own around those given here, so the door is put around all of them when the server
    starts, before it listens.
    """

    @contextlib.asynccontextmanager
    async def starting(app):
        app.middleware_stack = Door(app.middleware_stack, flags, lambda: demo.share_url)
        yield

    return {
        "middleware": _inside(demo, flags), "exception_handlers": HANDLERS, "lifespan": starting,
        "docs_url": None, "redoc_url": None,
    }  # fmt: skip


def _inside(demo: gr.Blocks, flags: Flags) -> list[Middleware]:
    layers = [Middleware(EndStalled), Middleware(Sentences), Middleware(Throttle), Middleware(RefuseLarge)]
    layers += [Middleware(FirstScripts, demo=demo, locked=flags.auth is not None), Middleware(GiveKey)]
    if flags.auth is not None:
        layers += [Middleware(Login, demo=demo), Middleware(RequireLogin, demo=demo)]
    return [*layers, Middleware(Serve, routes=demo.our_routes), Middleware(OnlyNeeded)]


class Serve:
    """Sends requests for our routes there, and all others on to gradio."""

    def __init__(self, app, routes):
        self.app, self.routes = app, routes
        self.beginnings = tuple(re.match(r"/[^/]+/", route.path + "/")[0] for route in routes.routes)

    async def __call__(self, scope, receive, send):
        ours = scope["type"] == "http" and scope.get("path", "").startswith(self.beginnings)
        await (self.routes if ours else self.app)(scope, receive, send)


@contextlib.contextmanager
def believing_nobody():
    """Starts the server inside this: else uvicorn, as gradio starts it, believes any local process that claims to call
    for somebody. :class:`Door` believes only those that ``--proxy`` names.
    """
    name = "FORWARDED_ALLOW_IPS"
    before = os.environ.get(name)
    os.environ[name] = ""
    try:
        yield
    finally:
        os.environ.pop(name) if before is None else os.environ.update({name: before})


class FirstScripts:
    """Puts our scripts before gradio's, which chooses a language before it runs scripts given to it.

    gradio also looks for icon and manifest at the root of the server, which under ``--root-path`` is another site.
    """

    def __init__(self, app, demo: gr.Blocks, locked: bool):
        self.app, self.demo, self.locked = app, demo, locked
        classic = f"window.mmganLanguages = {json.dumps(LANGUAGES)};\n" + asset(f"{FRAME}/first.js")
        classic += asset(f"{FRAME}/login.js") if locked else ""
        self.first = f'<head><link rel="icon" href="favicon.ico"><script>{classic}</script>'

    def _head(self, scope) -> bytes:
        outside = self.locked and not known(self.demo, HTTPConnection(scope))  # sees the login page only
        return (self.first + ("" if outside else self.demo.assets.head())).encode()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope.get("path") != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start, body = None, b""

        async def collect(message):
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            headers = MutableHeaders(raw=start["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                body = body.replace(b"<head>", self._head(scope), 1).replace(
                    b'href="/manifest.json"', b'href="manifest.json"', 1
                )
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, collect)


class RequireLogin:
    """Asks for the login on every route; gradio does so on most of its own only."""

    def __init__(self, app, demo: gr.Blocks):
        self.app, self.demo = app, demo

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        path = scope.get("path", "")
        page = path == "/" and scope["type"] == "http"  # which is the login page for those who are not logged in
        if page or path.startswith(OPEN) or known(self.demo, HTTPConnection(scope)):
            await self.app(scope, receive, send)
        else:
            await refuse(scope, receive, send, 401, "login_first", {})
