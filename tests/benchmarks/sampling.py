"""From a prompt to the bytes of a picture and a sound, one at a time and many at once."""

from __future__ import annotations

import io
import time

import numpy as np

from mmgan import Pipeline
from mmgan.audio import write_wav

from .measure import Part, interleave, percentile95
from .subjects import Setup

AIM_MS = 80  # issue 2: one prompt to picture and wav, text included
STAGES = ("text", "generator", "vocoder", "encoding", "rest", "total")
AT_ONCE = 16


def deliver(pipeline: Pipeline, prompt: str) -> dict[str, float]:
    """One prompt -> PNG and WAV bytes; milliseconds by stage."""
    start = time.perf_counter()
    out = pipeline(prompt)
    made = time.perf_counter()
    out.images[0].save(io.BytesIO(), "PNG")
    write_wav(io.BytesIO(), out.audio[0], out.sampling_rate)
    end = time.perf_counter()
    stages = {**out.milliseconds, "encoding": 1e3 * (end - made)}
    return {**stages, "rest": 1e3 * (made - start) - sum(out.milliseconds.values()), "total": 1e3 * (end - start)}


def latency(setup: Setup) -> Part:
    """One prompt -> picture and wav on the CPU: prompts never seen before, against one prompt repeated."""
    start = time.perf_counter()
    pipeline, calls = setup.pipeline, setup.count(100, 5)
    pipeline.warm_up()
    loaded = time.perf_counter() - start
    timings = interleave(
        {
            "fresh": lambda: deliver(pipeline, next(setup.prompts)),
            "repeated": lambda: deliver(pipeline, "a handwritten seven"),
        },
        calls,
        warm_up=setup.count(5, 1),
    )
    stages = {
        kind: {
            stage: {
                "median_ms": float(np.median([r[stage] for r in timing.returned])),
                "p95_ms": percentile95([r[stage] for r in timing.returned]),
            }
            for stage in STAGES
        }
        for kind, timing in timings.items()
    }
    rows = [
        [stage, *(stages[kind][stage][what] for kind in stages for what in ("median_ms", "p95_ms"))] for stage in STAGES
    ]
    fresh = timings["fresh"]
    values = {
        **stages, "calls": calls, "aim_ms": AIM_MS, "load_and_first_call_s": loaded,
        "cpu_ms": {kind: 1e3 * timing.cpu_median for kind, timing in timings.items()},
        "computing": fresh.computing,
    }  # fmt: skip
    notes = [
        f"{calls} calls each after a warm-up; aim: a fresh prompt's total under {AIM_MS} ms. CPU time of a fresh "
        f"prompt: {1e3 * fresh.cpu_median:.1f} ms.",
        f"Loading the model and the text encoder, with the first sample: {loaded:.2f} s.",
    ]
    columns = ["ms", "fresh median", "fresh p95", "repeated median", "repeated p95"]
    return Part("1. Latency: one prompt -> PNG and WAV bytes on the CPU", columns, rows, values, notes)


def batching(setup: Setup) -> Part:
    """16 prompts in one call against 16 calls, with fresh and with remembered prompts."""
    pipeline = setup.pipeline
    known = [next(setup.prompts) for _ in range(AT_ONCE)]
    timings = interleave(
        {
            "fresh, at once": lambda: pipeline([next(setup.prompts) for _ in range(AT_ONCE)]),
            "fresh, one by one": lambda: [pipeline(next(setup.prompts)) for _ in range(AT_ONCE)],
            "repeated, at once": lambda: pipeline(known),
            "repeated, one by one": lambda: [pipeline(prompt) for prompt in known],
        },
        setup.count(8, 1),
    )
    for timing in timings.values():
        timing.returned.clear()
    values, rows = {}, []
    for kind in ("fresh", "repeated"):
        once, each = timings[f"{kind}, at once"], timings[f"{kind}, one by one"]
        values[kind] = {
            "at_once_ms": 1e3 * once.median, "one_by_one_ms": 1e3 * each.median,
            "ratio": each.median / once.median, "cpu_ratio": each.cpu_median / once.cpu_median,
        }  # fmt: skip
        rows.append([f"{kind} prompts", *values[kind].values()])
    columns = ["", "at once ms", "one by one ms", "times faster", "by CPU time"]
    notes = [
        "On the CPU the networks run in passes of four rows, padded if need be, so that a sample does not depend on "
        "what else is in its batch; text encoder and vocoder, which gains nothing by batches there, run row by row."
    ]
    return Part(f"2. Batching: {AT_ONCE} prompts at once against one by one", columns, rows, values, notes)
