"""Threads that compute side by side, each on a core of its own.

Torch splits each operation over the cores and then waits for all of them. That gains little for operations as small as
those of one sample, and costs much as soon as another program wants a core. Here whole samples are split instead: each
thread computes its part alone, so results do not depend on the number of threads either.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import torch

NICE = 10  # niceness of a thread that works alone

_lock = threading.Lock()
_here = threading.local()

# glibc hands the memory of large tensors back to the system as soon as they are freed, and threads that fetch it anew
# stop each other (`python -m tests.benchmarks batching`, with and without this line). It keeps what is smaller than the
# largest block that was ever freed, if that had no more than 32 MiB: this one, which nobody writes to.
torch.empty(30 << 20, dtype=torch.uint8)


def spread(function: Callable, items: Iterable) -> list:
    """``[function(item) for item in items]``, computed by as many threads as torch has in the calling one.

    Raises:
        Exception: the first that ``function`` raised.
    """
    # A worker that waits for workers might wait for itself, and with one thread there is nothing to gain.
    if getattr(_here, "working", False) or torch.get_num_threads() == 1:
        return [function(item) for item in items]
    with _lock:
        pool = _pool(torch.get_num_threads())
    return list(pool.map(function, items))


@functools.lru_cache(maxsize=4)
def _pool(count: int) -> ThreadPoolExecutor:
    pool = ThreadPoolExecutor(count, "mmgan-worker", initializer=_alone)
    ready = threading.Barrier(count + 1)
    for _ in range(count):
        pool.submit(ready.wait)
    ready.wait()
    torch.set_num_threads(count)  # threads started elsewhere begin with this number, which a worker's call changes too
    return pool


def _alone() -> None:
    torch.get_num_threads()  # the first call in a thread sets its number; later it would undo the next line
    torch.set_num_threads(1)
    _here.working = True


def work_alone() -> None:
    """The calling thread computes on one core from now on, beside the workers and after them."""
    if sys.platform == "linux":  # on other systems the number could be that of another process
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    count = torch.get_num_threads()
    _alone()
    others = threading.Thread(target=torch.set_num_threads, args=(count,))  # what later threads start with
    others.start()
    others.join()


def _start_afresh() -> None:
    """For the child of a fork: the threads, and the holder of the lock, stayed behind in the parent."""
    global _lock
    _lock = threading.Lock()
    _pool.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh)
