"""A page over the fake pipeline, served in the process of the test."""

import contextlib
import os
import socket
import time
from dataclasses import replace

import pytest
from fakes import FakePipeline


def absent(reason):
    """Skips, or fails where the browser is mandatory."""
    if os.environ.get("MMGAN_REQUIRE_BROWSER") == "1":
        pytest.fail(f"MMGAN_REQUIRE_BROWSER=1, but {reason}")
    pytest.skip(reason)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class OddPipeline(FakePipeline):
    """Also fails in ways that the page should survive."""

    def embed(self, prompts):
        if "break" in prompts:
            raise ZeroDivisionError("secret")
        if "slow" in prompts:
            time.sleep(1)
        return super().embed(prompts)


class Address(str):
    """Where a page is; ``demo`` is the ``gr.Blocks`` that is served there."""

    demo = None


@contextlib.contextmanager
def serving(flags):
    """Serves the page in this process while the block runs; gives its :class:`Address`."""
    from mmgan.runs.manager import Manager
    from mmgan.ui import app
    from mmgan.ui.sample.sampler import Sampler

    demo = app.build(Sampler(load=OddPipeline, runs=Manager(flags.runs).models), flags)
    flags = replace(flags, port=free_port())
    app.serve(demo, flags)
    try:
        address = Address(f"http://127.0.0.1:{flags.port}")
        address.demo = demo
        yield address
    finally:
        demo.close(verbose=False)
