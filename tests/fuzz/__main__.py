"""The command: ``python -m tests.fuzz [--count N] [pytest's arguments...]``, the same tests as in CI, but longer."""

from __future__ import annotations

import argparse
import os
import sys

import pytest


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Feeds mmgan with mutated input.")
    parser.add_argument("--count", type=int, default=2_000, help="mutations of each kind of input (default 2000)")
    options, others = parser.parse_known_args(arguments)
    os.environ["MMGAN_FUZZ_COUNT"] = str(options.count)
    return int(pytest.main(["-s", *(others or ["tests/fuzz"])]))


if __name__ == "__main__":
    sys.exit(main())
