"""Shares of gradio's queue: no visitor takes the place of others, and results that nobody fetches are forgotten."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable

from ...language import say
from ..language import language
from .owner import owner_of
from .quota import MAX_OF_ADDRESS, MAX_OF_SESSIONS, MAX_OF_VISITOR, MAX_WAITING, Quota
from .turns import Busy, Visitor, visitor_of

PATIENCE = 60.0  # seconds that a result waits to be fetched


class Refusal(str):
    """A sentence that gradio passes on, which also knows its key for code that answers without gradio."""

    def __new__(cls, key: str, spoken: str):
        sentence = super().__new__(cls, say(key, spoken))
        sentence.key = key
        return sentence


class Share:
    """Who has asked for what in the queue of a page, and whether they may ask for more.

    A request counts until its result was fetched. A browser is known by its cookie; programs have none, and could
    call their session differently each time, so all programs of an address have a share together too.

    Args:
        queue: gradio's, whose ``push`` and ``process_events`` this replaces.
    """

    def __init__(self, queue, quota: Quota, clock: Callable[[], float] = time.monotonic):
        self._queue, self._quota, self._clock = queue, quota, clock
        self._open: dict[str, tuple[Visitor, bool, str, float]] = {}  # event: visitor, whether a program, session, time
        self._past: Counter[tuple[Visitor, bool]] = Counter()  # past the queue: visitor, whether a program
        self._push, self._process = queue.push, queue.process_events
        queue.push, queue.process_events = self.push, self.process_events

    async def push(self, body, request, username):
        """As gradio's own, within the shares; a refusal looks as when gradio's queue is full."""
        visitor, program = visitor_of(request, body.session_hash), not owner_of(request.cookies)
        if too_much := self._too_much(visitor, program):
            return False, Refusal(too_much, language(request)), "queue_full"
        answer = await self._push(body, request, username)
        if answer[0]:
            self._open[answer[1]] = visitor, program, body.session_hash or "", self._clock()
        elif answer[2] == "queue_full":
            return False, Refusal("busy", language(request)), "queue_full"
        return answer

    @contextlib.contextmanager
    def holding(self, request):
        """Counts a request that goes past the queue as its visitor's while the block runs.

        Raises:
            Busy: they, their address or everybody together have asked for too much.
        """
        visitor, program = visitor_of(request), not owner_of(request.cookies)
        too_much = self._too_much(visitor, program)
        if too_much or self._past.total() >= MAX_WAITING:
            raise Busy(too_much or "busy")
        self._past[visitor, program] += 1
        try:
            yield
        finally:
            self._past[visitor, program] -= 1
            if not self._past[visitor, program]:
                del self._past[visitor, program]

    def _too_much(self, visitor: Visitor, program: bool) -> str:
        """The key of the sentence why the visitor may not ask for more now; "" where they may."""
        self._tidy()
        asked = [(who, of_program) for who, of_program, *_ in self._open.values()] + list(self._past.elements())
        near = [(who, of_program) for who, of_program in asked if who.address == visitor.address]
        if sum(who == visitor for who, _ in near) >= MAX_OF_VISITOR:
            return "own_busy"
        if len(near) >= MAX_OF_ADDRESS or (program and sum(of_program for _, of_program in near) >= MAX_OF_SESSIONS):
            return "busy"
        return ""

    async def process_events(self, events, batch, begin_time, fn):
        """As gradio's own; then drops sessions of programs with large answers, which each session would keep."""
        await self._process(events, batch, begin_time, fn)
        for event in events:
            if event.session_hash in self._quota.large_sessions and self._queue.server_app is not None:
                self._quota.large_sessions.discard(event.session_hash)
                self._queue.server_app.state_holder.session_data.pop(event.session_hash, None)

    def _tidy(self) -> None:
        """Forgets what is over, and frees results that nobody has fetched for long."""
        queue, now = self._queue, self._clock()
        under_way = {event._id for waiting in queue.event_queue_per_concurrency_id.values() for event in waiting.queue}
        under_way |= {event._id for job in queue.active_jobs if job for event in job}
        for event, (_, _, session, since) in list(self._open.items()):
            if event in under_way:
                continue
            unfetched = queue.pending_event_ids_session.get(session, set())
            if event not in unfetched:
                del self._open[event]
            elif now - since > PATIENCE:
                del self._open[event]
                unfetched.discard(event)
                if not unfetched:
                    queue.pending_event_ids_session.pop(session, None)
                    queue.pending_messages_per_session.pop(session, None)
