"""Names of files as people and old programs wrote them: in any encoding, odd, or meant to do harm."""

from __future__ import annotations

import os
import posixpath
import re
import struct
import unicodedata
import zipfile
import zlib

from ...errors import DataError
from ..limits import Limits

SYSTEM_FILES = {  # what macOS, Windows and storage boxes leave beside people's files
    "__macosx", "icon\r", "icon\uf00d", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin",
    "system volume information", "@eadir",
}  # fmt: skip
DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
WINDOWS = re.compile(r'[<>:"|?*]')  # characters that names on Windows cannot have
JUDGED = 5_000  # characters of a zip's names by which the encoding is judged
PART_BYTES = 240  # of one name on a disk, with room left for a number
UNICODE_NAME = 0x7075  # extra field of a zip: the name in UTF-8 (PKWARE's APPNOTE.TXT, 4.6.9)
FLAGGED = 0x800  # the name is in UTF-8
# Encodings of names; where two fit equally well the first counts. Windows writes zips in those of DOS.
ENCODINGS = ("gb18030", "cp932", "cp949", "big5", "cp866", "cp1251", "cp437", "cp850", "cp1252")
# The commonest Korean syllables; the same bytes are also Chinese characters.
SYLLABLES = set(
    "이다가는을의에은고로한지사하기리시자어아나그도서인정대스일해부수보전제오라원조성주상장구만선안여미면비신공있간무우경들게진소동유계치중연"
    "방생과관물회실분내발화모세새개강양고양파란빨노물말소리집꽃차별달눈비산바다음악"
)


def is_device(name: str) -> bool:
    """Whether Windows keeps the name of a file or folder for a device, whatever its suffix."""
    return bool(DEVICES.fullmatch(name.split(".")[0].strip()))


def is_system(*parts: str) -> bool:
    """Whether one of a path's parts is hidden, or what systems leave beside people's files."""
    return any(part.startswith(".") or part.lower() in SYSTEM_FILES for part in parts)


def safe_name(name: str, limits: Limits = Limits()) -> str:
    """The name of a zip's member or of an upload, with forward slashes, composed accents and no control characters.

    It is a name to show and to look up; for a disk, :func:`disk_name` goes on with it.

    Raises:
        DataError: it is absolute, climbs out with "..", or hides its end behind a NUL.
    """
    shown = repr(name[:100])
    name = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:/", name) or "\0" in name:
        raise DataError("data.zip_outside", name=shown)
    if len(parts) > limits.depth + 1:
        raise DataError("data.zip_deep", depth=limits.depth)
    return "/".join(map(readable, parts))


def disk_name(name: str, windows: bool = os.name == "nt") -> str:
    """A name from :func:`safe_name`, changed where this disk does not allow it."""
    parts = []
    for part in name.split("/"):
        if windows:
            part = WINDOWS.sub("_", part).rstrip(" .") or "_"
            part = f"_{part}" if is_device(part) else part
        if len(part.encode("utf-8", "replace")) > PART_BYTES:
            stem, suffix = posixpath.splitext(part)
            suffix = suffix if len(suffix) < 10 else ""
            part = stem.encode("utf-8", "replace")[: PART_BYTES - len(suffix)].decode("utf-8", "ignore") + suffix
        parts.append(part)
    return "/".join(parts)


def readable(name: str) -> str:
    """A name without control characters, and without the bytes that stand for another encoding on Linux."""
    if any("\udc80" <= char <= "\udcff" for char in name):
        name = guess([os.fsencode(name)])[0]
    return "".join({"Cc": " ", "Cs": "\ufffd"}.get(unicodedata.category(char), char) for char in name)


def free_name(name: str, taken) -> str:
    """``name``, or "name (2)" and so on where it is taken."""
    stem, suffix = posixpath.splitext(name)
    number = 1
    while name in taken:
        number += 1
        name = f"{stem} ({number}){suffix}"
    return name


