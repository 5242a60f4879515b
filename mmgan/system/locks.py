"""Locks on files that end with their process, also where the file system has none, as on many network and cloud drives.

Where the operating system's own lock (``flock``) is refused, a marker file takes its place: it names its process and
machine and is renewed by a thread, so one whose process has ended, or whose machine was silent, is taken over.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, SoftFileLease, Timeout

CONTENDED = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)  # somebody else has it
LEASE_SECONDS = 20.0  # after which a marker of another machine that is not renewed is taken over
POLL_SECONDS = 0.02
MARKER = ".held"  # what the name of a marker ends with
WAIT_SECONDS = 30.0  # for a lock that is never held for long
_taking = threading.Lock()
warnings.filterwarnings("ignore", message="flock not supported")  # the markers that filelock uses instead do as well


class Held:
    """A lock that this process has until :meth:`close`, or until it ends."""

    def __init__(self, file, lease: SoftFileLease | None = None):
        self._file, self._lease = file, lease

    def close(self) -> None:
        """Lets others have it."""
        self._file.close()
        if self._lease is not None:
            self._lease.release()


def hold(path: Path) -> Held | None:
    """The lock of the file at ``path``, which is made; None where somebody else has it.

    Raises:
        OSError: the file cannot be made.
    """
    while True:
        file = open(path, "ab")  # noqa: SIM115 (open as long as it is locked)
        try:
            if not _flock(file):
                file.close()
                return None
        except OSError:  # the file system has no locks
            return _hold_marker(path, file)
        if _is(path, file):
            return Held(file)
        file.close()  # the holder before removed the file


def is_held(path: Path) -> bool:
    """Whether a living process has the lock."""
    try:
        with open(path, "rb") as file:
            try:
                return not _flock(file, shared=True)
            except OSError:
                held = _hold_marker(path, file) if os.path.lexists(_marker(path)) else Held(file)
                if held is not None:
                    held.close()
                return held is None
    except OSError:
        return False


@contextlib.contextmanager
def alone(path: Path, timeout: float = WAIT_SECONDS) -> Iterator[None]:
    """Waits for the lock of ``path``, and removes the file at the end of the block, so that nothing is left.

    Raises:
        TimeoutError: somebody else had it all the time.
        OSError: the file cannot be made.
    """
    deadline = time.monotonic() + timeout
    while (held := hold(path)) is None:
        if time.monotonic() >= deadline:
            raise TimeoutError(errno.ETIMEDOUT, "somebody else has the lock", str(path))
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no open file
            path.unlink()
        held.close()


def file_lock(path: str | Path, timeout: float = -1):
    """An acquired :class:`filelock.FileLock`, or a lease where the file system has no locks; releases as a context.

    Args:
        timeout: seconds to wait; -1 waits as long as it takes.

    Raises:
        filelock.Timeout: somebody else had it all the time.
    """
    try:
        return FileLock(str(path), thread_local=False).acquire(timeout=timeout)
    except Timeout:
        raise
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENOSPC, errno.EROFS):
            raise
        lease = SoftFileLease(_marker(path), lease_duration=LEASE_SECONDS, thread_local=False)
        return lease.acquire(timeout=timeout)


def _flock(file, shared: bool = False) -> bool:
    """Whether the operating system gave the lock. Raises OSError where it knows no locks for the file."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in CONTENDED:
            return False
        raise
    return True


def _hold_marker(path: Path, file) -> Held | None:
    lease = _lease(str(path))
    with _taking:
        try:
            if lease.is_locked:  # by another object of this process
                raise Timeout(lease.lock_file)
            lease.acquire(timeout=0)
        except Timeout:
            file.close()
            return None
    return Held(file, lease)


@functools.lru_cache(maxsize=256)  # kept, because each remembers since when another machine has been silent
def _lease(path: str) -> SoftFileLease:
    return SoftFileLease(_marker(path), lease_duration=LEASE_SECONDS, thread_local=False)


def _marker(path: str | Path) -> str:
    return f"{path}{MARKER}"


def _is(path: Path, file) -> bool:
    """Whether the open file is still the one at ``path``."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except OSError:
        return False
