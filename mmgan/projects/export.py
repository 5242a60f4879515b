"""A project as a zip that mmgan, and the ``datasets`` library, open."""

from __future__ import annotations

import posixpath
import uuid
import zipfile
from pathlib import Path

from ..data.folder import parquet
from ..data.folder.export import metadata_csv
from ..errors import DataError
from ..system.files import saving
from .items import rows, sound_names
from .store import Store


def export_project(project: Store, target: str | Path) -> int:
    """Writes the dataset as a zip, whole or not at all; returns its rows. :func:`dataset_files` says how it opens.

    Raises:
        DataError: there is nothing to export.
        MmganError: the target cannot be written.
    """
    files, table = dataset_files(project)
    if not table:
        raise DataError("projects.nothing_usable", name=project.name)
    target = Path(target)
    new = target.with_name(f".{target.name}.new-{uuid.uuid4().hex[:8]}")
    pairs = new.with_suffix(".parquet")
    try:
        with saving(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as archive:  # pictures and sounds are packed already
                for name, path in files.items():
                    archive.write(path, name)
                if _opens(table) == "parquet" and parquet.can_write():
                    parquet.write_pairs(pairs, ((text, files.get(one), files.get(two)) for text, one, two in table))
                    archive.write(pairs, parquet.NAME)
                archive.writestr("README.md", card(project.name, len(table), _opens(table)))
                archive.writestr("metadata.csv", metadata_csv(table))
            new.replace(target)
    finally:
        for path in (new, pairs):
            path.unlink(missing_ok=True)
    return len(table)


def _opens(table: list[list[str]]) -> str:
    """What the library ``datasets`` opens an export with."""
    if not any(picture for _, picture, _ in table):
        return "audiofolder"
    return "parquet" if any(sound for *_, sound in table) else "imagefolder"


def card(name: str, rows: int, opens: str) -> str:
    """README.md of an export: what it is, and what opens it. Its head tells the Hub, and ``load_dataset(folder)``."""
    text = f"# {name}\n\nA dataset made with mmgan; {rows:,} {'row' if rows == 1 else 'rows'}.\n\n"
    text += "- `mmgan train --data` and *Add files* on the page of mmgan take the zip, or its folder, as it is.\n"
    text += "- `metadata.csv` is for people and spreadsheets: captions, and the names of their files.\n"
    if opens != "parquet":
        return text + f'- `datasets.load_dataset("{opens}", data_dir=...)` opens the folder of the unpacked zip.\n'
    if not parquet.can_write():
        return text + (
            "- For pairs that the `datasets` library opens, `pip install 'mmgan[parquet]'` where mmgan runs and export "
            'again; `datasets.load_dataset("imagefolder", data_dir=...)` opens the pictures of this one.\n'
        )
    text += (
        f'- `datasets.load_dataset("parquet", data_files="{parquet.NAME}")` gives the pairs, with columns `text`, '
        "`image` (an Image) and `audio` (an Audio); the file holds the same pictures and sounds once more.\n"
    )
    return f"---\nconfigs:\n- config_name: default\n  data_files: {parquet.NAME}\n---\n\n{text}"


def dataset_files(project: Store) -> tuple[dict[str, Path], list[list[str]]]:
    """Names in an export -> files, and the rows of its metadata.csv.

    In the ``datasets`` library pictures alone open with ``load_dataset("imagefolder", ...)``, sounds alone with
    "audiofolder", and pairs as Parquet (:mod:`mmgan.data.folder.parquet`).
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