def member_names(infos: list[zipfile.ZipInfo]) -> list[str]:
    """Names of a zip's members as they were meant: zipfile reads those not flagged as UTF-8 as cp437."""
    told = [_unicode_name(info) for info in infos]
    others = [info.orig_filename.encode("cp437") for info, name in zip(infos, told, strict=True) if name is None]
    guessed = iter(guess(others))
    return [next(guessed) if name is None else name for name in told]


def _unicode_name(info: zipfile.ZipInfo) -> str | None:
    """The name in UTF-8, if the zip holds it."""
    if info.flag_bits & FLAGGED:
        return info.orig_filename
    raw, place = info.extra, 0
    while place + 4 <= len(raw):
        kind, size = struct.unpack_from("<HH", raw, place)
        field = raw[place + 4 : place + 4 + size]
        if kind == UNICODE_NAME and size > 5 and _is_for(info.orig_filename, field):
            try:
                return field[5:].decode("utf-8")
            except UnicodeDecodeError:
                return None
        place += 4 + size
    return None


def _is_for(name: str, field: bytes) -> bool:
    """Whether a field with a checksum is of this name: a program that renames a member may leave the old field."""
    return struct.unpack_from("<I", field, 1)[0] == zlib.crc32(name.encode("cp437"))


def guess(names: list[bytes]) -> list[str]:
    """Names of unstated encoding, all of a zip in the same one."""
    joined = b"\n".join(names)
    for encoding in ("ascii", "utf-8"):
        try:
            return [name.decode(encoding) for name in names]
        except UnicodeDecodeError:
            pass
    best, most = "cp437", 0.0
    for encoding in ENCODINGS:
        try:
            text = joined.decode(encoding)
        except UnicodeDecodeError:
            continue
        plausible = _plausible(text[:JUDGED], encoding)
        if plausible > most:
            best, most = encoding, plausible
    return [name.decode(best, "replace") for name in names]


def _plausible(text: str, encoding: str) -> float:
    """0..1: how much of what is not ASCII looks like names in a language of that encoding."""
    points = weight = 0.0
    hangul = [char for char in text if "가" <= char <= "힣"]
    korean = sum(char in SYLLABLES for char in hangul) / max(1, len(hangul))
    for word in re.findall(r"[^\W_]*[^\x00-\x7f]+[^\W_]*|[^\x00-\x7f]", text):
        letters = bool(re.search("[A-Za-z]", word))
        for before, char in zip(" " + word, word, strict=False):
            if char > "\x7f":
                size = len(char.encode(encoding))  # a character of two bytes explains two
                points += (
                    size * _common(char, encoding, letters, korean) / (3 if before.islower() and char.isupper() else 1)
                )
                weight += size
    return points / max(1.0, weight)


def _common(char: str, encoding: str, letters: bool, korean: float) -> float:
    """0..1: how common a character is; ``letters``: its word has plain letters too."""
    raw = char.encode(encoding)
    if len(raw) == 1:
        kind = unicodedata.name(char, "").split(" ")[0]
        if kind == "LATIN":
            return 0.9 if letters else 0.3
        return 0.2 if kind == "HALFWIDTH" else 0.85 if kind == "CYRILLIC" and not letters else 0.0
    if len(raw) != 2:
        return 0.0
    lead, trail = raw
    if encoding == "gb18030":  # GB 2312, level 1 and 2; its signs
        common = trail >= 0xA1 and (0.9 if 0xB0 <= lead <= 0xD7 else 0.4 if 0xA1 <= lead <= 0xF7 else 0.0)
    elif encoding == "cp932":  # kana; JIS X 0208, level 1 and 2
        common = 0.95 if "ぁ" <= char <= "ヿ" else 0.9 if 0x88 <= lead <= 0x97 else 0.3
    elif encoding == "cp949":  # the syllables of KS X 1001
        common = trail >= 0xA1 and 0xB0 <= lead <= 0xC8 and 0.8 + 0.2 * (korean > 0.4)
    else:  # Big5, level 1 and 2
        common = 0.85 if 0xA4 <= lead <= 0xC6 else 0.3
    return common / 3 if letters and trail < 0x80 else float(common)  # rather a western accent and the letter after it
