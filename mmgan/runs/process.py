"""The process that trains a run: started beside the page, and yielding to it."""

from __future__ import annotations

import os
import subprocess
import sys

from ..system.files import saving
from .run import Run

COMMAND = (sys.executable, "-m", "mmgan.cli")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
NICE = 10  # how far a training yields to the page: see tests/benchmarks/beside.py


def spawn(mmgan: tuple[str, ...], run: Run, command: list[str]) -> subprocess.Popen:
    """Starts ``mmgan train`` or ``finetune`` into ``run``.

    The process has a session of its own, so that neither our end nor a Ctrl-C at our terminal ends it.

    Args:
        mmgan: what ``mmgan`` is called as, such as ``COMMAND``.
        command: "train" or "finetune", and its arguments.

    Raises:
        MmganError: the run's log cannot be written.
    """
    name, *arguments = command
    command = [name, "--out", str(run.folder), "--nice", str(NICE), *arguments]
    run.log("$ " + " ".join(["mmgan", *command]))
    # One compute thread: two on two cores collapse as soon as somebody samples (tests/benchmarks/beside.py).
    environment = {**os.environ, "OMP_NUM_THREADS": threads(), "PYTHONUNBUFFERED": "1"}
    apart: dict = {"start_new_session": True}
    if os.name == "nt":
        apart = {"creationflags": 0x00000200 | 0x00004000}  # a process group of its own, below normal priority
    with saving(run.folder / "log.txt"), open(run.folder / "log.txt", "ab") as log:
        return subprocess.Popen(
            [*mmgan, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, close_fds=True,
            **apart,
        )  # fmt: skip


def threads() -> str:
    """Compute threads of a training beside the page: all but one of the cores, and no more than eight."""
    return str(max(1, min(8, CORES - 1)))
