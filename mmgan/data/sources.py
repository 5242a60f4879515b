"""Loose files and files from memory, with the same ``names``, ``size`` and ``read`` as folders and zips have."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import DataError
from .archive import FolderFiles, ZipFiles, is_system, open_files
from .limits import Limits, mebibytes


class LooseFiles:
    """Files picked one by one, by their own names; two of one name are told apart by a number."""

    def __init__(self, paths: Sequence[Path], limits: Limits = Limits()):
        self.limits, self._paths = limits, {}
        for path in paths:
            if is_system(path.name):
                continue
            self._paths[free_name(shown_name(path.name), self._paths)] = path
        self.names = sorted(self._paths)

    def size(self, name: str) -> int:
        return file_size(self._paths[name])

    def read(self, name: str) -> bytes:
        path = self._paths[name]
        return FolderFiles.read_file(path, name, self.limits)


class MemoryFiles:
    """Recordings and snapshots that never were files: name -> bytes."""

    def __init__(self, files: Mapping[str, bytes], limits: Limits = Limits()):
        self.limits, self._files = limits, {shown_name(name): data for name, data in files.items()}
        self.names = sorted(self._files)

    def size(self, name: str) -> int:
        return len(self._files[name])

    def read(self, name: str) -> bytes:
        if self.size(name) > self.limits.file_bytes:
            raise DataError(f"{name} is larger than {mebibytes(self.limits.file_bytes)}; make it smaller.")
        return self._files[name]


Source = FolderFiles | ZipFiles | LooseFiles | MemoryFiles


def open_sources(paths: Sequence[str | Path], limits: Limits = Limits()) -> list[Source]:
    """Each folder and zip by itself, and all loose files together, so that pairs among them find each other.

    Raises:
        DataError: one of them is not there, or is refused (see :class:`~mmgan.data.archive.ZipFiles`).
    """
    sources: list[Source] = []
    loose = []
    for path in map(Path, paths):
        if path.is_file() and not _is_zip(path):
            loose.append(path)
            continue
        if path.is_file() and path.stat().st_size > limits.total_bytes:
            raise DataError(f"{path.name} is larger than {mebibytes(limits.total_bytes)}; upload a smaller selection.")
        sources.append(open_files(path, limits))
    return sources + ([LooseFiles(loose, limits)] if loose else [])


def _is_zip(path: Path) -> bool:
    """By its name, or by how it begins: a zip that lost its suffix on the way is still one."""
    if path.suffix.lower() == ".zip":
        return True
    if path.suffix:
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def shown_name(name: str) -> str:
    """A file's last name with composed accents and without control characters."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/")).rpartition("/")[2]
    return "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cs")) or "file"


def free_name(name: str, taken) -> str:
    """``name``, or "name (2)" and so on where it is taken."""
    stem, suffix = posixpath.splitext(name)
    number = 1
    while name in taken:
        number += 1
        name = f"{stem} ({number}){suffix}"
    return name


def file_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it will say what is wrong
