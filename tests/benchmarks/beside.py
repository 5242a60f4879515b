"""A training beside the page: how fast each is while the other works, by how far the training yields."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmgan.runs.process import COMMAND, NICE, threads
from mmgan.runs.run import Run

from .measure import Part, percentile95
from .subjects import Setup

EVERY = 1.0  # seconds from one request to the next: somebody who types and clicks without a pause
SAMPLES = 4  # of a request, as the page asks for
START_SECONDS = 300.0  # within which a training takes its first steps, however busy the machine
WAYS = ((0, 1), (NICE, 1), (19, 1), (NICE, 2))  # niceness, compute threads


def beside(setup: Setup) -> Part:
    """Training alone, sampling alone and both at once, for each way of yielding; trainings are real processes."""
    seconds = setup.count(30, 3)
    setup.pipeline.warm_up()
    alone = percentile95(_sample(setup, seconds))
    rows, values = [], {"sampling_alone_p95_seconds": alone, "chosen": {"nice": NICE, "threads": threads()}, "ways": []}
    for nice, count in WAYS[: setup.count(len(WAYS), 2)]:
        with _training(setup, nice, count) as run:
            free = _speed(run, lambda: time.sleep(seconds))
            times: list[float] = []
            shared = _speed(run, lambda times=times: times.extend(_sample(setup, seconds)))
            free = (free + _speed(run, lambda: time.sleep(seconds))) / 2  # before and after: a machine changes
        p95, kept = percentile95(times), shared / free if free else 0.0
        rows.append([f"nice {nice}, {count} thread{'s' * (count > 1)}", free, shared, f"{kept:.0%}", alone, p95])
        values["ways"].append(
            {"nice": nice, "threads": count, "steps_per_second_alone": free, "steps_per_second_beside": shared,
             "kept": kept, "sampling_p95_seconds": p95}
        )  # fmt: skip
    return Part(
        f"9. A training beside the page ({SAMPLES} samples every {EVERY:g} s; the page starts trainings with "
        f"nice {NICE} and {threads()} thread(s))",
        ["training", "steps/s alone", "steps/s beside", "kept", "p95 alone, s", "p95 beside, s"],
        rows,
        values,
    )


@contextmanager
def _training(setup: Setup, nice: int, count: int) -> Iterator[Run]:
    """A training of the tiny preset as the page starts it, but for what is compared; stopped in the end."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [*COMMAND, "train", "--data", setup.data, "--out", str(out), "--steps", "1000000", "--device", "cpu"]
        command += ["--nice", str(nice), "--set", "sample_seconds=1000000", "--set", "checkpoint_seconds=1000000"]
        environment = {**os.environ, "OMP_NUM_THREADS": str(count)}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            run, deadline = Run(out), time.monotonic() + START_SECONDS
            while run.status()["step"] < 3:
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    sys.exit(f"the training did not start: {process.communicate()[1].decode(errors='replace')[-500:]}")
                time.sleep(0.1)
            yield run
        finally:
            process.terminate()
            process.communicate()


def _speed(run: Run, meanwhile) -> float:
    """Steps per second of the run while ``meanwhile`` runs, from one heartbeat to another."""
    before = run.status()
    meanwhile()
    after = run.status()
    return (after["step"] - before["step"]) / max(after["updated"] - before["updated"], 1e-3)


def _sample(setup: Setup, seconds: float) -> list[float]:
    """Seconds that each request took, sent at a steady pace."""
    times, end = [], time.monotonic() + seconds
    while (start := time.monotonic()) < end:
        setup.pipeline(next(setup.prompts), num_samples=SAMPLES)
        times.append(time.monotonic() - start)
        time.sleep(max(0.0, EVERY - times[-1]))
    return times
