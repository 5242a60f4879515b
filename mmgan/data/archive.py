"""Reading files that strangers made: folders, zips, and the pictures in them, within stated limits.

Nothing of a zip is ever written to the disk: its members are read into memory one at a time, after every name and
every declared size in it has been checked, so a name that points elsewhere has nowhere to go.
"""

from __future__ import annotations

import io
import os
import re
import stat
import threading
import unicodedata
import zipfile
import zlib
from pathlib import Path

from PIL import Image

from ..errors import DataError
from .limits import Limits, mebibytes

PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
SYSTEM_FILES = {"__macosx", "thumbs.db", "desktop.ini"}  # what macOS and Windows leave beside people's files
UNREADABLE = {  # what is said of a file of either kind
    "image": "the picture cannot be read; save it again as PNG or JPEG.",
    "sound": "the sound cannot be read; save it again as WAV, FLAC, OGG or MP3.",
}
DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
ENTRY_MARK = b"PK\x01\x02"  # begins each entry of a zip's list of files


class FolderFiles:
    """The files under a folder on this machine; ``names`` are relative, with forward slashes, sorted."""

    def __init__(self, folder: Path, limits: Limits = Limits()):
        self.folder, self.limits = folder, limits
        names = []
        for parent, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if not is_system(name)]
            relative = Path(parent).relative_to(folder)
            if len(relative.parts) > limits.depth:
                raise DataError(f"{folder.name} has more than {limits.depth} folders within each other; flatten it.")
            names += [(relative / name).as_posix() for name in files if not is_system(name)]
            _check_count(folder.name, len(names), limits)
        self.names = sorted(names)

    def read(self, name: str) -> bytes:
        """The bytes of a file of ``names``. Raises DataError where it is too large or cannot be read."""
        return self.read_file(self.folder / name, name, self.limits)

    def size(self, name: str) -> int:
        """Bytes of a file of ``names``; 0 where the system does not say."""
        try:
            return (self.folder / name).stat().st_size
        except OSError:
            return 0

    def leads_outside(self, name: str) -> bool:
        """Whether a file of ``names`` is a link to somewhere outside the folder."""
        path = self.folder / name
        return path.is_symlink() and not path.resolve().is_relative_to(self.folder.resolve())

    @staticmethod
    def read_file(path: Path, name: str, limits: Limits) -> bytes:
        """The bytes of the file at ``path``, called ``name`` in sentences. Raises DataError as :meth:`read`."""
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block for ever
                raise DataError(f"{name} is not an ordinary file; replace it by one.")
            if path.stat().st_size > limits.file_bytes:
                raise DataError(f"{name} is larger than {mebibytes(limits.file_bytes)}; make it smaller.")
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"{name} cannot be opened ({error.strerror}); check that it may be read.") from error


class ZipFiles:
    """The members of a zip, with the same ``names`` and ``read`` as :class:`FolderFiles`.

    Raises:
        DataError: not a zip, one with a password, or one that breaks a limit or could write or read outside itself.
    """

    def __init__(self, path: Path, limits: Limits = Limits()):
        self.limits, self._lock = limits, threading.Lock()
        try:
            _check_count(path.name, _count_entries(path), limits)  # before zipfile builds an object for each
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{path.name} cannot be opened as a zip; pack the folder again as a .zip.") from error
        try:
            self._members = self._checked(path.name)
        except DataError:
            self._zip.close()
            raise
        self.names = sorted(self._members)

    def _checked(self, archive: str) -> dict[str, zipfile.ZipInfo]:
        limits, members, total, packed = self.limits, {}, 0, 0
        infos = self._zip.infolist()
        _check_count(archive, len(infos), limits)
        for info, written in zip(infos, _decode_names(infos), strict=True):
            name = safe_name(written, limits)
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0 from tools that do not write it
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise DataError(f"{archive} holds a link or device ({name}); pack the files themselves.")
            if info.is_dir() or kind == stat.S_IFDIR or written.endswith(("/", "\\")):
                continue
            if info.flag_bits & 1:
                raise DataError(f"{archive} has a password; pack it again without one.")
            if info.file_size > limits.file_bytes:
                raise DataError(f"{name} unpacks to more than {mebibytes(limits.file_bytes)}; make it smaller.")
            total, packed = total + info.file_size, packed + info.compress_size
            if _is_bomb(info.file_size, info.compress_size, limits):
                raise DataError(f"{name} unpacks to over {limits.ratio} times its size; save it again and pack anew.")
            if is_system(*name.split("/")):
                continue
            if name in members:
                raise DataError(f"{archive} holds two files named {name}; rename one and pack it again.")
            members[name] = info
        if total > limits.total_bytes:
            raise DataError(f"{archive} unpacks to over {mebibytes(limits.total_bytes)}; upload a smaller selection.")
        if _is_bomb(total, packed, limits):
            raise DataError(f"{archive} unpacks to over {limits.ratio} times its size; pack the original files anew.")
        return members

    def size(self, name: str) -> int:
        """Bytes that a member of ``names`` declares to unpack to; it gives no more."""
        return self._members[name].file_size

    def read(self, name: str) -> bytes:
        """The bytes of a member of ``names``. Raises DataError where it is damaged or packed in an unusual way."""
        info = self._members[name]
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f"{name} is packed in an unusual way; pack the zip again with the standard method (deflate)."
            )
        try:
            with self._lock, self._zip.open(info) as member:
                data = member.read(info.file_size)  # never more than declared, which has been checked
                if len(data) != info.file_size or member.read(1):
                    raise DataError(f"{name} is damaged in the zip; pack it again.")
                return data
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise DataError(f"{name} is damaged in the zip; pack it again.") from error


