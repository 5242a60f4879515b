"""Pairs as one Parquet file that the ``datasets`` library opens with their pictures and sounds (pyarrow writes it).

A folder for "imagefolder" or "audiofolder" holds one kind of file; rows that have both are a table of ``text``,
``image`` and ``audio``, whose schema says that these are an Image and an Audio feature, each with the file's own bytes.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NAME = "pairs.parquet"  # beside metadata.csv, which says the same to people and to mmgan
GROUP_ROWS, GROUP_BYTES = 100, 32 << 20  # of a row group, all that is in memory at a time
FEATURES = {
    "text": {"dtype": "string", "_type": "Value"}, "image": {"_type": "Image"}, "audio": {"_type": "Audio"},
}  # fmt: skip


def can_write() -> bool:
    """Whether pyarrow is there: ``pip install 'mmgan[parquet]'``."""
    return importlib.util.find_spec("pyarrow") is not None


def write_pairs(target: Path, rows: Iterable[tuple[str, Path | None, Path | None]]) -> None:
    """Writes rows of (caption, picture, sound) to ``target``; None for what a row lacks.

    Raises:
        OSError: a file cannot be read, or ``target`` not be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("text", pa.string()), ("image", file), ("audio", file)])
    schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})
    with pq.ParquetWriter(target, schema, compression="none") as writer:  # pictures and sounds are packed already
        group: list[dict[str, Any]] = []
        size = 0
        for caption, picture, sound in rows:
            group.append({"text": caption, "image": _file(picture), "audio": _file(sound)})
            size += sum(len(group[-1][kind]["bytes"]) for kind in ("image", "audio") if group[-1][kind])
            if len(group) >= GROUP_ROWS or size >= GROUP_BYTES:
                writer.write_table(pa.Table.from_pylist(group, schema))
                group, size = [], 0
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema))


def _file(path: Path | None) -> dict | None:
    return None if path is None else {"bytes": path.read_bytes(), "path": path.name}
