"""Who gets in: what every request passes before gradio, or any route of ours, sees it."""

from __future__ import annotations

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from .collect_api import Serve
from .owner import GiveKey
from .settings import Settings

# What the login page itself needs; everything else waits until somebody has logged in.
OPEN = (
    "/login",
    "/logout",
    "/assets/",
    "/static/",
    "/theme.css",
    "/favicon.ico",
    "/manifest.json",
    "/svelte/",
    "/gradio_api/startup-events",
)  # asked by launch itself


def middleware(demo: gr.Blocks, settings: Settings, script: str = "") -> list[Middleware]:
    """For ``app_kwargs`` of the server of ``demo``; ``script`` runs in the page before gradio's own."""
    layers = [Middleware(RefuseForeign), Middleware(FirstScript, script=script)]
    layers.append(Middleware(GiveKey))
    if settings.auth is not None:
        layers.append(Middleware(RequireLogin, demo=demo))
    routes = getattr(demo, "our_routes", None)
    return layers if routes is None else [*layers, Middleware(Serve, routes=routes)]


class RefuseForeign:
    """gradio's file route would fetch foreign addresses for whoever asks."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        path = scope.get("path", "")
        if scope["type"] == "http" and ("file=http:" in path or "file=https:" in path or "/proxy=" in path):
            await PlainTextResponse("Refused: this page fetches nothing.", status_code=403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class FirstScript:
    """gradio runs the scripts of ``launch(head=)`` after it chose a language, which is too late to have one chosen."""

    def __init__(self, app, script: str):
        self.app, self.script = app, f"<head><script>{script}</script>".encode()

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
                body = body.replace(b"<head>", self.script, 1)
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, collect)


class RequireLogin:
    """gradio asks for its login on its own routes, though not on every one, and on none that is added to it."""

    def __init__(self, app, demo: gr.Blocks):
        self.app, self.demo = app, demo

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        path = scope.get("path", "")
        page = path == "/" and scope["type"] == "http"  # shows the login where nobody is logged in
        if page or path.startswith(OPEN) or self._known(HTTPConnection(scope)):
            await self.app(scope, receive, send)
        else:
            await PlainTextResponse("Log in first.", status_code=401)(scope, receive, send)

    def _known(self, connection: HTTPConnection) -> bool:
        server = self.demo.app
        names = (f"access-token-{server.cookie_id}", f"access-token-unsecure-{server.cookie_id}")
        return any(connection.cookies.get(name) in server.tokens for name in names)
