"""Reading files that strangers made: folders, zips, and the pictures in them, within stated limits.

Nothing of a zip is ever written to the disk: its members are read into memory one at a time, after every name and
every declared size in it has been checked, so a name that points elsewhere has nowhere to go.
"""

from __future__ import annotations

import io
import mmap
import os
import stat
import struct
import threading
import zipfile
import zlib
from pathlib import Path

from PIL import Image

from ..errors import DataError
from .limits import Limits, mebibytes
from .names import FLAGGED, free_name, is_system, member_names, readable, safe_name
from .own_output import MAX_BYTES, kind_of_folder
from .parquet import NAME as PAIRS

PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
UNREADABLE = {  # what is said of a file of either kind
    "image": "the picture cannot be read; save it again as PNG or JPEG.",
    "sound": "the sound cannot be read; save it again as WAV, FLAC, OGG or MP3.",
}
MOST_MEMORY = 160 << 20  # bytes of a decoded picture that somebody waits for: 41 million pixels in colour
DECODED_BYTES = {"WEBP": 12}  # of a pixel, where the decoder keeps the picture several times over
MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2}
DAMAGED = (  # what reading a member raises; the last of offsets that no file has
    zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, IndexError, OverflowError,
    struct.error,
)  # fmt: skip
MOST_MENDED = 1_000  # names in a zip that get a number; finding a free one for more takes its time
ENTRY_MARK = b"PK\x01\x02"  # begins each entry of a zip's list of files


class FolderFiles:
    """The files under a folder on this machine; ``names`` are relative, with forward slashes, sorted.

    Attributes:
        odd: (name, sentence) of each folder in it that was not looked into.
    """

    def __init__(self, folder: Path, limits: Limits = Limits()):
        self.folder, self.limits = folder, limits
        self.odd: list[tuple[str, str]] = []
        self.own: dict[str, str] = {}  # folders of mmgan's own output, left out whole (mmgan.data.own_output)
        self._paths: dict[str, str] = {}  # a name that can be shown -> the name on the disk
        for parent, folders, files in os.walk(folder, onerror=self._unreadable):
            if parent != str(folder) and (kind := kind_of_folder(files, lambda name, at=parent: _beginning(at, name))):
                self.own[readable(Path(parent).relative_to(folder).as_posix())] = kind
                folders.clear()
                continue
            relative = Path(parent).relative_to(folder)
            if len(relative.parts) > limits.depth:
                raise DataError(f"{folder.name} has more than {limits.depth} folders within each other; flatten it.")
            folders[:] = [name for name in folders if not is_system(name)]
            links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
            linked = "is a link to a folder, so it is left out; put the folder itself in its place."
            self.odd += [(readable((relative / name).as_posix()), linked) for name in links]
            for name in files:
                if not is_system(name):
                    path = (relative / name).as_posix()
                    self._paths[free_name(readable(path), self._paths)] = path
            _check_count(folder.name, len(self._paths), limits)
        self.names = sorted(self._paths)

    def _unreadable(self, error: OSError) -> None:
        name = readable(os.path.relpath(error.filename, self.folder).replace(os.sep, "/"))
        if name == ".":
            raise DataError(f"{self.folder.name} cannot be opened ({error.strerror}); check that it may be read.")
        self.odd.append((name, f"cannot be opened ({error.strerror}), so it is left out; check that it may be read."))

    def read(self, name: str) -> bytes:
        """The bytes of a file of ``names``. Raises DataError where it is too large or cannot be read."""
        return self.read_file(self.folder / self._paths[name], name, self.limits)

    @property
    def title(self) -> str:
        """What the folder is called."""
        return self.folder.name

    def size(self, name: str) -> int:
        """Bytes of a file of ``names``; 0 where the system does not say."""
        try:
            return (self.folder / self._paths[name]).stat().st_size
        except OSError:
            return 0

    def leads_outside(self, name: str) -> bool:
        """Whether a file of ``names`` is a link to somewhere outside the folder."""
        path = self.folder / self._paths[name]
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
        self.name, self.limits, self._path, self._lock = path.name, limits, path, threading.Lock()
        try:
            _check_count(path.name, _count_entries(path), limits)  # before zipfile builds an object for each
            self._zip = _open_zip(path)
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
        taken, mended = set(), 0
        infos = self._zip.infolist()
        _check_count(archive, len(infos), limits)
        for info, written in zip(infos, member_names(infos), strict=True):
            name = safe_name(written, limits)
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0 from tools that do not write it
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise DataError(f"{archive} holds a link or device ({name}); pack the files themselves.")
            if info.is_dir() or kind == stat.S_IFDIR or written.endswith(("/", "\\")):
                continue
            if name.rpartition("/")[2] == PAIRS:  # the same files once more, for other programs: it is never read here
                continue
            if info.flag_bits & 1:
                raise DataError(f"{archive} has a password; pack it again without one.")
            if info.file_size > limits.file_bytes:
                raise DataError(f"{name} unpacks to more than {mebibytes(limits.file_bytes)}; make it smaller.")
            total, packed = total + info.file_size, packed + info.compress_size
            if _is_bomb(info.file_size, info.compress_size, limits):
                raise DataError(f"{name} unpacks to over {limits.ratio} times its size; save it again and pack anew.")
            if is_system(*written.replace("\\", "/").split("/")):
                continue
            if written in taken or mended > MOST_MENDED:
                raise DataError(f"{archive} holds two files named {name}; rename one and pack it again.")
            taken.add(written)
            mended += name in members  # by another one's mended name, or another spelling of its accents
            members[free_name(name, members)] = info
        if total > limits.total_bytes:
            raise DataError(f"{archive} unpacks to over {mebibytes(limits.total_bytes)}; upload a smaller selection.")
        if _is_bomb(total, packed, limits):
            raise DataError(f"{archive} unpacks to over {limits.ratio} times its size; pack the original files anew.")
        return members

    @property
    def title(self) -> str:
        """What the zip is called, without its suffix."""
        return Path(self._zip.filename or "").stem

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
            with self._lock, self._opened(info) as member:
                data = member.read(info.file_size)  # never more than declared, which has been checked
                if len(data) != info.file_size or member.read(1):
                    raise DataError(f"{name} is damaged in the zip; pack it again.")
                return data
        except DAMAGED as error:
            raise DataError(f"{name} is damaged in the zip; pack it again.") from error

    def _opened(self, info: zipfile.ZipInfo):
        """The member to be read, whatever its own header calls it: that name, and its encoding, is of no use here."""
        file = self._zip.fp
        file.seek(info.header_offset)
        head = file.read(30)
        flagged, length = head[7] & FLAGGED >> 8, int.from_bytes(head[26:28], "little")
        raw = file.read(length)
        if flagged and not _is_utf8(raw):
            if not isinstance(file, _Copy):
                self._zip = zipfile.ZipFile(_copy(self._path))
            self._zip.fp[info.header_offset + 7] &= ~(FLAGGED >> 8)
            flagged = 0
        info.orig_filename = raw.decode("utf-8" if flagged else "cp437")  # which zipfile compares with what it finds
        return self._zip.open(info)


