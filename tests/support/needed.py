"""Data that tests need and the repository does not hold: without it a test skips, or fails where CI asks for it."""

import os
from pathlib import Path

import pytest

from mmgan.data.digits.files import cache_folder

FILES = {"digits": "t10k.npz", "emoji": "concepts.csv", "sounds": "esc10.npz"}


def data_folder(name: str) -> Path:
    """The folder ``name`` of ``$MMGAN_DATA`` or of the cache.

    Whether it is there is asked of the disk, not of a loader: a loader that is broken shall fail, not skip.
    """
    roots = [Path(os.environ["MMGAN_DATA"])] if os.environ.get("MMGAN_DATA") else []
    for root in [*roots, cache_folder().parent]:
        if (root / name / FILES[name]).is_file():
            return root / name
    reason = f"the dataset {name} is not here; set MMGAN_DATA to a folder that has {name}/"
    if os.environ.get("MMGAN_REQUIRE_DATA"):
        pytest.fail(reason)
    pytest.skip(reason)
