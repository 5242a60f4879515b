"""The page under its visitors: many at the same moment, and thirty for minutes while a run trains."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from mmgan.ui import app
from mmgan.ui.sampling import Sampler
from mmgan.ui.settings import Settings

from .measure import Part, interleave, percentile95
from .subjects import Setup, fresh_prompts

AT_ONCE = 16
PAUSE_SECONDS = 2.0  # between a visitor's requests, on average: to look and listen


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(client: httpx.Client, url: str, prompt: str, num_samples: int = 1, seed: int = 0) -> float:
    """One request as gradio's clients make it; the seconds until the samples are there."""
    start = time.perf_counter()
    call = client.post(f"{url}/gradio_api/call/sample", json={"data": [prompt, num_samples, seed, 1.0, ""]})
    call.raise_for_status()
    answer = client.get(f"{url}/gradio_api/call/sample/{call.json()['event_id']}").text
    if "event: complete" not in answer:
        raise RuntimeError(answer[-300:])
    return time.perf_counter() - start


def visitors(setup: Setup) -> Part:
    """16 visitors at the same moment against the same 16 one after the other, through HTTP and the page's queue."""
    sampler = Sampler(load=lambda name: setup.pipeline, models=("digits",))
    port = free_port()
    settings = Settings(port=port, runs=Path(tempfile.gettempdir()) / "no-runs-here")
    demo = app.build(sampler, settings)
    app.serve(demo, settings)
    url, prompts = f"http://127.0.0.1:{port}", fresh_prompts()
    clients = [httpx.Client(trust_env=False, timeout=120) for _ in range(AT_ONCE)]
    threads = ThreadPoolExecutor(AT_ONCE)

    def at_once() -> list[float]:
        asked = [next(prompts) for _ in clients]
        return list(threads.map(lambda client, prompt: ask(client, url, prompt), clients, asked))

    def one_by_one() -> list[float]:
        return [ask(client, url, next(prompts)) for client in clients]

    try:
        timings = interleave({"at once": at_once, "one by one": one_by_one}, setup.count(6, 1))
    finally:
        demo.close(verbose=False)
        threads.shutdown()
    once, each = timings["at once"], timings["one by one"]
    waits = [second for timing in once.returned for second in timing]
    values = {
        "at_once_ms": 1e3 * once.median, "one_by_one_ms": 1e3 * each.median, "ratio": each.median / once.median,
        "cpu_ratio": each.cpu_median / once.cpu_median, "wait_p95_ms": 1e3 * percentile95(waits),
    }  # fmt: skip
    columns = ["", "at once ms", "one by one ms", "times faster", "by CPU time", "longest waits (p95) ms"]
    title = f"7. The page: {AT_ONCE} visitors at once against one by one, one new prompt each"
    notes = ["Server and clients share this process, so that CPU times hold what HTTP and JSON cost on both sides."]
    return Part(title, columns, [["all of them", *values.values()]], values, notes)
