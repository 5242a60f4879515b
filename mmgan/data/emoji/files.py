"""Where the emoji's files are: ``$MMGAN_DATA/emoji``, else the user's cache, where they are made once.

Four uncompressed tars of lossless WebP, ``{hexcode}.webp``, RGB, 128 x 128 on white, one for each art style; and
concepts.csv, UTF-8, one row for each thing in emoji order (:data:`mmgan.data.emoji.choosing.COLUMNS`). How they are
made and whose they are: :mod:`mmgan.data.emoji.building`, :mod:`mmgan.data.emoji.sources`.
"""

from __future__ import annotations

import csv
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from ...errors import DataError
from ...system.download import DownloadError
from . import building
from .captions import STYLES, Concept
from .drawing import SIDE
from .sources import ATTRIBUTION

CONCEPTS = building.CONCEPTS
NAMES = (CONCEPTS, *(f"{style}.tar" for style in STYLES))
MOST_BYTES = 1 << 20  # of a picture
UNREADABLE = (OSError, ValueError, KeyError, csv.Error, tarfile.TarError, EOFError, Image.DecompressionBombError)

__all__ = [
    "ATTRIBUTION", "cache_folder", "decoded", "fetch_all", "find", "load_concepts", "load_pictures", "packed_pictures",
    "present",
]  # fmt: skip


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/mmgan/emoji``, by default ``~/.cache/mmgan/emoji``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mmgan" / "emoji"


def _found(name: str) -> Path | None:
    given = [Path(os.environ["MMGAN_DATA"]) / "emoji"] if os.environ.get("MMGAN_DATA") else []
    return next((folder / name for folder in (*given, cache_folder()) if (folder / name).is_file()), None)


def present() -> bool:
    """Whether all files are on this machine, so that they can be used without the network."""
    return all(map(_found, NAMES))


def fetch_all() -> list[Path]:
    """All files, made where they are absent. Raises DataError as :func:`find` does."""
    return [find(name) for name in NAMES]


def find(name: str) -> Path:
    """The file ``name`` in ``$MMGAN_DATA/emoji`` or the cache; if it is in neither, all are made in the cache.

    Raises:
        DataError: absent, and it cannot be made.
    """
    if found := _found(name):
        return found
    try:
        building.build(cache_folder())
    except DownloadError as error:
        raise DataError("emoji.absent", reason=error.reason) from error
    return cache_folder() / name


def load_concepts() -> list[Concept]:
    """All concepts, in emoji order. Raises DataError where the file is absent or broken."""
    path = find(CONCEPTS)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            concepts = [
                Concept(
                    row["hexcode"], row["name_en"], row["name_zh"], _words(row["tags_en"]), _words(row["tags_zh"]),
                    row["group"], row["split"] == "val",
                )
                for row in csv.DictReader(file)
            ]  # fmt: skip
    except (*UNREADABLE, TypeError, AttributeError) as error:
        raise DataError("emoji.broken", path=path) from error
    if not concepts or not all(concept.english and concept.chinese for concept in concepts):
        raise DataError("emoji.broken", path=path)
    return concepts


def packed_pictures(style: str) -> Iterator[tuple[str, bytes]]:
    """The hexcodes and files of an art style's pictures. Raises DataError as for the concepts."""
    path = find(f"{style}.tar")
    try:
        with path.open("rb") as file:
            if len(end := _end(file)) < tarfile.BLOCKSIZE * 2 or any(end):
                raise ValueError("cut short, which tarfile does not mind")
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                packed = tar.extractfile(member) if member.isfile() and member.size <= MOST_BYTES else None
                if packed is None:
                    raise ValueError("no picture")
                yield Path(member.name).stem, packed.read()
    except UNREADABLE as error:
        raise DataError("emoji.broken", path=path) from error


def _end(file: BinaryIO) -> bytes:
    """The last two blocks, zeros in a whole tar."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - tarfile.BLOCKSIZE * 2))
    return file.read()


def decoded(packed: bytes, style: str) -> Image.Image:
    """A picture of that style, RGB, 128 x 128, on white. Raises DataError where it is none."""
    try:
        with Image.open(io.BytesIO(packed), formats=("WEBP",)) as picture:
            if picture.size != (SIDE, SIDE):
                raise ValueError("of another size")
            return picture.convert("RGB")
    except UNREADABLE as error:
        raise DataError("emoji.broken", path=find(f"{style}.tar")) from error


def load_pictures(style: str) -> Iterator[tuple[str, Image.Image]]:
    """The hexcodes and pictures (RGB, 128 x 128, on white) of an art style. Raises DataError where it is broken."""
    for code, packed in packed_pictures(style):
        yield code, decoded(packed, style)


def _words(tags: str) -> tuple[str, ...]:
    return tuple(word for word in tags.split("|") if word)
