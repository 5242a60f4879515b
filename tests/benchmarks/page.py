"""The page under its visitors: many at the same moment, and thirty for minutes while a run trains."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import psutil
import torch

from mmgan.errors import MmganError

from .measure import COMPARED, Part, compare, interleave, percentile95
from .subjects import Setup, fresh_prompts

AT_ONCE = 16
PAUSE_SECONDS = 5.0  # between a visitor's requests, on average: to look and listen
SAMPLES = 4  # of a request, as the page asks for


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(client: httpx.Client, url: str, visitor: str, prompt: str, num_samples: int = 1, seed: int = 0) -> float:
    """One request as gradio's clients make it; the seconds until the samples are there."""
    start = time.perf_counter()
    question = {"data": [prompt, num_samples, seed, 1.0, ""], "session_hash": visitor}
    call = client.post(f"{url}/gradio_api/call/sample", json=question)
    call.raise_for_status()
    answer = client.get(f"{url}/gradio_api/call/sample/{call.json()['event_id']}").text
    if "event: complete" not in answer:
        raise RuntimeError(answer[-300:])
    return time.perf_counter() - start


@contextlib.contextmanager
def served(setup: Setup):
    """The page of the model as a process of its own, as for people: (its address, what tells its CPU time so far)."""
    port = free_port()
    url, nowhere = f"http://127.0.0.1:{port}", str(Path(tempfile.gettempdir()) / "no-runs-here")
    server = _command("app", "--port", str(port), "--device", "cpu", "--runs", nowhere, threads=torch.get_num_threads())
    try:
        _wait_for(url, server)
        times = psutil.Process(server.pid).cpu_times
        yield url, lambda: sum(times()[:2])
    finally:
        server.terminate()
        server.wait(timeout=60)