def _beginning(folder: str, name: str) -> bytes:
    with open(os.path.join(folder, name), "rb") as file:
        return file.read(MAX_BYTES)


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
            full = image.size
            image.draft(None, (draft, draft))
            _check_memory(image, full)
        image.load()
        return image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(too_large) from error
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise almost anything on damaged files, SyntaxError included
        raise DataError(UNREADABLE["image"]) from error


def _check_memory(image: Image.Image, full: tuple[int, int]) -> None:
    """Raises DataError where decoding an opened picture would take more than ``MOST_MEMORY``."""
    each = DECODED_BYTES.get(image.format, MODE_BYTES.get(image.mode, 4))
    width, height = image.size
    if image.format == "JPEG" and image.info.get("progressive"):  # its decoder keeps all of it, whatever the draft
        (width, height), each = full, 2 * len(image.getbands())
    if width * height * each > MOST_MEMORY:
        raise DataError(
            "the picture takes too much memory to be looked at; save it as JPEG, or make it smaller than "
            f"{MOST_MEMORY // each // 1_000_000} million pixels."
        )


class _Copy(mmap.mmap):
    """The bytes of a file, which can be changed in memory alone."""

    def seekable(self) -> bool:
        return True


def _copy(path: Path) -> _Copy:
    with path.open("rb") as file:
        return _Copy(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _open_zip(path: Path) -> zipfile.ZipFile:
    """The zip, with names that are flagged as UTF-8 and are not taken for names of unstated encoding."""
    try:
        return zipfile.ZipFile(path)
    except UnicodeDecodeError:
        pass
    copy = _copy(path)
    place = copy.find(ENTRY_MARK)
    while place >= 0:
        length = int.from_bytes(copy[place + 28 : place + 30], "little")
        if place + 46 < len(copy) and not _is_utf8(copy[place + 46 : place + 46 + length]):
            copy[place + 9] &= ~(FLAGGED >> 8)
        place = copy.find(ENTRY_MARK, place + 1)
    return zipfile.ZipFile(copy)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _count_entries(path: Path) -> int:
    count, tail = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            count += (tail + chunk).count(ENTRY_MARK)
            tail = chunk[-(len(ENTRY_MARK) - 1) :]
    return count


def _is_bomb(size: int, packed: int, limits: Limits) -> bool:
    return size > limits.ratio_from and size > limits.ratio * max(packed, 1)


def _check_count(name: str, count: int, limits: Limits) -> None:
    if count > limits.files:
        raise DataError(f"{name} holds more than {limits.files:,} files; choose fewer.")
