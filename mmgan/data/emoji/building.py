"""Making the emoji's files in the user's cache: what is there already is kept, so that a second call goes on."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from ...errors import DataError
from ...system.download import NO_ROOM, NOT_OURS
from ...system.files import replace_file
from ...system.locks import file_lock
from . import choosing, sources
from .drawing import picture, renderer, svg

CONCEPTS, LICENCES = "concepts.csv", "LICENCES.txt"
STYLES = ("fluent3d", *sources.DRAWN)
THREADS = 4


def build(folder: Path) -> None:
    """Makes concepts.csv, one tar for each style and LICENCES.txt in ``folder``, as far as they are absent.

    Downloads (about 60 MB) wait in ``folder``/downloads and are removed once everything is there.

    Raises:
        DownloadError: no connection, or not the published files.
        DataError: resvg is not installed, or ``folder`` cannot be written.
    """
    draw, raw = renderer(), folder / "downloads"
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with file_lock(folder / "emoji.lock"):  # of several processes one builds, the others wait
            replace_file(folder / LICENCES, sources.ATTRIBUTION.encode())
            _build(folder, raw, draw)
            shutil.rmtree(raw, ignore_errors=True)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DataError("emoji.cache_full", path=folder) from error
        if error.errno in NOT_OURS:
            raise DataError("emoji.cache_closed", path=folder) from error
        raise


def _build(folder: Path, raw: Path, draw: Callable[[str], bytes]) -> None:
    lists = {code: _read(f"{sources.NAMES}/{code}/data.json", raw) for code in sources.LANGUAGES}
    groups = _read(f"{sources.NAMES}/meta/groups.json", raw)
    characters = {
        style: _read(f"{package}/chars.json", raw) | choosing.MIRRORED.get(style, {})
        for style, package in sources.DRAWN.items()
    }
    rows = choosing.table(lists, groups, characters)
    entries = {entry["hexcode"]: entry for entry in lists["en"]}
    codes = {style: sorted(row["hexcode"] for row in rows if style in row["styles"].split("|")) for style in STYLES}
    for style in STYLES:
        if (folder / f"{style}.tar").is_file():
            continue
        if style == "fluent3d":
            names = {code: str(choosing.rendered_name(entries[code])) for code in codes[style]}
            paths = sources.fetch_rendered(list(names.values()), raw)
            _pack(folder, style, {code: paths[name] for code, name in names.items()}, Path.read_bytes)
        else:
            icons = _read(f"{sources.DRAWN[style]}/icons.json", raw)
            drawn = {code: str(choosing.drawing_name(characters[style], code)) for code in codes[style]}
            _pack(folder, style, drawn, lambda name, icons=icons: draw(svg(icons, name)))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, choosing.COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    replace_file(folder / CONCEPTS, text.getvalue().encode())  # the last: where it is, everything is


def _read(path: str, raw: Path):
    return json.loads(sources.fetch_file(path, raw).read_text(encoding="utf-8"))


def _pack(folder: Path, style: str, art: dict, data: Callable) -> None:
    """``{code}.webp``, in order, as one uncompressed tar that takes its name when it is whole."""
    part = folder / f"{style}.tar.part"
    with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
        for code, packed in tqdm(_packed(art, data), style, len(art), unit="picture"):
            member = tarfile.TarInfo(f"{code}.webp")
            member.size = len(packed)
            tar.addfile(member, io.BytesIO(packed))
    os.replace(part, folder / f"{style}.tar")


def _packed(art: dict, data: Callable) -> Iterator[tuple[str, bytes]]:
    """The codes and their pictures as lossless WebP, in order; a few are made at once."""

    def one(item) -> tuple[str, bytes]:
        return item[0], webp(picture(data(item[1])))

    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(one, art.items())


def webp(image: Image.Image) -> bytes:
    """The picture as lossless WebP."""
    file = io.BytesIO()
    image.save(file, "WEBP", lossless=True, quality=90, method=6)
    return file.getvalue()
