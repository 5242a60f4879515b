"""Loose files and files from memory, with the same ``names``, ``size`` and ``read`` as folders and zips have."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...errors import DataError
from ..limits import Limits, mebibytes
from .archive import FolderFiles, ZipFiles, open_files
from .layout import kind_of
from .names import free_name, is_system, readable
from .own_output import MODEL_FILES
from .reading import METADATA_NAMES


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
    """Recordings and snapshots from memory: name -> bytes."""

    def __init__(self, files: Mapping[str, bytes], limits: Limits = Limits()):
        self.limits, self._files = limits, {shown_name(name): data for name, data in files.items()}
        self.names = sorted(self._files)

    def size(self, name: str) -> int:
        return len(self._files[name])

    def read(self, name: str) -> bytes:
        if self.size(name) > self.limits.file_bytes:
            raise DataError("data.file_too_large", name=name, size=mebibytes(self.limits.file_bytes))
        return self._files[name]


Source = FolderFiles | ZipFiles | LooseFiles | MemoryFiles


def open_sources(paths: Sequence[str | Path], limits: Limits = Limits()) -> list[Source]:
    """Each folder and zip by itself, and all loose files together, so that pairs among them find each other.

    Raises:
        DataError: one of them is not there, or is refused (see :class:`~mmgan.data.folder.archive.ZipFiles`).
    """
    sources: list[Source] = []
    loose = []
    for path in map(Path, paths):
        if path.is_file() and not _is_zip(path):
            loose.append(path)
            continue
        if path.is_file() and path.stat().st_size > limits.total_bytes:
            raise DataError("data.upload_large", name=path.name, size=mebibytes(limits.total_bytes))
        sources.append(open_files(path, limits))
    return sources + ([LooseFiles(loose, limits)] if loose else [])


def _is_zip(path: Path) -> bool:
    """By its suffix or its first bytes: a zip that lost its suffix is still one."""
    if path.suffix.lower() == ".zip":
        return True
    if path.suffix:
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def shown_name(name: str) -> str:
    """A file's last name with composed accents and without control characters."""
    return unicodedata.normalize("NFC", readable(name.replace("\\", "/").rpartition("/")[2])).strip() or "file"


def file_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it will say what is wrong


def holds_data(names: Iterable[str]) -> bool:
    """Whether they hold pictures, sounds or captions that are not part of a model."""
    last = {name.rpartition("/")[2] for name in names}
    found = any(kind_of(name) or name.lower() in METADATA_NAMES for name in last - MODEL_FILES)
    return found and not last & {name for name in MODEL_FILES if name.endswith(".safetensors")}
