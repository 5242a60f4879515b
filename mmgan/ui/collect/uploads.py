"""Uploads on their way into a project: streamed to the disk file by file, then added to the table by a thread.

Files wait in a folder beside the projects. So a folder of five hundred files is one upload in which pairs find each
other, no upload is held in memory, and one that breaks off leaves nothing.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from filelock import Timeout

from ...data.folder.layout import Problem
from ...data.folder.names import disk_name, free_name, safe_name
from ...data.limits import Limits, mebibytes
from ...errors import DataError, MmganError, ModelGivenError
from ...language import Message
from ...projects.importing import Added, refuse_large
from ...projects.projects import Project
from ...system.files import saving
from ...system.locks import MARKER, file_lock
from ..server.sentences import PageError, sentence, unexpected
from ..server.turns import Turns, Visitor

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600.0  # an upload may stay untouched so long
OPEN_UPLOADS = 4  # of one visitor at a time
IDLE_SECONDS = 120.0  # without a byte the page counts as gone, and the visitor's other uploads go on
MAX_REFUSED, MAX_NAME = 1_000, 200  # number, and characters, of names of files that a page refused to send
LIVES = ".lock"  # a server holds this lock of its folder as long as it lives
SHOWN = 200  # files that could not be taken, listed in one answer; the project lists all


class Cancelled(Exception):
    """The person gave up an upload while it was being added."""


@dataclass
class Upload:
    """One upload of one visitor into one project."""

    folder: Path
    project: Project
    owner: str
    visitor: Visitor = Visitor()
    files: set[Path] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # names of loose files, also of those still on their way
    size: int = 0
    touched: float = field(default_factory=time.monotonic)
    state: str = "open"  # "open", "waiting", "adding", "done", "failed"
    done: int = 0
    total: int = 0
    name: str = ""  # of the file being examined
    said: Message | None = None  # what became of it
    left_out: list = field(default_factory=list)
    models: list = field(default_factory=list)  # names of files that are models, to be imported elsewhere
    cancelled: bool = False

    def as_dict(self, language: str = "en") -> dict:
        return {
            "state": self.state, "done": self.done, "total": self.total, "name": self.name,
            "sentence": sentence(self.said, language) if self.said else "",
            "models": self.models[:SHOWN],
            "left_out": [[problem.file, sentence(problem.message, language)] for problem in self.left_out[:SHOWN]],
        }  # fmt: skip


class Uploads:
    """The uploads of one server.

    Args:
        folder: where they wait, in a folder for each server; what dead servers left in it is removed now.
        max_upload: bytes of one file.
    """

    def __init__(self, folder: Path, limits: Limits, max_upload: int):
        self.folder, self.limits, self.max_upload = folder / secrets.token_hex(6), limits, max_upload
        self._uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()
        # Two at once leave some of the machine to the page; after each large file the next visitor has a turn.
        self._adding = Turns("mmgan-add", at_once=2, asked=OPEN_UPLOADS, whole_address=True)
        self._lives = None
        with contextlib.suppress(OSError):
            _remove_left(folder)

    def begin(self, project: Project, owner: str, visitor: Visitor | None = None) -> str:
        """A new upload; returns its key.

        Args:
            visitor: whose turn it is when the files are added; None knows them by ``owner`` alone.

        Raises:
            PageError: the visitor has too many open.
            MmganError: the disk cannot be written.
        """
        self._tidy()
        with self._lock:
            mine = [upload for upload in self._uploads.values() if upload.owner == owner]
            for upload in mine:
                if upload.state == "open" and time.monotonic() - upload.touched > IDLE_SECONDS:
                    self.cancel(upload)
            if sum(upload.state in ("open", "waiting", "adding") for upload in mine) >= OPEN_UPLOADS:
                raise PageError("collect_many_uploads")
            key = secrets.token_urlsafe(12)
            with saving(self.folder):
                self.folder.parent.mkdir(parents=True, exist_ok=True)
                if self._lives is None:
                    self._lives = file_lock(f"{self.folder}{LIVES}").lock  # until this process ends, in whatever way
                (self.folder / key).mkdir(parents=True)
            self._uploads[key] = Upload(self.folder / key, project, owner, visitor or Visitor(name=owner))
        return key

    def find(self, key: str, owner: str) -> Upload:
        """Raises PageError where the visitor has no such upload."""
        upload = self._uploads.get(key)
        if upload is None or upload.owner != owner:
            raise PageError("collect_no_upload")
        upload.touched = time.monotonic()
        return upload

    async def receive(self, upload: Upload, name: str, length: int, chunks: AsyncIterator[bytes]) -> None:
        """Writes one file of the upload to the disk, as it comes.

        Args:
            name: a relative path, as a folder's files have one, or a plain name.
            length: bytes that the sender promises.

        Raises:
            DataError: the file, or the upload with it, is too large, or its name leads outside.
        """
        if upload.state != "open":
            raise PageError("collect_no_upload")
        if not 0 <= length <= self.max_upload:
            raise PageError("collect_too_large", name=name[-80:], size=mebibytes(self.max_upload))
        if upload.size + length > self.limits.total_bytes:
            raise PageError("projects.too_large", size=mebibytes(self.limits.total_bytes))
        if shutil.disk_usage(self.folder).free - length < self.limits.free_bytes:
            raise PageError("collect_disk_full")
        path = self._place(upload, name)
        upload.size += length
        written = 0
        try:
            with saving(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    async for chunk in chunks:
                        written += len(chunk)
                        upload.touched = time.monotonic()
                        if written > length:
                            raise PageError("collect_too_large", name=name[-80:], size=mebibytes(self.max_upload))
                        file.write(chunk)
            if written < length:
                raise PageError("collect_broken_off", name=name[-80:])
        except BaseException:  # also where the page has left
            upload.size -= length
            upload.taken.discard(path.relative_to(upload.folder).as_posix().partition("/")[2])  # it may come again
            path.unlink(missing_ok=True)
            raise
        upload.files.add(path)
        upload.touched = time.monotonic()

    def _place(self, upload: Upload, name: str) -> Path:
        if len(upload.files) >= self.limits.files:
            raise PageError("collect_over_count", limit=f"{self.limits.files:,}")
        try:
            shown = safe_name(name, self.limits)
        except DataError as error:
            raise PageError("collect_bad_path", name=name[-80:].strip() or "?") from error
        name = disk_name(shown)
        if name != shown:
            name = free_name(name, upload.taken)
        if "/" in name:
            upload.taken.add(name)
            return upload.folder / "folders" / name
        name = free_name(name, upload.taken)  # files of the same name from different folders are two files
        upload.taken.add(name)
        return upload.folder / "loose" / name

    def add(self, upload: Upload, caption: str, too_large: Sequence[str] = ()) -> None:
        """Lets a thread add what came to the project; :meth:`Upload.as_dict` says how far it is.

        Args:
            too_large: names of files that were not sent because of their size, to be listed as left out.
        """
        if upload.state != "open":
            raise PageError("collect_no_upload")
        refused = refuse_large([name[-MAX_NAME:] for name in too_large[:MAX_REFUSED]], self.max_upload)
        upload.state = "waiting"
        upload.total = len(upload.files)
        try:
            self._adding.submit(upload.visitor, self._add, upload, caption, refused)
        except PageError:
            upload.state = "open"
            raise

    def _add(self, upload: Upload, caption: str, refused: list[Problem]) -> None:
        def progress(done: int, total: int, name: str) -> None:
            upload.done, upload.total, upload.name, upload.touched = done, total, name, time.monotonic()
            if upload.cancelled:
                raise Cancelled
            self._adding.pass_on(upload.visitor)

        try:
            upload.state = "adding"
            folders = upload.folder / "folders"
            loose = sorted(path for path in upload.files if path.parent == upload.folder / "loose")
            added = upload.project.add([*([folders] if folders.is_dir() else []), *loose], caption, progress, refused)
            upload.left_out, upload.models = added.left_out, added.models
            upload.said, upload.state = _said(added), "done"
        except Cancelled:
            upload.said, upload.state = Message("collect_cancelled"), "done"
        except ModelGivenError:
            upload.models = [path.name for path in loose]
            upload.said = Message("collect_model_given", name=", ".join(upload.models[:SHOWN]))
            upload.state = "failed"
        except MmganError as error:
            upload.said, upload.state = error.message, "failed"
        except Exception as error:
            log.exception("an upload could not be added")
            upload.said, upload.state = unexpected(error), "failed"
        finally:
            shutil.rmtree(upload.folder, ignore_errors=True)

    def cancel(self, upload: Upload) -> None:
        """Gives up an upload; what was added already stays."""
        upload.cancelled = True
        if upload.state == "open":
            upload.state = "done"
            shutil.rmtree(upload.folder, ignore_errors=True)

    def _tidy(self) -> None:
        with self._lock:
            for key, upload in list(self._uploads.items()):
                if time.monotonic() - upload.touched > KEPT_SECONDS and upload.state not in ("waiting", "adding"):
                    del self._uploads[key]
                    shutil.rmtree(upload.folder, ignore_errors=True)


def _remove_left(folder: Path) -> None:
    """Removes the waiting uploads of dead servers, whose locks nobody holds."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.endswith(MARKER):  # goes when its lock goes
            continue
        lock = path if path.name.endswith(LIVES) else path.with_name(path.name + LIVES)
        with contextlib.suppress(Timeout), file_lock(lock, 0):
            shutil.rmtree(lock.with_name(lock.name.removesuffix(LIVES)), ignore_errors=True)
            lock.unlink(missing_ok=True)


def _said(added: Added) -> Message:
    """What became of an upload, in one or two sentences."""
    said = [added.counts]
    for kept in added.guessed[:1]:
        encoding = Message(f"collect_encoding_{kept.encoding}")
        said.append(Message("collect_added_guessed", name=kept.name, encoding=encoding))
    return Message.row(*said)
