"""What every request passes before anything is read of it: how large it may be, and how many of them come."""

from __future__ import annotations

import asyncio
from collections import Counter

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from ...data.limits import mebibytes
from ...language import say
from ..language import language
from .assets import SCRIPTS
from .door import refuse
from .owner import owner_of
from .quota import Buckets
from .turns import Visitor, visitor_of

LARGEST = 1 << 20  # bytes of a request; larger ones have routes of their own
UPLOADS = ("/collect/", "/gradio_api/upload")  # these have limits of their own, or are closed
# Files; a page begins by fetching a hundred.
FREE = (SCRIPTS, "/assets/", "/static/", "/svelte/", "/theme.css", "/favicon.ico")
# Requests at once, then each second, before further ones are held back. A page makes one or two requests a second, and
# some tens for files and thumbnails when it opens; a whole class may be behind one address.
OF_VISITOR, OF_ADDRESS = (200, 60.0), (1_500, 300.0)
MOST_HELD = 60  # requests of one visitor that are held back at a time
MOST_SECONDS = 5.0


class Throttle:
    """Holds back who sends more requests than any page does, so that serving them leaves time for the others."""

    def __init__(self, app, visitor: tuple[int, float] = OF_VISITOR, address: tuple[int, float] = OF_ADDRESS):
        self.app = app
        self._visitors, self._addresses = Buckets(*visitor), Buckets(*address)
        self._held: Counter = Counter()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and not scope.get("path", "").startswith(FREE):
            connection = HTTPConnection(scope)
            visitor = visitor_of(connection)
            if not owner_of(connection.cookies):
                # Programs of an address have no names here, so all that make the same request count as one.
                visitor = Visitor(visitor.address, "/".join(scope.get("path", "").split("/")[:4])[:80])
            if not await self._wait(visitor):
                refusal = PlainTextResponse(say("own_busy", language(connection)), 429, {"retry-after": "5"})
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _wait(self, visitor: Visitor) -> bool:
        """Whether it is the visitor's turn, after a while perhaps; False where too many wait or it takes too long."""
        if self._held[visitor] >= MOST_HELD:
            return False
        self._held[visitor] += 1
        try:
            waited = 0.0
            while wait := max(self._visitors.take(visitor), self._addresses.take(visitor.address)):
                if waited > MOST_SECONDS:
                    return False
                wait += 0.05 * self._held[visitor]  # the more are waiting, the later the next tries again
                waited += wait
                await asyncio.sleep(wait)
            return True
        finally:
            self._held[visitor] -= 1
            if not self._held[visitor]:
                del self._held[visitor]


class RefuseLarge:
    """gradio reads every request whole into memory before it looks at it."""

    def __init__(self, app, largest: int = LARGEST):
        self.app, self.largest = app, largest

    async def __call__(self, scope, receive, send):
        bounded = scope["type"] == "http" and scope["method"] not in ("GET", "HEAD")
        if not bounded or scope.get("path", "").startswith(UPLOADS):
            await self.app(scope, receive, send)
            return
        messages, size, more = [], 0, True
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        while more and size <= self.largest and (not length.isdigit() or int(length[:20]) <= self.largest):
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
        if more or size > self.largest:
            await refuse(scope, receive, send, 413, "door_large", {"size": mebibytes(self.largest)})
            return

        async def again():
            return messages.pop(0) if messages else await receive()

        await self.app(scope, again, send)
