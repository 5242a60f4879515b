"""Whose a run is: ``access.json`` in its folder, written before anybody can see the run.

A fine-tuning shows the captions, pictures and sounds of the files that it learns from, so one on a private project is
its owner's alone, until its owner chooses otherwise. A run without that file, from a terminal say, is everybody's.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..system.files import exists, replace_file
from .files import Damaged, read_access, to_json

ACCESS = "access.json"
MOST_FOLDERS = 100_000  # folders that are searched for links leading elsewhere


@dataclass(frozen=True)
class Access:
    """Whose a run is: the hash of their key ("": nobody's), whether everybody may see it all the same, and the
    project's folder that it learns from, where it does."""

    owner: str = ""
    everybody: bool = False
    data: str = field(default="", compare=False)

    def lets(self, owner: str) -> bool:
        """Whether a visitor of that hash ("": one without a key, who owns nothing) may see the run."""
        return self.everybody or (bool(owner) and owner == self.owner)


EVERYBODY = Access(everybody=True)


def access_of(folder: Path) -> Access:
    """Whose the run in ``folder`` is; nobody's where the file that should say it is damaged."""
    try:
        found = read_access(folder)
    except Damaged:
        return Access()
    return Access(found["owner"], found["everybody"], found.get("data", "")) if found else EVERYBODY


def write_access(folder: Path, access: Access) -> None:
    """Says in the run's folder whose it is. Raises OSError."""
    replace_file(folder / ACCESS, to_json(asdict(access)))


def close_others(runs: Iterable, data: Path, owner: str) -> None:
    """Takes from everybody's eyes what others than ``owner`` (a hash) made of the folder ``data`` while they saw it."""
    for run in runs:
        access = access_of(run.folder)
        if access.everybody and access.owner not in ("", owner) and access.data == str(data.resolve()):
            with contextlib.suppress(OSError):  # deleted meanwhile; go on with the others
                write_access(run.folder, Access(access.owner, False, access.data))


def touches(path: str | Path, folders: Iterable[Path]) -> bool:
    """Whether reading ``path`` would read of one of the ``folders``: it is one, lies in one, holds one, or a link in
    it leads there. Names are compared by what they are on the disk, whatever their case and however they are linked."""
    closed = [Path(folder) for folder in folders if exists(folder)]
    seen: set[tuple[int, int]] = set()
    waiting = [Path(path)]
    while waiting:
        here = Path(os.path.realpath(waiting.pop()))
        if any(_same(here, one) or _within(here, one) or _within(one, here) for one in closed):
            return True
        for parent, names, files in os.walk(here):
            status = os.stat(parent)
            if (status.st_dev, status.st_ino) in seen or len(seen) > MOST_FOLDERS:
                names.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            waiting += [entry for name in (*names, *files) if (entry := Path(parent, name)).is_symlink()]
    return False


def _within(path: Path, folder: Path) -> bool:
    return any(_same(parent, folder) for parent in Path(os.path.realpath(path)).parents)


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False
