"""The projects of everybody who collects pictures and sounds here (one project: :mod:`mmgan.projects.project`)."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from ..data.folder.layout import PROJECT
from ..data.limits import PROJECT_LIMITS, Limits
from ..errors import DataError
from ..language import Message
from ..system.files import remove_left, saving
from .project import Project
from .store import locked, sweep_project
from .table import check_name, owner_hash

_ID = re.compile(r"[0-9a-f]{12}")
_LOCK = re.compile(r"\.([0-9a-f]{12})\.lock")

__all__ = ["Project", "Projects", "is_project"]


class Projects:
    """The projects under a folder.

    Args:
        root: where they are, made when the first one is.
        limits: what each may hold; ``limits.message`` says it in words.
    """

    def __init__(self, root: str | Path, limits: Limits = PROJECT_LIMITS):
        self.root, self.limits = Path(root), limits

    def create(self, name: str, owner: str = "") -> Project:
        """A new, empty project.

        Args:
            owner: tells visitors apart, such as a random token; only its hash is kept. A project without an owner
                belongs to no visitor and is found only through its folder.

        Raises:
            DataError: the name is empty, or the owner has too many projects.
            MmganError: it cannot be written.
        """
        if sum(project.owner == owner_hash(owner) for project in self.list()) >= self.limits.projects:
            raise DataError("projects.too_many", count=self.limits.projects)
        name, key = check_name(name), uuid.uuid4().hex[:12]
        folder, new = self.root / key, self.root / f".{key}.new-{os.getpid()}"
        with saving(folder):
            new.mkdir(parents=True)
            state = {"name": name, "created": time.time(), "owner": owner_hash(owner), "shared": False}
            Project(new, self.limits).save(state | {"items": [], "left_out": [], "left_out_count": 0})
            new.rename(folder)  # at once, so that a kill leaves no half of a project
        return Project(folder, self.limits)

    def open(self, key: str, owner: str | None = None) -> Project:
        """The project of that key.

        Args:
            owner: refuse it unless it is this owner's, or shared; None: whoever asks.

        Raises:
            DataError: there is none that the owner may see; whether a stranger's exists cannot be told from it.
        """
        if isinstance(key, str) and _ID.fullmatch(key) and (self.root / key / PROJECT).is_file():
            project = Project(self.root / key, self.limits)
            if owner is None or project.belongs_to(owner) or project.shared:
                return project
        raise DataError("projects.no_such_project")

    def list(self, owner: str | None = None, shared: bool = True) -> list[Project]:
        """Projects that the owner may see (None: all), the newest first; those that cannot be read are left out."""
        found = []
        for folder in self._folders():
            if not _ID.fullmatch(folder.name):
                _remove_deleted(folder)
                continue
            try:
                project = Project(folder, self.limits)
                if owner is None or project.belongs_to(owner) or (shared and project.shared):
                    found.append((-project.created, folder.name, project))  # read now, since it may be deleted soon
            except (DataError, OSError):
                continue
        return [project for *_, project in sorted(found)]

    def damaged(self) -> Sequence[tuple[str, Message]]:
        """Key and reason of each project that cannot be read; whose it was is then unknown."""
        found = []
        for folder in self._folders():
            if not _ID.fullmatch(folder.name) or not folder.is_dir():
                continue
            try:
                Project(folder, self.limits).summary()
            except (DataError, OSError) as error:
                if any(folder.iterdir()):
                    known = error.message if isinstance(error, DataError) else Message("projects.unreadable")
                    found.append((folder.name, known))
        return sorted(found, key=lambda damaged: damaged[0])

    def remove_damaged(self, key: str) -> None:
        """Deletes what :meth:`damaged` lists under ``key``, for good.

        Raises:
            DataError: nothing damaged is there.
        """
        if key not in dict(self.damaged()):
            raise DataError("projects.no_such_project")
        self._remove(key)

    def sweep(self) -> None:
        """Removes what killed processes left: deletions and beginnings cut short, and files that no table names."""
        for folder in self._folders():
            with contextlib.suppress(OSError, DataError):
                if _ID.fullmatch(folder.name) and folder.is_dir():
                    sweep_project(folder, self.limits)
                elif (lock := _LOCK.fullmatch(folder.name)) and not (self.root / lock[1]).exists():
                    folder.unlink()
                else:
                    _remove_deleted(folder)
        remove_left(self.root)

    def delete(self, key: str, owner: str | None = None) -> None:
        """Deletes the project and all its files from the disk, for good.

        Raises:
            DataError: there is none, or it is somebody else's.
        """
        project = self.open(key, owner)
        if owner is not None and not project.belongs_to(owner):
            raise DataError("projects.not_yours", name=project.name)
        self._remove(key)

    def _folders(self) -> Sequence[Path]:
        return tuple(self.root.iterdir()) if self.root.is_dir() else ()

    def _remove(self, key: str) -> None:
        doomed = self.root / f".{key}.deleted"
        with locked(self.root / key), saving(self.root / key):
            (self.root / key).rename(doomed)  # gone from every list at once
        shutil.rmtree(doomed, ignore_errors=True)
        (self.root / f".{key}.lock").unlink(missing_ok=True)
        if doomed.exists():
            raise DataError("projects.cannot_delete")


def is_project(folder: str | Path) -> bool:
    return (Path(folder) / PROJECT).is_file()


def _remove_deleted(folder: Path) -> None:
    """Finishes a deletion that a kill cut short."""
    if re.fullmatch(r"\.[0-9a-f]{12}\.deleted", folder.name):
        shutil.rmtree(folder, ignore_errors=True)
