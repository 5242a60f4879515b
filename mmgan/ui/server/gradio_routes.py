"""Which of gradio's routes this page needs. All others are closed, also those that a later gradio adds.

Much of what gradio serves is for pages of other kinds: files from the disk, files fetched from elsewhere, uploads into
a folder of its own, editing the program in the browser. ``tests/ui/server/test_routes_of_gradio.py`` compares the lists
with the gradio that is installed.
"""

from __future__ import annotations

import json
import re

from .door import TOOLS, refuse

NEEDED = (
    "GET /", "HEAD /", "GET /config", "GET /config/", "GET /assets/{path:path}", "GET /static/{path:path}",
    "GET /theme.css", "GET /favicon.ico", "GET /manifest.json", "GET /pwa_icon", "GET /robots.txt",
    "GET /gradio_api/startup-events",  # launch asks whether the server is up
    "GET /gradio_api/app_id",  # a page that lost its connection asks whether the server is still the same
    "GET /gradio_api/info", "GET /gradio_api/info/", "GET /gradio_api/openapi.json",
    "GET /gradio_api/call/{api_name}/{event_id}", "GET /gradio_api/call/v2/{api_name}/{event_id}",
    "GET /gradio_api/queue/data",
    f"GET {TOOLS}", f"GET {TOOLS}/", f"DELETE {TOOLS}", f"DELETE {TOOLS}/", f"GET {TOOLS}/schema",
)  # fmt: skip

# Requests whose body is checked: JSON without files (Questions below), and the login (mmgan/ui/server/login.py).
GUARDED = (
    "POST /gradio_api/run/{api_name}", "POST /gradio_api/run/{api_name}/",
    "POST /gradio_api/api/{api_name}", "POST /gradio_api/api/{api_name}/",
    "POST /gradio_api/call/{api_name}", "POST /gradio_api/call/{api_name}/",
    "POST /gradio_api/call/v2/{api_name}", "POST /gradio_api/call/v2/{api_name}/",
    "POST /gradio_api/queue/join", "POST /gradio_api/cancel", "POST /gradio_api/reset", "POST /gradio_api/reset/",
    f"POST {TOOLS}", f"POST {TOOLS}/",
    "POST /login", "POST /login/", "GET /logout", "POST /logout",
)  # fmt: skip

CLOSED = (
    # files of this machine, and of others
    "GET /gradio_api/file={path_or_url:path}", "HEAD /gradio_api/file={path_or_url:path}",
    "GET /gradio_api/file/{path:path}",
    "GET /gradio_api/proxy={url_path:path}", "HEAD /gradio_api/proxy={url_path:path}",
    "GET /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}", "GET /svelte/{path:path}",
    # they write to the disk for anybody; mmgan has uploads of its own, with limits
    "POST /gradio_api/upload", "GET /gradio_api/upload_progress", "POST /gradio_api/process_recording",
    "GET /gradio_api/deep_link",
    # streams, which no component here has
    "POST /gradio_api/stream/{event_id}", "POST /gradio_api/stream/{event_id}/close",
    "GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8",
    "GET /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}",
    "GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file",
    "GET /gradio_api/heartbeat/{session_hash}",  # only for gr.State, to notice when a page is closed
    # functions of components; the page has routes of its own
    "POST /gradio_api/component_server", "POST /gradio_api/component_server/",
    # editing and watching the program
    "GET /gradio_api/dev/reload", "POST /gradio_api/vibe-edit", "POST /gradio_api/vibe-edit/",
    "POST /gradio_api/undo-vibe-edit", "POST /gradio_api/undo-vibe-edit/",
    "GET /gradio_api/vibe-code", "GET /gradio_api/vibe-code/", "POST /gradio_api/vibe-code",
    "POST /gradio_api/vibe-code/", "POST /gradio_api/vibe-starter-queries", "POST /gradio_api/vibe-starter-queries/",
    "GET /monitoring", "GET /monitoring/summary", "GET /monitoring/{key}",
    "GET /gradio_api/profiling/traces", "GET /gradio_api/profiling/summary", "POST /gradio_api/profiling/clear",
    "GET /gradio_api/runs", "GET /gradio_api/runs/",
    # a login's token, which no script should get, and other things that nothing of ours asks
    "GET /gradio_api/token", "GET /gradio_api/token/", "GET /gradio_api/user", "GET /gradio_api/user/",
    "GET /gradio_api/login_check", "GET /gradio_api/login_check/", "GET /gradio_api/app_id/",
    "GET /gradio_api/queue/status", "GET /gradio_api/theme.css", "GET /pwa_icon/{size}", "GET /openapi.json",
    # MCP as it was before one address did for all of it
    f"GET {TOOLS}/sse", f"POST {TOOLS}/messages",
)  # fmt: skip


def _pattern(routes: tuple[str, ...]) -> re.Pattern:
    def path(route: str) -> str:
        parts = re.split(r"(\{[^}]*\})", route)
        return "".join((".*" if p.endswith(":path}") else "[^/]+") if p[:1] == "{" else re.escape(p) for p in parts)

    return re.compile("|".join(map(path, routes)), re.DOTALL)


_OPEN, _KNOWN = _pattern(NEEDED + GUARDED), _pattern(NEEDED + GUARDED + CLOSED)
_QUESTIONS = _pattern(tuple(route for route in GUARDED if route.startswith("POST /gradio_api/")))


class OnlyNeeded:
    """Lets through the routes that are needed, and guarded requests after a look at their body."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":  # nothing here needs one
            await refuse(scope, receive, send, 403, "door_closed", {})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        route = f"{scope['method']} {scope['path']}"
        if not _OPEN.fullmatch(route):
            known = _KNOWN.fullmatch(route)
            await refuse(scope, receive, send, *((403, "door_closed", {}) if known else (404, "door_not_found", {})))
            return
        if _QUESTIONS.fullmatch(route):
            receive, problem = await _looked_at(scope, receive)
            if problem is not None:
                await refuse(scope, receive, send, *problem)
                return
        await self.app(scope, receive, send)


async def _looked_at(scope, receive):
    """A ``receive`` that gives the request's body once more, and why it is refused, if it is.

    gradio copies files that a question names into its own folder, or fetches them, before any function of ours is
    called, and reads forms into files. The length was checked before (mmgan/ui/server/throttle.py).
    """
    headers = dict(scope["headers"])
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        return receive, (415, "door_json", {})
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":  # the caller went away; the next reader gets the same message
            return _again(message, receive), None
        body, more = body + message.get("body", b""), message.get("more_body", False)
    try:
        question = json.loads(body)  # as gradio will do
    except (ValueError, RecursionError):
        return receive, (400, "door_json", {})
    if _names_file(question):
        return receive, (400, "door_files", {})
    return _again({"type": "http.request", "body": body, "more_body": False}, receive), None


def _again(message: dict, receive):
    first = [message]

    async def receiving():
        return first.pop() if first else await receive()

    return receiving


def _names_file(question) -> bool:
    """Whether anything in a question is a file in gradio's way: an object with a "meta" that says its type."""
    left = [question]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "meta" in value or "_type" in value:
                return True
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
    return False
