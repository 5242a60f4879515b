"""Where the emoji come from: five published packages, whose files a content network serves one by one.

Every file is checked against its SHA-256, the 3D pictures all together. Whose the art is stands in ``ATTRIBUTION``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from ...system.download import DownloadError, fetch

MIRRORS = ("https://cdn.jsdelivr.net/npm/", "https://unpkg.com/")
NAMES = "emojibase-data@17.0.0"
LANGUAGES = ("en", "zh", "es", "fr", "de", "ja")
DRAWN = {  # art style -> package of SVG drawings
    "fluentflat": "@iconify-json/fluent-emoji-flat@1.2.6",
    "noto": "@iconify-json/noto@1.2.9",
    "twemoji": "@iconify-json/twemoji@1.2.5",
}
RENDERED = "@lobehub/fluent-emoji-3d@1.1.0"  # one WebP for each picture
RENDERED_MOST = 1 << 20  # bytes of one; the largest has 11,334
# Of all that are used, one after the other in the order of their names:
RENDERED_SHA256 = "24a3e32681bcf69002c47b6e7942ed87b2d5504cc70cd3b4c20b42dc7b953cc4"
AT_ONCE = 8  # connections
FILES = {  # path: bytes and SHA-256
    f"{NAMES}/en/data.json": (775_157, "ed014f1049bd370c5794f815850156196ac382850f51c3e9f6a9e83553fb3f01"),
    f"{NAMES}/zh/data.json": (745_736, "ab26566248ccb4e991c6314a0b98e07daa38325bf44bc32260a6502f4cd6cb37"),
    f"{NAMES}/es/data.json": (772_737, "ba2a0c61edf8b29e6584e4713bd6eead6b8702c6d488c59cd394c96934e25707"),
    f"{NAMES}/fr/data.json": (805_524, "2d98e00803f7c777f9127002b59965151e4e0522767c899f7af897d8ca98454e"),
    f"{NAMES}/de/data.json": (808_463, "62c4877944d2347dc1a529b53f939ad87df09ba3e1f401ee31748aa59ff6f7ea"),
    f"{NAMES}/ja/data.json": (775_154, "145a05c890312867ea1535ded173d81c4ac55aebed1a560c3d171e8fbed5554b"),
    f"{NAMES}/meta/groups.json": (3_860, "3ce4f0a8e5890ed9d746b12e0056b170340928c1936be35cf92bb3e6d83a71e1"),
    f"{DRAWN['fluentflat']}/chars.json": (122_756, "7f084c5a95807edb4702a7c9f6f18e74d59026d1c34ceb8cae85df0b9a9f0a10"),
    f"{DRAWN['fluentflat']}/icons.json": (
        8_958_092,
        "f5f4cf457c0db2ad5a2e42e033e02e0c87d10e43d0164cfffb3bb84914970a63",
    ),
    f"{DRAWN['noto']}/chars.json": (189_666, "91485653ca890bff640f2a6c2d7be62d625a90527b6b4d816b41593675bf5c8f"),
    f"{DRAWN['noto']}/icons.json": (25_233_364, "9eac6ef4e7ec122b6f0e7ac281d61008afdbc720d0ce861e398b939daaa347c6"),
    f"{DRAWN['twemoji']}/chars.json": (199_063, "8e6a83d5a3ac185b2446154b9c4ee07c983bd4a5b2a21aa4b9ff04af9831eefe"),
    f"{DRAWN['twemoji']}/icons.json": (10_187_099, "5d5d820790565b764f2728675d487c9ee4c1fc83916d8567d5aca8ba7527c242"),
}

ATTRIBUTION = """\
The emoji of mmgan: pictures of 1,275 things in four art styles, with their names

fluent3d    Fluent Emoji 3D by Microsoft Corporation, MIT; as packed by LobeHub, "Copyright (c) 2023 LobeHub", MIT
            https://github.com/microsoft/fluentui-emoji, https://github.com/lobehub/fluent-emoji
fluentflat  Fluent Emoji Flat by Microsoft Corporation, MIT; as packed by Iconify
            https://github.com/microsoft/fluentui-emoji/blob/main/LICENSE
noto        Noto Emoji by Google Inc, Apache License 2.0; as packed by Iconify
            https://github.com/googlefonts/noto-emoji/blob/main/svg/LICENSE
twemoji     Twemoji by Twitter and the maintainers of https://github.com/jdecked/twemoji, CC BY 4.0, which asks that
            this be said wherever the pictures are shared; as packed by Iconify
            https://creativecommons.org/licenses/by/4.0/
names       emojibase by Miles Johnson, MIT, "Copyright (c) 2017-2019 Miles Johnson"
            https://github.com/milesj/emojibase

Changes made: drawings were rasterised, and all pictures put on white and reduced to 128 x 128 pixels.
"""


def fetch_file(path: str, folder: Path) -> Path:
    """One of ``FILES``, kept in ``folder``. Raises DownloadError and DataError as :func:`fetch` does."""
    size, sha256 = FILES[path]
    return fetch(_addresses(path), folder / path.replace("/", "_"), sha256=sha256, size=size)


def fetch_rendered(names: Sequence[str], folder: Path) -> dict[str, Path]:
    """The 3D pictures of these names, several at once and each kept as it comes.

    Raises:
        DownloadError: one is not to be had, or all together are not what was published; then none is kept.
    """
    folder = folder / "rendered"

    def get(name: str) -> Path:
        address = _addresses(f"{RENDERED}/assets/{name}.webp")
        return fetch(address, folder / f"{name}.webp", most=RENDERED_MOST, progress=False)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        paths = list(tqdm(pool.map(get, names), RENDERED, len(names), unit="picture"))
    together = hashlib.sha256()
    for _, path in sorted(zip(names, paths, strict=True)):
        together.update(path.read_bytes())
    if together.hexdigest() != RENDERED_SHA256:
        for path in paths:
            path.unlink()
        raise DownloadError("damaged", name=RENDERED)
    return dict(zip(names, paths, strict=True))


def _addresses(path: str) -> list[str]:
    return [mirror + path for mirror in MIRRORS]
