"""Work that is shared fairly between visitors: whose turn it is, and threads of its own for each kind of long work.

The server's common thread pool answers everybody, so nothing that may take long, or wait, runs in it: as many hostile
requests as it has threads would hold up every page.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from .owner import owner_of
from .sentences import PageError

ADDRESS_SHARE = 4  # an address may have so many times as many waiting requests as a visitor: it may be a class
_NOTHING = object()


class Visitor(NamedTuple):
    """Who asks: the cookie of a browser, or the session of a program, behind an address."""

    address: str = ""
    name: str = ""


def visitor_of(request, session: str | None = None) -> Visitor:
    """The visitor of a request of starlette's or gradio's; ``session`` is what a program calls its session."""
    host = getattr(getattr(request, "client", None), "host", None) or ""
    owner = owner_of(getattr(request, "cookies", None))
    session = session or getattr(request, "session_hash", None) or ""
    return Visitor(_network(str(host)), owner or f"session {session}"[:80])


def _network(host: str) -> str:
    """The address; of IPv6 the 64 bits that belong to one customer, who can choose the others for each request."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))


class Busy(PageError):
    """Too much is asked for at this moment; it may be asked for again."""


class FairQueue:
    """Items that wait by visitor, to be taken in turn: one of each address, and there of each visitor."""

    def __init__(self):
        self._waiting: OrderedDict[str, OrderedDict[str, deque]] = OrderedDict()

    def put(self, visitor: Visitor, item, first: bool = False) -> None:
        """Adds an item behind the visitor's others, or before them."""
        own = self._waiting.setdefault(visitor.address, OrderedDict()).setdefault(visitor.name, deque())
        (own.appendleft if first else own.append)(item)

    def __iter__(self):
        """(visitor, item), in the order in which they are due."""
        return iter(_in_turn(
            _in_turn([(Visitor(address, name), item) for item in items] for name, items in people.items())
            for address, people in self._waiting.items()
        ))  # fmt: skip

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self, visitor: Visitor, item) -> None:
        """Removes an item; its visitor and their address are the last in turn now."""
        people = self._waiting[visitor.address]
        people[visitor.name].remove(item)
        people.move_to_end(visitor.name)
        self._waiting.move_to_end(visitor.address)
        if not people[visitor.name]:
            del people[visitor.name]
        if not people:
            del self._waiting[visitor.address]


def _in_turn(lists: Iterable[list]) -> list:
    rounds = itertools.zip_longest(*lists, fillvalue=_NOTHING)
    return [item for items in rounds for item in items if item is not _NOTHING]


class Turns:
    """Threads for one kind of work.

    Args:
        at_once: pieces of work that run at the same time.
        each: of these, one visitor's; and an address never has all of them, unless ``whole_address``.
        asked: pieces of work of one visitor that run or wait; more is refused.
        most: of everybody.
    """

    def __init__(
        self, name: str, at_once: int, each: int = 1, asked: int = 8, most: int = 128, whole_address: bool = False
    ):
        self._limits = at_once, at_once if whole_address else max(1, at_once - 1), each
        self._most = most, asked * ADDRESS_SHARE, asked
        self._threads = ThreadPoolExecutor(most, name)
        self._lock = threading.Lock()
        self._waiting = FairQueue()
        self._running: Counter = Counter()  # by visitor, by address, and in all under None
        self._asked: Counter = Counter()

    async def run(self, visitor: Visitor, function: Callable, *arguments):
        """What ``function(*arguments)`` returns, once it is the visitor's turn. Raises as :meth:`submit`."""
        return await asyncio.wrap_future(self.submit(visitor, function, *arguments))

    def submit(self, visitor: Visitor, function: Callable, *arguments) -> Future:
        """The same as a future.

        Raises:
            Busy: the visitor, their address or everybody together have asked for too much that is not done.
        """
        names = None, visitor.address, visitor
        with self._lock:
            if self._asked[visitor] >= self._most[2]:
                raise Busy("own_busy")
            if any(self._asked[name] >= most for name, most in zip(names, self._most, strict=True)):
                raise Busy("busy")
            self._asked.update(names)
        future = self._threads.submit(self._work, visitor, function, arguments)
        future.add_done_callback(lambda done: done.cancelled() and self._forget(visitor))  # before a thread took it
        return future

    def pass_on(self, visitor: Visitor) -> None:
        """Called within work that is done in parts, between two of them: others whose turn it is go first."""
        if self._waiting:
            self._leave(visitor)
            self._enter(visitor)

    def _work(self, visitor: Visitor, function: Callable, arguments: tuple):
        self._enter(visitor)
        try:
            return function(*arguments)
        finally:
            self._forget(visitor)
            self._leave(visitor)

    def _forget(self, visitor: Visitor) -> None:
        with self._lock:
            _uncount(self._asked, visitor)

    def _enter(self, visitor: Visitor) -> None:
        turn = threading.Event()
        with self._lock:
            self._waiting.put(visitor, turn)
            self._grant()
        turn.wait()

    def _leave(self, visitor: Visitor) -> None:
        with self._lock:
            _uncount(self._running, visitor)
            self._grant()

    def _grant(self) -> None:
        """Wakes whoever is due and within the limits."""
        for visitor, turn in list(self._waiting):
            names = None, visitor.address, visitor
            if self._running[None] >= self._limits[0]:
                return
            if all(self._running[name] < most for name, most in zip(names, self._limits, strict=True)):
                self._waiting.take(visitor, turn)
                self._running.update(names)
                turn.set()


def _uncount(counts: Counter, visitor: Visitor) -> None:
    for name in (None, visitor.address, visitor):
        counts[name] -= 1
        if not counts[name]:
            del counts[name]
