"""Threads that make everybody's samples: requests that come while a pass runs share the next one.

A pass takes well under a second, and visitors take turns: a request too large for one pass goes on in a later one.
Models that cost much more than those that ship have a thread of their own on one core, so that nobody who samples from
the others waits for them.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...config import ModelConfig
from ...language import Message
from ...models.cost import sample_cost
from ...system.workers import spread, work_alone
from ..server.turns import FairQueue, Visitor

ROWS = 64  # samples of one pass; what does not fit waits for the next, so that nobody waits for more than these
VISITOR_ROWS, ADDRESS_ROWS = 8, 32  # of these, what one visitor of the page and one address have
FEWEST_ROWS = 4  # of a pass of a costly model: the generator makes so many at a time anyway
# A pass waits for who comes within so many seconds of the first, then of one another, and for no more than so many in
# all: the server's one thread needs a millisecond for each request, and who comes too late waits for the whole pass.
GATHER_FIRST, GATHER_NEXT, GATHER_MOST = 0.002, 0.003, 0.025
COSTLY_ROWS = ROWS // 2  # a model of whose samples a pass holds fewer is costly


@dataclass
class Made:
    """What one request got out of a pass."""

    images: list[Image.Image]
    audio: np.ndarray  # float32 [n, samples], -1..1
    mels: np.ndarray  # float32 [n, bands, frames]
    device: str
    notice: Message | None
    milliseconds: float  # of the whole pass
    company: int  # requests in the pass, this one included

    @property
    def size(self) -> int:
        """Bytes, about, with the pictures of the sounds."""
        return self.audio.nbytes + 4 * self.mels.size + sum(3 * i.width * i.height for i in self.images)


@dataclass(eq=False)
class _Request:
    pipeline: object
    rows: Callable[[], tuple[Tensor, Tensor]]
    count: int
    prompts: tuple[str, ...] = ()
    visitor: Visitor = Visitor()
    finish: Callable[[Made], object] | None = None
    future: Future = field(default_factory=Future)
    ready: tuple[Tensor, Tensor] | None = None  # the result of rows()
    parts: list[Made] = field(default_factory=list)  # what has been made

    @property
    def made(self) -> int:
        return sum(len(part.images) for part in self.parts)


_rows: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # of pipelines: what rows_of gave, a millisecond's work


def rows_of(pipeline) -> int:
    """Samples that a pass of the pipeline holds, so that passes of all models take about as long."""
    if pipeline not in _rows:
        own, usual = sample_cost(pipeline.config), sample_cost(ModelConfig().with_channels(3))
        _rows[pipeline] = max(FEWEST_ROWS, min(ROWS, int(ROWS * usual.multiply_adds / own.multiply_adds)))
    return _rows[pipeline]


class Batchers:
    """One :class:`Batcher` for models about as costly as those that ship, and one for costlier ones."""

    def __init__(self):
        self._usual, self._costly = Batcher(), Batcher(alone=True)

    def submit(self, pipeline, *arguments, **named) -> Future:
        """See :meth:`Batcher.submit`."""
        chosen = self._costly if rows_of(pipeline) < COSTLY_ROWS else self._usual
        return chosen.submit(pipeline, *arguments, **named)


class Batcher:
    """Collects requests and answers them in shared forward passes, in which visitors take turns.

    A pipeline's results do not depend on what else is in a pass, so nobody sees that others were there.

    Args:
        alone: computes on one core.
    """

    def __init__(self, rows: int = ROWS, alone: bool = False):
        self._limit, self._alone = rows, alone
        self._waiting = FairQueue()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(
        self, pipeline, rows: Callable[[], tuple[Tensor, Tensor]], count: int, prompts: tuple[str, ...] = (),
        visitor: Visitor = Visitor(), finish: Callable[[Made], object] | None = None,
    ) -> Future:  # fmt: skip
        """Asks for ``count`` samples; ``rows()`` gives their embeddings [count, 384] and latents [count, latent_dim].

        ``prompts`` are those that ``rows`` embeds; they are embedded together with those of the others in the pass, and
        the text encoder remembers them until ``rows`` asks.

        The future's result is a :class:`Made`, or what ``finish`` makes of it, which draws and writes: the threads that
        compute share that work among them, where the server's one thread would do it for one visitor after the other.

        Its exception is whatever ``rows``, the pipeline or ``finish`` raised for this request, never for another one.
        """
        request = _Request(pipeline, rows, count, prompts, visitor, finish)
        with self._changed:
            self._waiting.put(visitor, request)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="mmgan-sampling", daemon=True)
                self._thread.start()
            self._changed.notify()
        return request.future

    def _work(self) -> None:
        if self._alone:
            work_alone()
        while True:
            chosen = [(r, n) for r, n in self._next() if r.parts or r.future.set_running_or_notify_cancel()]
            if chosen:
                self._answer(chosen)

    def _next(self) -> list[tuple[_Request, int]]:
        """The request that is due and those that fit into its pass, each with how many of its samples do."""
        with self._changed:
            idle = not self._waiting
            while not self._waiting:
                self._changed.wait()
            several, end = idle and len([*self._waiting]) > 1, time.monotonic() + GATHER_MOST
            while self._changed.wait(min(GATHER_NEXT if several else GATHER_FIRST, end - time.monotonic())):
                several = True  # a class that presses the button together shares its first pass too
            chosen, total, taken = [], 0, Counter()
            pipeline, limit = None, self._limit
            for visitor, request in self._waiting:
                if pipeline is None:
                    pipeline, limit = request.pipeline, min(self._limit, rows_of(request.pipeline))
                most = min(limit, VISITOR_ROWS) if visitor.address else limit
                count = min(request.count - request.made, most)
                if request.pipeline is pipeline and total + count <= limit and _within(taken, visitor, count):
                    chosen.append((visitor, request, count))
                    taken.update({visitor: count, visitor.address: count})
                    total += count
            for visitor, request, _ in chosen:
                self._waiting.take(visitor, request)
            return [(request, count) for _, request, count in chosen]

    def _answer(self, chosen: list[tuple[_Request, int]]) -> None:
        start, ready = time.perf_counter(), []
        prompts = [prompt for request, _ in chosen if request.ready is None for prompt in request.prompts]
        if len(prompts) > 1:
            with contextlib.suppress(Exception):  # a bad request fails again below, alone
                chosen[0][0].pipeline.embed(prompts)
        for request, count in chosen:
            try:
                request.ready = request.ready or request.rows()
                ready.append((request, count))
            except BaseException as error:
                request.future.set_exception(error)
        try:
            if ready:
                self._pass(ready, start)
        except BaseException as error:
            if len(ready) == 1:
                ready[0][0].future.set_exception(error)
                return
            for alone in ready:  # one of them may be the cause; the others should not suffer
                try:
                    self._pass([alone], time.perf_counter())
                except BaseException as own:
                    alone[0].future.set_exception(own)

    def _pass(self, ready: list[tuple[_Request, int]], start: float) -> None:
        parts = [[x[r.made : r.made + count] for x in r.ready] for r, count in ready]
        embeddings, latents = (torch.cat(each) for each in zip(*parts, strict=True))
        out = ready[0][0].pipeline(embeddings=embeddings, latents=latents)
        milliseconds, first = 1e3 * (time.perf_counter() - start), 0
        for request, count in ready:
            rows = slice(first, first + count)
            first += count
            request.parts.append(
                Made(
                    out.images[rows], out.audio[rows].copy(), out.mels[rows].copy(), out.device, out.notice,
                    milliseconds, len(ready),
                )
            )  # fmt: skip
            if request.made < request.count:
                with self._changed:
                    self._waiting.put(request.visitor, request, first=True)
        spread(_finish, [request for request, _ in ready if request.made >= request.count])


def _finish(request: _Request) -> None:
    try:
        made = _joined(request.parts)
        result = request.finish(made) if request.finish else made
    except BaseException as error:
        request.future.set_exception(error)
    else:
        request.future.set_result(result)


def _within(taken: Counter, visitor: Visitor, count: int) -> bool:
    """Whether so many more samples fit the visitor's and the address's shares; requests from Python may use all."""
    return not visitor.address or (
        taken[visitor] + count <= VISITOR_ROWS and taken[visitor.address] + count <= ADDRESS_ROWS
    )


def _joined(parts: list[Made]) -> Made:
    if len(parts) == 1:
        return parts[0]
    return Made(
        [image for part in parts for image in part.images], np.concatenate([part.audio for part in parts]),
        np.concatenate([part.mels for part in parts]), parts[-1].device, parts[-1].notice,
        sum(part.milliseconds for part in parts), max(part.company for part in parts),
    )  # fmt: skip
