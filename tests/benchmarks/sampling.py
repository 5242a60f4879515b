"""From a prompt to the bytes of a picture and a sound, one at a time and many at once."""

from __future__ import annotations

import asyncio
import io
import time

import numpy as np

from mmgan import Pipeline
from mmgan.audio.waveform import write_wav
from mmgan.ui.sample.sampler import Sampler

from .measure import COMPARED, Part, compare, interleave, percentile95
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
    """16 prompts at once against the same 16 one by one, with prompts that are new and with remembered ones.

    Of the library: one call of a pipeline against 16. Of the page, without HTTP: 16 requests at the same moment, which
    share passes, against 16 that wait for each other.
    """
    pipeline, sampler = setup.pipeline, Sampler(load=lambda name: setup.pipeline, models=("digits",))
    known, rounds = [next(setup.prompts) for _ in range(AT_ONCE)], setup.rounds_of_prompts(AT_ONCE)

    async def at_once(prompts):
        await asyncio.gather(*(sampler.sample(prompt, 1) for prompt in prompts))

    async def one_by_one(prompts):
        for prompt in prompts:
            await sampler.sample(prompt, 1)

    def visit(way, visits):
        sampler.forget()
        asyncio.run(visits(rounds(way)))

    def call_each(prompts):
        for prompt in prompts:
            pipeline(prompt)

    subjects = {
        ("one call, new prompts", "at once"): lambda: pipeline(rounds("call at once")),
        ("one call, new prompts", "one by one"): lambda: call_each(rounds("call one by one")),
        ("one call, remembered", "at once"): lambda: pipeline(known),
        ("one call, remembered", "one by one"): lambda: call_each(known),
        ("visitors, new prompts", "at once"): lambda: visit("visit at once", at_once),
        ("visitors, new prompts", "one by one"): lambda: visit("visit one by one", one_by_one),
    }
    timings = interleave(subjects, setup.count(12, 1), warm_up=setup.count(2, 1))
    values = {
        kind: compare(timings[kind, "at once"], timings[kind, "one by one"])
        for kind in dict.fromkeys(k for k, _ in subjects)
    }
    notes = [
        "On the CPU the generator runs in passes of four rows, of eight where there are many, padded if need be, so "
        "that a sample does not depend on what else is in its batch; the prompts share one of the text encoder. At "
        "once, each core has passes and sounds of its own to make, so that the clock gains more than the CPU time."
    ]
    title = f"2. Batching: {AT_ONCE} prompts at once against the same one by one"
    return Part(title, COMPARED, [[kind, *found.values()] for kind, found in values.items()], values, notes)
