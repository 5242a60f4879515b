"""How much one visitor, one address and everybody together may ask for."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import gradio as gr

from .sentences import PageError
from .turns import Visitor, visitor_of

MAX_SAMPLES = 16  # of one request: more would keep a class waiting
MAX_WAITING = 256  # requests in the queue; beyond, the page says that it is busy
MAX_OF_VISITOR = 20  # waiting or being answered: a program that asks for more at once is told to wait
MAX_OF_ADDRESS = 160  # forty in a class behind one address, with four requests each
MAX_OF_SESSIONS = 96  # of an address by programs, which can name their sessions as they like
MAX_AT_ONCE = 64  # requests that wait for a pass at the same time; they cost no thread
VISITOR = (20, 3.0)  # requests at once, then each second: a person who drags and clicks stays below
# A class of forty behind one address stays below; a script that renames itself for each request does not.
ADDRESS = (400, 60.0)
REMEMBERED = 10_000  # visitors


class Buckets:
    """A token bucket for each name: ``burst`` requests at once, refilled by ``rate`` a second."""

    def __init__(self, burst: int, rate: float, clock: Callable[[], float] = time.monotonic):
        self._burst, self._rate, self._clock = burst, rate, clock
        self._buckets: OrderedDict[str | Visitor, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str | Visitor) -> float:
        """0 where the request may go on, else the seconds to wait."""
        now = self._clock()
        with self._lock:
            tokens, before = self._buckets.pop(name, (float(self._burst), now))
            tokens = min(self._burst, tokens + (now - before) * self._rate)
            allowed = tokens >= 1
            self._buckets[name] = (tokens - allowed, now)
            while len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._rate


class Quota:
    """What may be asked of one running page."""

    def __init__(self, visitor: tuple[int, float] = VISITOR, address: tuple[int, float] = ADDRESS):
        self._visitors, self._addresses = Buckets(*visitor), Buckets(*address)
        self.large_sessions: set[str] = set()  # of programs whose last answer is too large for gradio to keep

    def check(self, request: gr.Request | None) -> None:
        """Counts one request.

        Raises:
            PageError: the visitor, or their address, asked for too much; the sentence says how long to wait.
        """
        visitor = visitor_of(request)
        wait = max(self._visitors.take(visitor), self._addresses.take(visitor.address))
        if wait:
            raise PageError("too_fast", seconds=max(1, round(wait + 0.5)))