@contextlib.contextmanager
def people(url: str):
    """A program that visits the page: ask(prompts, at once or not) -> the seconds that each waited."""
    command = [sys.executable, str(Path(__file__).with_name("visitors.py")), url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(prompts: list[str], at_once: bool) -> list[float]:
            print(json.dumps([prompts, at_once]), file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield ask


def visitors(setup: Setup) -> Part:
    """16 visitors at the same moment against as many one after the other, through HTTP as the page asks.

    Every prompt is new, so that the page has nothing to remember.
    """
    fresh = fresh_prompts(1)

    def sixteen():
        return [next(fresh) for _ in range(AT_ONCE)]

    with served(setup) as (url, cpu), people(url) as ask:
        ways = {"at once": lambda: ask(sixteen(), True), "one by one": lambda: ask(sixteen(), False)}
        timings = interleave(ways, setup.count(16, 1), 3, cpu=cpu)
    values = compare(timings["at once"], timings["one by one"])
    values |= {
        f"{name}_wait_p95_ms": 1e3 * percentile95(np.concatenate(timings[way].returned))
        for name, way in (("at_once", "at once"), ("one_by_one", "one by one"))
    }
    columns = [*COMPARED, "at once: longest waits (p95) ms", "one by one ms"]
    title = f"7. The page: {AT_ONCE} visitors at once against as many one by one, one new prompt each"
    notes = ["CPU time is the server's, a process of its own; the visitors are another, though on the same processor."]
    return Part(title, columns, [["all of them", *values.values()]], values, notes)


def alone(setup: Setup) -> Part:
    """One visitor with a new prompt, through HTTP as the page asks, against the pipeline called from Python.

    The page is a process of its own: in this one its compute threads and ours would wait for each other.
    """
    rounds = setup.rounds_of_prompts(1)
    with served(setup) as (url, _), people(url) as ask:
        ways = {
            "page": lambda: ask(rounds("page"), False)[0],
            "pipeline": lambda: setup.pipeline(rounds("pipeline"), num_samples=1) and None,
        }
        timings = interleave(ways, setup.count(100, 2), 5)
    page, own = 1e3 * float(np.median(timings["page"].returned)), 1e3 * timings["pipeline"].median
    values = {"page_ms": page, "pipeline_ms": own, "ratio": page / own}
    columns = ["", "page ms", "pipeline ms", "page / pipeline"]
    return Part("7b. The page: one visitor, one new prompt", columns, [["one sample", *values.values()]], values, [])


def soak(setup: Setup) -> Part:
    """Visitors who sample for minutes while a run trains: errors, waits, and the server's memory.

    The page, the training and the visitors are processes of their own, as in a class. Half of the prompts are new,
    half are asked for again and again.
    """
    minutes, number = setup.minutes, setup.clients
    with tempfile.TemporaryDirectory() as folder:
        port, runs = free_port(), Path(folder) / "runs"
        server = _command("app", "--port", str(port), "--device", "cpu", "--runs", str(runs))
        trainer = _command(
            "train", "--data", setup.data, "--preset", "tiny", "--minutes", str(minutes + 5), "--nice", "10",
            "--out", str(runs / "soak"),
        )  # fmt: skip
        try:
            url, process = f"http://127.0.0.1:{port}", psutil.Process(server.pid)
            _wait_for(url, server)
            end = time.monotonic() + 60 * minutes
            memory: list[tuple[float, float]] = []
            with ThreadPoolExecutor(number) as threads:
                visits = [threads.submit(_visit, url, seed, end) for seed in range(number)]
                while time.monotonic() < end:
                    time.sleep(min(2.0, max(0.0, end - time.monotonic())))
                    memory.append((time.monotonic(), process.memory_info().rss / 2**20))
                results = [visit.result() for visit in visits]
            trained = trainer.poll() is None
        finally:
            for child in (trainer, server):
                child.terminate()
                child.wait(timeout=60)
    waits = [wait for found, _ in results for wait in found]
    errors = [error for _, found in results for error in found]
    return _soaked(minutes, number, waits, errors, [mib for _, mib in memory], trained)


def _soaked(minutes, number, waits, errors, memory, trained) -> Part:
    quarter = max(1, len(memory) // 4)
    early, late = float(np.median(memory[quarter : 2 * quarter] or memory)), float(np.median(memory[-quarter:]))
    waits = waits or [float("nan")]
    values = {
        "requests": len(waits), "errors": len(errors), "median_ms": 1e3 * float(np.median(waits)),
        "p95_ms": 1e3 * percentile95(waits), "max_ms": 1e3 * max(waits), "memory_mib": late,
        "growth_mib": late - early,
    }  # fmt: skip
    columns = ["", "requests", "errors", "median ms", "p95 ms", "max ms", "server MiB", "growth MiB"]
    notes = [
        f"{SAMPLES} samples a request, {PAUSE_SECONDS:g} s between a visitor's requests on average; a run "
        f"{'trained all the while' if trained else 'DID NOT TRAIN to the end'}.",
        "Growth: the median of the last quarter of the time over that of the second.",
        *sorted({f"error: {error}" for error in errors})[:5],
    ]
    title = f"8. Soak: {number} visitors for {minutes:g} minutes"
    return Part(title, columns, [["all of them", *values.values()]], values | {"trained": trained}, notes)


def _command(*arguments: str, threads: int = 1) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", "mmgan.cli", *arguments], env=environment, **quiet)


def _wait_for(url: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with httpx.Client(trust_env=False, timeout=5) as client:
                client.get(url)
                ask(client, url, "first", "a handwritten seven")
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise MmganError("The page did not come up; start it with `mmgan app` to see why.")


def _visit(url: str, seed: int, end: float) -> tuple[list[float], list[str]]:
    """One visitor until ``end``: seconds of each request, and what went wrong."""
    chance, fresh = random.Random(seed), fresh_prompts(seed)
    known = [next(fresh) for _ in range(4)]
    waits, errors = [], []
    with httpx.Client(trust_env=False, timeout=60) as client:
        time.sleep(chance.uniform(0, PAUSE_SECONDS))
        while time.monotonic() < end:
            try:
                prompt = chance.choice(known) if chance.random() < 0.5 else next(fresh)
                of_samples = chance.choice([0, 0, chance.randrange(1_000)])
                waits.append(ask(client, url, f"visitor-{seed}", prompt, SAMPLES, seed=of_samples))
            except (httpx.HTTPError, RuntimeError) as error:
                errors.append(f"{type(error).__name__}: {str(error)[:200]}")
            time.sleep(min(chance.expovariate(1 / PAUSE_SECONDS), max(0.0, end - time.monotonic())))
    return waits, errors