def open_files(source: str | Path, limits: Limits = Limits()) -> FolderFiles | ZipFiles:
    """The files of a folder or .zip. Raises DataError where there is neither."""
    path = Path(source)
    try:
        if path.is_dir():
            return FolderFiles(path, limits)
        if path.is_file():
            return ZipFiles(path, limits)
    except (OSError, ValueError) as error:  # a name with NUL, or too long
        if isinstance(error, DataError):
            raise
    raise DataError(f"There is no dataset, folder or zip at {str(source)[:200]!r}; check the name.")


def safe_name(name: str, limits: Limits = Limits()) -> str:
    """A zip member's name with forward slashes and composed accents.

    Raises:
        DataError: it is absolute, climbs out with "..", names a device, or holds control characters.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/"))
    shown = repr(name[:100])
    if any(unicodedata.category(char) == "Cc" for char in name):
        raise DataError(f"The zip holds a name with control characters ({shown}); rename the file and pack again.")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise DataError(f"The zip holds a file outside itself ({shown}); pack the folder again with relative names.")
    if any(map(is_device, parts)):
        raise DataError(f"The zip holds a name that Windows keeps for a device ({shown}); rename the file.")
    if len(parts) > limits.depth + 1:
        raise DataError(f"The zip has more than {limits.depth} folders within each other; flatten it and pack again.")
    return "/".join(parts)


def decode_text(raw: bytes, western: str = "cp1252") -> str:
    """Text of unstated encoding: UTF-8 or UTF-16 (with or without mark), GB18030, else ``western``."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    if b"\0" in raw[:64]:  # UTF-16 without its mark: every other byte of plain letters is zero
        return raw.decode("utf-16-be" if raw[:1] == b"\0" else "utf-16-le", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode(western, errors="replace")
    # Western accents, each followed by a plain letter, also decode as GB18030, but to characters that hardly occur.
    chinese = [char for char in text if char > "\x7f"]
    common = sum(len(char.encode("gb2312", errors="ignore")) == 2 for char in chinese)
    return text if common * 2 >= len(chinese) else raw.decode(western, errors="replace")


def open_picture(data: bytes, limits: Limits = Limits(), draft: int | None = None) -> Image.Image:
    """PNG, JPEG, WebP, GIF (its first frame) or BMP bytes -> a fully decoded picture.

    Args:
        draft: a JPEG may be decoded at a reduced size that is no smaller than this on either side, which is faster.

    Raises:
        DataError: not a picture, damaged, or of more pixels than ``limits`` allow (seen before decoding).
    """
    too_large = f"the picture has more than {limits.pixels // 1_000_000} million pixels; make it smaller."
    try:
        image = Image.open(io.BytesIO(data), formats=PICTURE_FORMATS)  # reads the header only
        if image.width * image.height > limits.pixels or max(image.size) > limits.picture_side:
            raise DataError(too_large)
        if draft:
            image.draft(None, (draft, draft))
        image.load()
        return image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(too_large) from error
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise almost anything on damaged files, SyntaxError included
        raise DataError(UNREADABLE["image"]) from error


def _count_entries(path: Path) -> int:
    count, tail = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            count += (tail + chunk).count(ENTRY_MARK)
            tail = chunk[-(len(ENTRY_MARK) - 1) :]
    return count


def _decode_names(infos: list[zipfile.ZipInfo]) -> list[str]:
    """Names as their writer meant them: zipfile reads names without the UTF-8 flag as cp437, whatever they are."""
    raw = [info.orig_filename.encode("cp437") for info in infos if not info.flag_bits & 0x800]
    if any(byte < 32 for name in raw for byte in name):
        raise DataError("The zip holds a name with control characters; rename the file and pack again.")
    decoded = decode_text(b"\n".join(raw), western="cp437").split("\n")  # together: one zip, one encoding
    # Names that begin as UTF-16 would are in nobody's encoding, and come out as one.
    decoded = iter(decoded if len(decoded) == len(raw) else [name.decode("cp437") for name in raw])
    return [info.orig_filename if info.flag_bits & 0x800 else next(decoded) for info in infos]


def is_device(name: str) -> bool:
    """Whether Windows keeps the name of a file or folder for a device, whatever its suffix."""
    return bool(DEVICES.fullmatch(name.split(".")[0].strip()))


def is_system(*parts: str) -> bool:
    """Whether one of a path's parts is hidden, or what macOS and Windows leave beside people's files."""
    return any(part.startswith(".") or part.lower() in SYSTEM_FILES for part in parts)


def _is_bomb(size: int, packed: int, limits: Limits) -> bool:
    return size > limits.ratio_from and size > limits.ratio * max(packed, 1)


def _check_count(name: str, count: int, limits: Limits) -> None:
    if count > limits.files:
        raise DataError(f"{name} holds more than {limits.files:,} files; choose fewer.")
