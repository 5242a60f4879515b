"""Reading files that strangers made, from folders and zips, within stated limits.

Nothing of a zip is ever written to the disk: members are read into memory one at a time, after all names and declared
sizes have been checked, so a name that points elsewhere can do no harm.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
import threading
import zipfile
import zlib
from functools import partial
from pathlib import Path
from typing import Protocol

from ...errors import DataError
from ...language import Message
from ..limits import Limits, mebibytes
from .names import FLAGGED, free_name, is_system, member_names, readable, safe_name
from .own_output import MAX_BYTES, kind_of_folder
from .parquet import NAME as PAIRS

DAMAGED = (  # what reading a member raises; the last comes from offsets beyond any file
    zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, IndexError, OverflowError,
    struct.error,
)  # fmt: skip
MOST_MENDED = 1_000  # names in a zip that get a number; finding free ones for more takes too long
ENTRY_MARK = b"PK\x01\x02"  # begins each entry of a zip's list of files


class Files(Protocol):
    """What a dataset is read from: a folder, a zip, or files from elsewhere with the same methods."""

    names: list[str]
    limits: Limits

    def size(self, name: str) -> int: ...

    def read(self, name: str) -> bytes: ...


class FolderFiles:
    """The files under a folder on this machine; ``names`` are relative, with forward slashes, sorted.

    Attributes:
        odd: (name, message) of each folder in it that was not looked into.
    """

    def __init__(self, folder: Path, limits: Limits = Limits()):
        self.folder, self.limits = folder, limits
        self.odd: list[tuple[str, Message]] = []
        self.own: dict[str, str] = {}  # folders of mmgan's own output, left out whole (mmgan.data.folder.own_output)
        self._paths: dict[str, str] = {}  # a name that can be shown -> the name on the disk
        for parent, folders, files in os.walk(folder, onerror=self._unreadable):
            if parent != str(folder) and (kind := kind_of_folder(files, partial(_beginning, parent))):
                self.own[readable(Path(parent).relative_to(folder).as_posix())] = kind
                folders.clear()
                continue
            relative = Path(parent).relative_to(folder)
            if len(relative.parts) > limits.depth:
                raise DataError("data.deep_folder", name=folder.name, depth=limits.depth)
            folders[:] = [name for name in folders if not is_system(name)]
            links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
            linked = Message("data.left_out_folder_link")
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
            raise DataError("data.cannot_open", name=self.folder.name, error=error.strerror)
        self.odd.append((name, Message("data.left_out_cannot_open", error=error.strerror)))

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
                raise DataError("data.no_ordinary_file", name=name)
            if path.stat().st_size > limits.file_bytes:
                raise DataError("data.file_too_large", name=name, size=mebibytes(limits.file_bytes))
            return path.read_bytes()
        except OSError as error:
            raise DataError("data.cannot_open", name=name, error=error.strerror) from error


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
            raise DataError("data.no_zip", name=path.name) from error
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
                raise DataError("data.zip_link", name=archive, member=name)
            if info.is_dir() or kind == stat.S_IFDIR or written.endswith(("/", "\\")):
                continue
            if name.rpartition("/")[2] == PAIRS:  # the same pairs once more, for other programs; never read here
                continue
            if info.flag_bits & 1:
                raise DataError("data.zip_password", name=archive)
            if info.file_size > limits.file_bytes:
                raise DataError("data.member_large", name=name, size=mebibytes(limits.file_bytes))
            total, packed = total + info.file_size, packed + info.compress_size
            if _is_bomb(info.file_size, info.compress_size, limits):
                raise DataError("data.member_ratio", name=name, times=limits.ratio)
            if is_system(*written.replace("\\", "/").split("/")):
                continue
            if written in taken or mended > MOST_MENDED:
                raise DataError("data.zip_twice", name=archive, member=name)
            taken.add(written)
            mended += name in members  # another member was mended to this name, or spells its accents differently
            members[free_name(name, members)] = info
        if total > limits.total_bytes:
            raise DataError("data.zip_large", name=archive, size=mebibytes(limits.total_bytes))
        if _is_bomb(total, packed, limits):
            raise DataError("data.zip_ratio", name=archive, times=limits.ratio)
        return members

    @property
    def title(self) -> str:
        """What the zip is called, without its suffix."""
        return Path(self._zip.filename or "").stem

    def size(self, name: str) -> int:
        """Bytes that a member of ``names`` declares to unpack to; it never gives more."""
        return self._members[name].file_size

    def read(self, name: str) -> bytes:
        """The bytes of a member of ``names``. Raises DataError where it is damaged or packed in an unusual way."""
        info = self._members[name]
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError("data.zip_packing", name=name)
        try:
            with self._lock, self._opened(info) as member:
                data = member.read(info.file_size)  # never more than declared, which has been checked
                if len(data) != info.file_size or member.read(1):
                    raise DataError("data.member_damaged", name=name)
                return data
        except DAMAGED as error:
            raise DataError("data.member_damaged", name=name) from error

    def _opened(self, info: zipfile.ZipInfo):
        """The member, opened whatever name its own header gives, which is of no use here."""
        file = self._zip.fp
        assert file is not None  # nobody closes the zip
        file.seek(info.header_offset)
        head = file.read(30)
        flagged, length = head[7] & FLAGGED >> 8, int.from_bytes(head[26:28], "little")
        raw = file.read(length)
        if flagged and not _is_utf8(raw):
            if isinstance(file, _Copy):
                copy = file
            else:
                copy = _copy(self._path)
                self._zip = _zip_of(copy)
            copy[info.header_offset + 7] &= ~(FLAGGED >> 8)
            flagged = 0
        info.orig_filename = raw.decode("utf-8" if flagged else "cp437")  # zipfile compares it with the local name
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
    raise DataError("data.no_such_dataset", path=str(source)[:200])


class _Copy(mmap.mmap):
    """The bytes of a file, to be changed only in memory."""

    def seekable(self) -> bool:
        return True


def _copy(path: Path) -> _Copy:
    with path.open("rb") as file:
        return _Copy(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _zip_of(copy: _Copy) -> zipfile.ZipFile:
    return zipfile.ZipFile(copy)  # type: ignore[call-overload]  # zipfile needs only what a map has: seek and read


def _open_zip(path: Path) -> zipfile.ZipFile:
    """The zip; names flagged as UTF-8 that are not UTF-8 count as names of unstated encoding."""
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
    return _zip_of(copy)


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
        raise DataError("data.too_many_files", name=name, count=limits.files)
