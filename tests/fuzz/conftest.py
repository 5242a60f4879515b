"""How many mutations a fuzzing test makes, and what it prints of them."""

from __future__ import annotations

import os
from collections import Counter

import pytest

CI_COUNT = 60  # of each kind, where nobody asks for more: python -m tests.fuzz


@pytest.fixture
def count() -> int:
    return int(os.environ.get("MMGAN_FUZZ_COUNT", CI_COUNT))


@pytest.fixture
def tally(request):
    """A Counter of how inputs ended ("result", "sentence", anything else is a fault); printed at the end."""
    found: Counter[str] = Counter()
    yield found
    print(f"\n{request.node.name}: {sum(found.values())} inputs, {dict(found)}")
