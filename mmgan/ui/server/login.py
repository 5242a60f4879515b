"""Logging in and out, with gradio's login underneath: guessing is slow, and nobody logs others out."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import gradio as gr
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from ...language import say
from ..language import language
from ..sample.cards import escape
from .access import Guesses

FREE_GUESSES = 10  # a class behind one address mistypes more often than a teacher does
MAX_FORM = 16 << 10  # bytes of a user and a password


def checker(auth: tuple[str, str] | None) -> Callable[[str, str], bool] | None:
    """For ``launch(auth=)``: takes equally long wherever user and password differ."""
    if auth is None:
        return None
    known = [part.encode() for part in auth]

    def right(user: str, password: str) -> bool:
        given = [part.encode("utf-8", "surrogatepass") for part in (user, password)]
        return all([hmac.compare_digest(one, other) for one, other in zip(given, known, strict=True)])  # always both

    return right


def token_names(demo: gr.Blocks) -> tuple[str, str]:
    """The cookies in which gradio keeps a login: over https, and over http."""
    return f"access-token-{demo.app.cookie_id}", f"access-token-unsecure-{demo.app.cookie_id}"


def known(demo: gr.Blocks, connection: HTTPConnection) -> bool:
    """Whether somebody has logged in."""
    return any(connection.cookies.get(name) in demo.app.tokens for name in token_names(demo))


class Login:
    """Answers ``/logout``, and limits guesses at ``/login`` to what a person makes."""

    def __init__(self, app, demo: gr.Blocks):
        self.app, self.demo, self.guesses = app, demo, Guesses(FREE_GUESSES)

    async def __call__(self, scope, receive, send):
        path = scope.get("path", "").rstrip("/")
        if scope["type"] == "http" and path == "/login" and scope["method"] == "POST":
            await self._login(scope, receive, send)
        elif scope["type"] == "http" and path == "/logout" and scope["method"] in ("GET", "POST"):
            await self._logout(Request(scope))(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _login(self, scope, receive, send):
        request = Request(scope)
        length, address = request.headers.get("content-length", ""), (scope.get("client") or ("",))[0]
        if not length.isdecimal() or int(length) > MAX_FORM:
            await JSONResponse({"detail": "Incorrect credentials."}, 413)(scope, receive, send)
            return
        if wait := self.guesses.claim(address):
            seconds = int(wait) + 1
            sentence = say("login_wait", language(request), seconds=seconds)
            await JSONResponse({"detail": sentence}, 429, {"retry-after": str(seconds)})(scope, receive, send)
            return

        async def seen(message):
            if message["type"] == "http.response.start" and message["status"] == 200:
                self.guesses.right(address)
            await send(message)

        await self.app(scope, receive, seen)

    def _logout(self, request: Request):
        """Ends the session of this browser only. Whoever follows a link from another site is asked first."""
        names = token_names(self.demo)
        if request.method == "GET" and request.headers.get("sec-fetch-site") not in ("same-origin", "none"):
            return HTMLResponse(_question(language(request)), headers={"cache-control": "no-store"})
        for name in names:
            self.demo.app.tokens.pop(request.cookies.get(name), None)
        answer = RedirectResponse("./", 303, {"cache-control": "no-store"})
        for name in names:
            answer.delete_cookie(name)
        return answer


def _question(spoken: str) -> str:
    title, text, button = (escape(say(key, spoken)) for key in ("title", "logout_question", "logout"))
    return (
        f'<!doctype html><html lang="{spoken}"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><form method="post" action="logout">'
        f"<p>{text}</p><button>{button}</button></form></html>"
    )
