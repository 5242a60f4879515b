"""Who gets in: what every request passes before gradio, or any route of ours, sees it."""

from __future__ import annotations

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

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


def middleware(demo: gr.Blocks, settings: Settings) -> list[Middleware]:
    """For ``app_kwargs`` of the server of ``demo``."""
    layers = [Middleware(RefuseForeign)]
    if settings.auth is not None:
        layers.append(Middleware(RequireLogin, demo=demo))
    return layers


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
