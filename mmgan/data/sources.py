"""Loose files and files from memory, with the same ``names``, ``size`` and ``read`` as folders and zips have."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import DataError, ModelGivenError
from .archive import FolderFiles, ZipFiles, open_files
from .layout import kind_of
from .limits import Limits, mebibytes
from .names import free_name, is_system, readable
from .reading import METADATA_NAMES

# What a model consists of, as mmgan.sharing writes it: those that every model has, and those that one may have.
MODEL_NEEDS = {"config.json", "generator.safetensors"}
MODEL_FILES = MODEL_NEEDS | {"discriminator.safetensors", "README.md", "samples.png"}


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
    return unicodedata.normalize("NFC", readable(name.replace("\\", "/").rpartition("/")[2])).strip() or "file"


def file_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it will say what is wrong


def holds_model(names: Iterable[str]) -> bool:
    """Whether the files of a zip or folder, by their names, are a model of mmgan's and nothing else."""
    return MODEL_NEEDS <= _last_names(names) <= MODEL_FILES


def holds_data(names: Iterable[str]) -> bool:
    """Whether they are somebody's pictures, sounds or table of captions, and no part of a model."""
    last = _last_names(names)
    found = any(kind_of(name) or name.lower() in METADATA_NAMES for name in last - MODEL_FILES)
    return found and not last & {name for name in MODEL_FILES if name.endswith(".safetensors")}


def refuse_model(name: str, names: Iterable[str]) -> None:
    """Raises ModelGivenError where what is called ``name`` is a model rather than something to learn from."""
    if holds_model(names):
        raise ModelGivenError(
            f"{name} is a model, not pictures and sounds to learn from; take it in with mmgan import, or start from it "
            "with --base."
        )


def _last_names(names: Iterable[str]) -> set[str]:
    return {name.rpartition("/")[2] for name in names}
