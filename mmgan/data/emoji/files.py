"""Where the emoji's files are: ``$MMGAN_DATA/emoji``, else the user's cache."""

from __future__ import annotations

import csv
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ...errors import DataError
from .captions import Concept

CONCEPTS = "concepts.csv"


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/mmgan/emoji``, by default ``~/.cache/mmgan/emoji``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mmgan" / "emoji"


def find(name: str) -> Path:
    """The file ``name``. Raises DataError where it is absent."""
    given = [Path(os.environ["MMGAN_DATA"]) / "emoji"] if os.environ.get("MMGAN_DATA") else []
    for folder in (*given, cache_folder()):
        if (folder / name).is_file():
            return folder / name
    raise DataError("emoji.absent", name=name)


def load_concepts() -> list[Concept]:
    """All concepts, in emoji order."""
    with find(CONCEPTS).open(encoding="utf-8", newline="") as file:
        return [
            Concept(
                row["hexcode"], row["name_en"], row["name_zh"], _words(row["tags_en"]), _words(row["tags_zh"]),
                row["group"], row["split"] == "val",
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def load_pictures(style: str) -> Iterator[tuple[str, Image.Image]]:
    """The hexcodes and pictures (RGB, 128 x 128, on white) of an art style."""
    with tarfile.open(find(f"{style}.tar")) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                yield Path(member.name).stem, Image.open(io.BytesIO(file.read())).convert("RGB")


def _words(tags: str) -> tuple[str, ...]:
    return tuple(word for word in tags.split("|") if word)
