"""Writing any dataset as a folder that other programs, and mmgan itself, can read."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

from ...audio.waveform import SOURCE_RATE, write_wav
from ...errors import DataError
from ..base import Example
from . import parquet
from .layout import safe_cell


def metadata_csv(rows: list[list[str]]) -> bytes:
    """Rows of (caption, picture's name, sound's name), "" for what is missing, as the bytes of metadata.csv.

    A column that no row fills is left out. ``file_name`` is what "imagefolder" of the ``datasets`` library looks for,
    and of sounds alone "audiofolder"; it takes every column whose name ends in "_file_name" for files of that one kind,
    so the sounds of pairs are in ``audio_file``. Captions that a spreadsheet would compute are made harmless.
    """
    filled = [i for i in range(3) if i == 0 or any(row[i] for row in rows)]
    head = ["text", "file_name", "audio_file" if 1 in filled else "file_name"]
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows(
        [[safe_cell(row[i]) if i == 0 else row[i] for i in filled] for row in [head, *rows]]
    )
    return table.getvalue().encode("utf-8", "replace")


def export_dataset(examples: Iterable[Example], folder: str | Path) -> int:
    """Writes ``images/*.png``, ``audio/*.wav`` and ``metadata.csv``; returns the number of rows.

    The folder loads again through :class:`~mmgan.data.folder.dataset.Folder`. In the ``datasets`` library pictures open
    with ``load_dataset("imagefolder", data_dir=folder)``, sounds alone with "audiofolder", and pairs with
    ``load_dataset("parquet", data_files=...)`` of their ``pairs.parquet``, which is written where pyarrow is there.
    What a row lacks is None.

    Raises:
        DataError: the folder already holds files, or cannot be written to.
    """
    folder = Path(folder)
    rows = []
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError("data.export_taken", name=folder.name)
        for i, example in enumerate(examples):
            row = [example.text, "", ""]
            if example.image is not None:
                row[1] = f"images/{i:05d}.png"
                (folder / "images").mkdir(parents=True, exist_ok=True)
                example.image.save(folder / row[1])
            if example.audio is not None:
                row[2] = f"audio/{i:05d}.wav"
                (folder / "audio").mkdir(parents=True, exist_ok=True)
                write_wav(folder / row[2], example.audio, SOURCE_RATE)
            rows.append(row)
        folder.mkdir(parents=True, exist_ok=True)
        if parquet.can_write() and any(row[1] for row in rows) and any(row[2] for row in rows):
            files = (
                (text, folder / image if image else None, folder / sound if sound else None)
                for text, image, sound in rows
            )
            parquet.write_pairs(folder / parquet.NAME, files)
        # Last, and by renaming: a folder with metadata is whole.
        (folder / "metadata.tmp").write_bytes(metadata_csv(rows))
        os.replace(folder / "metadata.tmp", folder / "metadata.csv")
    except OSError as error:
        raise DataError("data.export_closed", name=folder.name, error=error.strerror or error) from error
    return len(rows)
