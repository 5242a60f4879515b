"""Ends connections that stop halfway through a request, so that nobody can occupy the server by doing nothing."""

from __future__ import annotations

import asyncio
import threading
import time

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse

HEAD_SECONDS = 60.0  # from connecting, or from the last answer, to the end of a request's head
BODY_SECONDS = 60.0  # between two pieces of a request's body; a phone that changes its network takes less
LOOK_SECONDS = 5.0  # between two checks of the connections


class EndStalled:
    """Answers 408 and closes the connection where the rest of a request's body does not come."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        whole = stalled = started = False

        async def patient():
            nonlocal whole, stalled
            if whole:  # from here on it waits for the other side to leave, which may take hours
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), 0 if stalled else BODY_SECONDS)
            except asyncio.TimeoutError:
                stalled = True
                return {"type": "http.disconnect"}
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def closing(message):
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if stalled:
                    MutableHeaders(raw=message["headers"])["connection"] = "close"
            await send(message)

        try:
            await self.app(scope, patient, closing)
        except Exception:
            if not stalled:
                raise
        if stalled and not started:
            late = PlainTextResponse("The rest of the request did not come; send it again.", status_code=408)
            await late(scope, receive, closing)


def end_stalled_heads(server) -> threading.Thread:
    """Starts a thread that closes connections of a uvicorn server whose request's head stays unfinished.

    The server itself ends idle connections, but waits for ever once the first byte of a head has come.
    """
    thread = threading.Thread(target=_look, args=(server,), name="mmgan-stalled", daemon=True)
    thread.start()
    return thread


def _look(server) -> None:
    since: dict = {}  # by connection: its last request, and since when the next one is awaited
    while not server.should_exit:
        time.sleep(min(LOOK_SECONDS, HEAD_SECONDS / 4))
        now, waiting = time.monotonic(), {}
        for connection in list(server.server_state.connections):
            cycle = getattr(connection, "cycle", since)  # a WebSocket has none, and may be silent for hours
            if cycle is since or not (cycle is None or cycle.response_complete):
                continue
            before = since.get(connection)
            waiting[connection] = before if before is not None and before[0] is cycle else (cycle, now)
            if now - waiting[connection][1] > HEAD_SECONDS:
                connection.loop.call_soon_threadsafe(connection.transport.close)
        since = waiting
