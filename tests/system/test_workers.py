"""Threads that compute side by side: order, errors, calls from within, forks, and torch's own number of threads."""

import os
import subprocess
import sys
import threading

import pytest
import torch

from mmgan.system.workers import spread


def test_results_keep_their_order():
    assert spread(lambda x: x * x, range(20)) == [x * x for x in range(20)]
    assert spread(str, []) == []


def test_each_worker_computes_with_one_thread_and_others_as_before():
    before, elsewhere = torch.get_num_threads(), []
    assert set(spread(lambda _: torch.get_num_threads(), range(8))) == {1}
    thread = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert torch.get_num_threads() == before and elsewhere == [before]


def test_the_first_error_reaches_the_caller_and_the_workers_go_on():
    with pytest.raises(ZeroDivisionError):
        spread(lambda x: 1 / x, [1, 0, 2])
    assert spread(lambda x: 1 / x, [1, 2]) == [1, 0.5]


def test_a_worker_may_spread_too():
    assert spread(lambda x: spread(lambda y: x * y, range(3)), range(5)) == [[0, x, 2 * x] for x in range(5)]


def test_many_callers_at_once():
    found = [None] * 12

    def call(i):
        found[i] = spread(lambda x: x + i, range(10))

    threads = [threading.Thread(target=call, args=(i,)) for i in range(12)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert found == [list(range(i, i + 10)) for i in range(12)]


PROGRAM = """
import os, threading, torch
from mmgan.system.workers import spread
torch.set_num_threads(THREADS)
tensors = spread(lambda x: torch.full((64, 64), float(x)) @ torch.ones(64, 64), range(4))
assert torch.get_num_threads() == THREADS and [int(t[0, 0]) for t in tensors] == [0, 64, 128, 192]
child = os.fork() if hasattr(os, "fork") else None
if child == 0:
    os._exit(0 if spread(lambda x: x + 1, [1, 2, 3]) == [2, 3, 4] else 1)
if child:
    assert os.waitpid(child, 0)[1] == 0
threading.Thread(target=lambda: spread(lambda x: x, range(100)), daemon=True).start()
"""


@pytest.mark.parametrize("threads", [1, 3])
def test_a_program_forks_and_ends_cleanly(threads):
    """With as many threads as cores, with more, and with a call under way at the end."""
    program = PROGRAM.replace("THREADS", str(threads))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, env=os.environ)
    assert done.returncode == 0, done.stderr
