"""Timing side by side, what the machine was doing meanwhile, and tables."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

import mmgan


@dataclass
class Part:
    """What one benchmark found: ``values`` go into the JSON, ``columns``, ``rows`` and ``notes`` onto the screen."""

    title: str
    columns: list[str]
    rows: list[list]
    values: dict
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([self.title, table(self.columns, self.rows), *self.notes, ""])


@dataclass
class Timing:
    """The rounds of one subject, in seconds, and what it returned each time."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # all threads
    returned: list = field(default_factory=list)

    @property
    def median(self) -> float:
        return float(np.median(self.wall))

    @property
    def p95(self) -> float:
        return percentile95(self.wall)

    @property
    def cpu_median(self) -> float:
        return float(np.median(self.cpu))

    @property
    def computing(self) -> float:
        """CPU time over wall time: below the number of threads, the process waited, for a GPU or for its turn."""
        return sum(self.cpu) / sum(self.wall)


def percentile95(values) -> float:
    return float(np.percentile(values, 95))


def interleave(
    subjects: dict[str, Callable[[], object]], rounds: int, warm_up: int = 1,
    finish: Callable[[], None] = lambda: None, cpu: Callable[[], float] = time.process_time,
) -> dict[str, Timing]:  # fmt: skip
    """Calls every subject once a round, in turn and the next round in reverse, so that all meet the same machine.

    Args:
        warm_up: rounds that are not kept.
        finish: what makes sure that a call's work is done (CUDA's synchronize).
        cpu: seconds of CPU time so far, of this process unless the work is another's.
    """
    timings = {name: Timing() for name in subjects}
    for number in range(-warm_up, rounds):
        for name, subject in list(subjects.items())[:: 1 if number % 2 == 0 else -1]:
            finish()
            used, wall = cpu(), time.perf_counter()
            returned = subject()
            finish()
            wall, used = time.perf_counter() - wall, cpu() - used
            if number >= 0:
                timings[name].wall.append(wall)
                timings[name].cpu.append(used)
                timings[name].returned.append(returned)
    return timings


COMPARED = ["", "at once ms", "one by one ms", "times faster", "at once CPU ms", "one by one CPU ms", "by CPU time"]


def compare(once: Timing, each: Timing) -> dict[str, float]:
    """Medians, and the median over the rounds of how much faster ``once`` was than ``each`` in the same round."""
    return {
        "at_once_ms": 1e3 * once.median, "one_by_one_ms": 1e3 * each.median,
        "ratio": float(np.median(np.divide(each.wall, once.wall))),
        "at_once_cpu_ms": 1e3 * once.cpu_median, "one_by_one_cpu_ms": 1e3 * each.cpu_median,
        "cpu_ratio": float(np.median(np.divide(each.cpu, once.cpu))),
    }  # fmt: skip


def machine() -> dict:
    """Where the figures come from."""
    cuda = torch.cuda.is_available()
    return {
        "processor": _processor(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "load_average": load_average(),
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "mmgan": mmgan.__version__,
    }


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_average() -> float | None:
    """Processes that wanted a core, averaged over the last minute; None where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def busy_warning(found: dict) -> str | None:
    """A sentence where the load leaves fewer idle cores than the benchmark has threads, so figures mean little."""
    load = found["load_average"]
    if load is None or found["cores"] - load >= found["threads"] - 0.5:
        return None
    return (
        f"WARNING: a load of {load} on {found['cores']} cores leaves too few of them idle for {found['threads']} "
        "threads: times are of no use and ratios are rough; wait until the machine is idle."
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def table(columns: list[str], rows: list[list]) -> str:
    """Left-aligned first column, right-aligned others."""
    cells = [columns, *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(columns))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(value) -> str:
    if value is None:
        return "-"
    return (
        f"{value:,.0f}"
        if isinstance(value, float) and abs(value) >= 1_000
        else (f"{value:.3g}" if isinstance(value, float) else str(value))
    )
