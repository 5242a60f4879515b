"""Removes what killed processes left unfinished in a folder of runs."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..system.files import remove_left
from ..system.locks import alone
from .checks import NAME
from .run import Run

STARTING = ".starting"  # the lock under which a run is begun, so that two servers never begin too many together
_PLACES = ("", "samples", "samples/strips")  # of a run folder


def sweep(folder: Path) -> None:
    """Removes what dead processes left, and nothing of a run that is being trained."""
    with contextlib.suppress(OSError):  # an unreadable folder is reported when somebody asks for it
        if not folder.is_dir():
            return
        remove_left(folder)
        if (folder / STARTING).exists():
            with contextlib.suppress(TimeoutError), alone(folder / STARTING, timeout=0):
                pass
        for entry in list(os.scandir(folder)):
            if NAME.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
                _sweep_run(Run(entry.path))


def _sweep_run(run: Run) -> None:
    if not run.there():
        return
    if not run.status()["alive"]:
        for place in _PLACES:
            remove_left(run.folder / place)
