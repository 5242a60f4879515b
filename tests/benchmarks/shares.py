"""Where the time goes: the top operators, and the functions of mmgan that call them."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Callable
from pathlib import Path

from torch.profiler import ProfilerActivity, profile

import mmgan

from .measure import Part
from .subjects import Setup, fill

TOP = 12
PACKAGE = str(Path(mmgan.__file__).parent)


def sampling_shares(setup: Setup) -> list[Part]:
    """Calls of the pipeline with fresh prompts."""
    pipeline, calls = setup.pipeline, setup.count(20, 2)
    pipeline.warm_up()
    return _parts("5a. Where sampling's time goes (fresh prompts)", lambda: pipeline(next(setup.prompts)), calls)


def training_shares(setup: Setup) -> list[Part]:
    """Steps of the tiny preset, as many as lie between two penalties."""
    trainer = setup.trainer("tiny")
    block = trainer.config.losses.penalty_interval
    fill(trainer, 3 * block)
    for _ in range(block):
        trainer.step()
    return _parts(f"5b. Where training's time goes ({block} steps of the tiny preset)", trainer.step, block)


def _parts(title: str, call: Callable[[], object], times: int) -> list[Part]:
    return [_operators(title, call, times), _functions(title, call, times)]


def _operators(title: str, call: Callable[[], object], times: int) -> Part:
    """Each operator's own time as a share of the wall time; what is left over is Python and the profiler."""
    start = time.perf_counter()
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as profiler:
        start = time.perf_counter()
        for _ in range(times):
            call()
        wall = time.perf_counter() - start
    events = sorted(profiler.key_averages(), key=lambda event: -event.self_cpu_time_total)
    measured = sum(event.self_cpu_time_total for event in events) / 1e6
    values = {
        event.key: {"share": event.self_cpu_time_total / 1e6 / wall, "calls": event.count / times}
        for event in events[:TOP]
    }
    rows = [[name, _percent(v["share"]), f"{v['calls']:.0f}"] for name, v in values.items()]
    rows.append([f"{max(0, len(events) - TOP)} other operators", _percent(measured / wall - _sum(values)), ""])
    rows.append(["outside operators", _percent(1 - measured / wall), ""])
    values = {"operators": values, "in_operators": measured / wall, "ms_per_call": 1e3 * wall / times}
    columns = ["operator, its own time", "share", "calls each"]
    return Part(title, columns, rows, values, [f"{1e3 * wall / times:.1f} ms each while profiled."])


def _functions(title: str, call: Callable[[], object], times: int) -> Part:
    """Functions of mmgan, with all that they call, as a share of the CPU time; callers contain their callees."""
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    for _ in range(times):
        call()
    profiler.disable()
    stats = pstats.Stats(profiler)
    found = {
        f"{Path(file).relative_to(PACKAGE)}: {function}": {"share": cumulative / stats.total_tt, "calls": calls / times}
        for (file, _, function), (_, calls, _, cumulative, _) in stats.stats.items()
        if file.startswith(PACKAGE)
    }
    found |= {
        f"torch: {function}": {"share": cumulative / stats.total_tt, "calls": calls / times}
        for (file, _, function), (_, calls, _, cumulative, _) in stats.stats.items()
        if file.endswith(("torch/autograd/__init__.py", "torch/optim/optimizer.py"))
        and function in ("backward", "grad", "wrapper")
    }
    values = dict(sorted(found.items(), key=lambda item: -item[1]["share"])[: 2 * TOP])
    rows = [[name, _percent(v["share"]), f"{v['calls']:.0f}"] for name, v in values.items()]
    notes = [f"{1e3 * stats.total_tt / times:.1f} ms of CPU time each while profiled."]
    values = {"functions": values, "cpu_ms_per_call": 1e3 * stats.total_tt / times}
    return Part(f"{title}: functions", ["function, with all it calls", "share", "calls each"], rows, values, notes)


def _sum(values: dict[str, dict[str, float]]) -> float:
    return sum(v["share"] for v in values.values())


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
