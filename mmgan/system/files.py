"""Folders and files that are replaced as a whole, so that a kill at any moment leaves the last good copy.

A folder cannot be exchanged for another in one portable step. A save therefore writes a hidden sibling, flushes it to
the disk, and then renames twice: the present folder aside, the new one into its place. Whoever reads between the two
renames, or after a kill there, finds the copy that was put aside (:func:`read_folder`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from ..errors import MmganError

T = TypeVar("T")
# Names of files and folders that a save fills before it renames them, and of those about to be deleted.
_LEFT = re.compile(r"(?:mmgan-p|\..+\.(?:new|deleted|adopted)-)(\d{1,9})(?:-.*)?", re.DOTALL)
# Keeps two threads of this process from saving at once; two processes are kept apart by the run's lock.
_saving = threading.Lock()


@contextlib.contextmanager
def saving(target: Path) -> Iterator[None]:
    """Turns what the operating system says about a failed save of ``target`` into one sentence.

    Raises:
        MmganError: the disk is full, the place cannot be written, or any other OSError.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MmganError("files.disk_full", path=target) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise MmganError("files.closed", path=target) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
            raise MmganError("files.in_the_way", path=target) from error
        raise MmganError("files.not_saved", path=target, error=error.strerror or error) from error


def write_file(path: Path, data: bytes, flush: bool = True) -> None:
    """``data`` at ``path``, on the disk when this returns unless ``flush`` is off."""
    with open(path, "wb") as file:
        file.write(data)
        if flush:
            file.flush()
            os.fsync(file.fileno())


def replace_file(path: Path, data: bytes, flush: bool = True) -> None:
    """Puts ``data`` in the place of the file at ``path``; a reader sees the old bytes or the new ones.

    Without ``flush`` that holds for a killed process, not for a power cut, and costs no wait for the disk.
    """
    temporary = path.with_name(f".{path.name}.new-{os.getpid()}-{threading.get_ident()}")
    try:
        write_file(temporary, data, flush)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_folder(
    folder: Path, write: Callable[[Path], None], keep: Callable[[str], bool] = lambda name: False
) -> None:
    """Lets ``write`` fill a new folder and puts it in the place of ``folder``.

    Args:
        write: called with an empty folder beside ``folder``.
        keep: names in the old folder that are copied into the new one unless ``write`` made them.

    Raises:
        MmganError: it could not be saved; ``folder`` is as it was.
    """
    folder = Path(os.path.abspath(folder))
    new, old = folder.with_name(f".{folder.name}.new-{os.getpid()}"), _aside(folder)
    with _saving, saving(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        _tidy(folder)
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "a file is in the way")
        try:
            new.mkdir()
            write(new)
            for entry in folder.iterdir() if folder.is_dir() else ():
                if keep(entry.name) and not (new / entry.name).exists():
                    (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, new / entry.name)
            _flush_folder(new)
            if folder.exists():
                os.rename(folder, old)
            try:
                os.rename(new, folder)
            except OSError:
                if old.exists():
                    os.rename(old, folder)
                raise
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        _flush_folder(folder.parent)
        shutil.rmtree(old, ignore_errors=True)


def read_folder(folder: Path, read: Callable[[Path], T]) -> T:
    """``read(folder)``, such that everything it reads comes from one save, even while another process saves anew.

    Raises:
        MmganError: it was saved anew during every attempt in ten seconds.
        Whatever ``read`` raises of a folder that stayed as it was.
    """
    folder = Path(os.path.abspath(folder))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        current = present(folder)
        before = _identity(current)
        try:
            result = read(current)
        except Exception:
            if _identity(current) == before and present(folder) == current:
                raise
            continue
        if _identity(current) == before:
            return result
    raise MmganError("files.never_still", path=folder)


def exists(path: str | Path) -> bool:
    """Whether something is there; nothing is at what cannot be a path, such as one that is too long."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def present(folder: Path) -> Path:
    """``folder``, or the copy put aside where a save of it was cut short between its two renames."""
    return folder if folder.exists() or not _aside(folder).is_dir() else _aside(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _tidy(folder: Path) -> None:
    """Cleans up after a killed save: restores the copy put aside, and removes half-written ones."""
    old = _aside(folder)
    if old.is_dir():
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(old, folder)
    prefix = f".{folder.name}.new-"
    for entry in folder.parent.iterdir():
        pid = entry.name.removeprefix(prefix)
        if (
            entry.name.startswith(prefix)
            and pid.isdecimal()
            and (int(pid) == os.getpid() or not process_lives(int(pid)))
        ):
            shutil.rmtree(entry, ignore_errors=True)


def own_prefix() -> str:
    """How names of this process's temporary files begin, so that another process can remove them after a kill."""
    return f"mmgan-p{os.getpid()}-"


def remove_left(folder: Path) -> None:
    """Removes from ``folder`` what dead processes were about to put in place or to delete."""
    for entry in list(os.scandir(folder)) if folder.is_dir() else ():
        left = _LEFT.fullmatch(entry.name)
        if left is None or process_lives(int(left[1])):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)


def process_lives(pid: int) -> bool:
    """Whether this machine runs a process of that number."""
    if pid <= 0:
        return False
    if sys.platform == "win32":  # os.kill(pid, 0) would end it there
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    except OverflowError:  # too large for the number of a process
        return False
    return True


def _flush_folder(folder: Path) -> None:
    if sys.platform == "win32":  # folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
