"""A project as a zip that mmgan, and the ``datasets`` library, open."""

from __future__ import annotations

import posixpath
import uuid
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError
from ..files import saving
from .export import metadata_csv
from .items import rows, sound_names

if TYPE_CHECKING:
    from .project import Project


def export_project(project: Project, target: str | Path) -> int:
    """Writes the dataset as a zip, whole or not at all; returns its rows. See :meth:`Project.export`."""
    files, table = dataset_files(project)
    if not table:
        raise DataError(f"{project.name} has no file that can be used yet; add some, or write their captions.")
    target = Path(target)
    new = target.with_name(f".{target.name}.new-{uuid.uuid4().hex[:8]}")
    try:
        with saving(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as archive:  # pictures and sounds are packed already
                for name, path in files.items():
                    archive.write(path, name)
                archive.writestr("metadata.csv", metadata_csv(table))
            new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return len(table)


def dataset_files(project: Project) -> tuple[dict[str, Path], list[list[str]]]:
    """Names in an export -> files, and the rows of its metadata.csv.

    With pictures, the export opens with ``load_dataset("imagefolder", ...)`` of the ``datasets`` library (sounds, if
    any, as a column to be cast to ``Audio()``); with sounds only, with ``load_dataset("audiofolder", ...)``.
    """
    files: dict[str, Path] = {}
    named: dict[str, str] = {}
    table = []

    def name(path: str, folder: str) -> str:
        if path not in named:
            named[path] = f"{folder}/{len(files):05d}{posixpath.splitext(path)[1]}"
            files[named[path]] = project.folder / path
        return named[path]

    for caption, picture, sound in rows(project.items()):
        for path in sound_names(sound) or [""]:
            table.append([
                caption, name(picture.file, "images") if picture else "", name(path, "audio") if path else ""
            ])  # fmt: skip
    return files, table
