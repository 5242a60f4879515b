"""One thread makes the samples of everybody: what is asked for while a pass runs goes into the next one, together."""

from __future__ import annotations

import collections
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor

ROWS = 64  # samples of one pass; what does not fit waits for the next, so that nobody waits for more than these


@dataclass
class Made:
    """What one request got out of a pass."""

    images: list[Image.Image]
    audio: np.ndarray  # float32 [n, samples], -1..1
    mels: np.ndarray  # float32 [n, bands, frames]
    device: str
    notice: str
    milliseconds: float  # of the whole pass
    company: int  # requests in the pass, this one included


@dataclass
class _Request:
    pipeline: object
    rows: Callable[[], tuple[Tensor, Tensor]]
    count: int
    prompts: tuple[str, ...] = ()
    future: Future = field(default_factory=Future)


class Batcher:
    """Collects requests and answers them in shared forward passes, in the order in which they came.

    A pipeline's results do not depend on what else is in a pass, so nobody sees that others were there.
    """

    def __init__(self, rows: int = ROWS):
        self._limit = rows
        self._waiting: collections.deque[_Request] = collections.deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(
        self, pipeline, rows: Callable[[], tuple[Tensor, Tensor]], count: int, prompts: tuple[str, ...] = ()
    ) -> Future:
        """Asks for ``count`` samples; ``rows()`` gives their embeddings [count, 384] and latents [count, latent_dim].

        ``prompts`` are those that ``rows`` embeds; they are embedded together with those of the others in the pass, and
        the text encoder remembers them until ``rows`` asks.

        The future's result is a :class:`Made`; its exception is whatever ``rows`` or the pipeline raised for this
        request, never for another one.
        """
        request = _Request(pipeline, rows, count, prompts)
        with self._changed:
            self._waiting.append(request)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="mmgan-sampling", daemon=True)
                self._thread.start()
            self._changed.notify()
        return request.future

    def _work(self) -> None:
        while True:
            requests = [r for r in self._next() if r.future.set_running_or_notify_cancel()]
            if requests:
                self._answer(requests)

    def _next(self) -> list[_Request]:
        """The oldest request, and those behind it that fit into its pass."""
        with self._changed:
            while not self._waiting:
                self._changed.wait()
            chosen = [self._waiting.popleft()]
            total = chosen[0].count
            for request in list(self._waiting):
                if request.pipeline is chosen[0].pipeline and total + request.count <= self._limit:
                    self._waiting.remove(request)
                    chosen.append(request)
                    total += request.count
            return chosen

    def _answer(self, requests: list[_Request]) -> None:
        start, ready = time.perf_counter(), []
        prompts = [prompt for request in requests for prompt in request.prompts]
        if len(prompts) > 1:
            with contextlib.suppress(Exception):  # a bad one fails again below, and alone
                requests[0].pipeline.embed(prompts)
        for request in requests:
            try:
                ready.append((request, *request.rows()))
            except BaseException as error:
                request.future.set_exception(error)
        try:
            if ready:
                self._pass(ready, start)
        except BaseException as error:
            if len(ready) == 1:
                ready[0][0].future.set_exception(error)
                return
            for alone in ready:  # one of them may be the cause, and the others should not suffer
                try:
                    self._pass([alone], time.perf_counter())
                except BaseException as own:
                    alone[0].future.set_exception(own)

    def _pass(self, ready: list, start: float) -> None:
        _, embeddings, latents = zip(*ready, strict=True)
        out = ready[0][0].pipeline(embeddings=torch.cat(embeddings), latents=torch.cat(latents))
        milliseconds, first = 1e3 * (time.perf_counter() - start), 0
        for request, own, _ in ready:
            rows = slice(first, first + len(own))
            first += len(own)
            request.future.set_result(
                Made(
                    out.images[rows], out.audio[rows].copy(), out.mels[rows].copy(), out.device, out.notice or "",
                    milliseconds, len(ready),
                )
            )  # fmt: skip
