"""A person's own pictures and sounds as a project on disk, which is a dataset and more: it remembers what is wrong.

::

    project.json    name, owner, what was left out, and the table: one item a file (mmgan.projects.items)
    originals/      the files as they came, each named by its SHA-256, so that nothing is kept twice; as FLAC, sounds of
                    kinds that browsers do not play, and those whose samples had to be mended
    pieces/         the pieces of long sounds, where the person wants several
    metadata.csv    the dataset that follows from the table, for ``load_dataset(folder)``
    .thumbnails/    small pictures for the table
    .tables/        captions whose encoding was guessed, as they came (mmgan.projects.rereading)

project.json is the truth: it is replaced as a whole at each change, so that a kill at any moment leaves the table from
before or after the change. metadata.csv is written after it; if a kill comes between, the next opening does so.
"""

from __future__ import annotations

import contextlib
import functools
import json
import posixpath
import time
from collections.abc import Callable
from pathlib import Path

from filelock import Timeout

from ..data.folder.export import metadata_csv
from ..data.folder.layout import PROJECT, Problem
from ..data.limits import PROJECT_LIMITS, Limits
from ..errors import DataError
from ..system.files import remove_left, replace_file, saving
from ..system.locks import file_lock
from .items import Item, Summary, assess, rows, sound_names, summarise
from .table import KEPT_FOLDER, Kept, checked, owner_hash, pruned, to_json

MAX_JSON = 64 << 20  # bytes of a project.json; five thousand items make three million
EMPTY_SECONDS = 10.0  # an empty folder older than this is not a project in the making
LOCK_SECONDS = 30.0  # a change waits so long for another


@functools.lru_cache(64)
def _read(path: str, inode: int, changed: int, size: int) -> dict:
    """The checked table of a file, cached: each request opens its project, and thousands of items take a while."""
    if size > MAX_JSON:
        raise ValueError("too large")
    return checked(json.loads(Path(path).read_bytes()))


def locked(folder: Path):
    """A context in which nobody else changes the project in ``folder``, even a damaged one.

    Raises:
        DataError: it is gone, or somebody else changes it all the time.
    """
    if not folder.is_dir():
        raise DataError("projects.deleted")
    try:
        return file_lock(folder.with_name(f".{folder.name}.lock"), LOCK_SECONDS)
    except Timeout as error:
        raise DataError("projects.busy") from error


class Store:
    """One project on disk: its table, read again whenever it changed, and changed as a whole.

    Everything is read from the folder, so that two tabs and a restart see the same.

    Raises:
        DataError: the folder holds no project, or its table is damaged.
    """

    def __init__(self, folder: str | Path, limits: Limits = PROJECT_LIMITS):
        self.folder, self.limits = Path(folder), limits
        if (self.folder / PROJECT).exists():
            self._state()
            if _modified(self.folder / "metadata.csv") < _modified(self.folder / PROJECT):
                # On a full disk the table can still be read.
                with contextlib.suppress(OSError), locked(self.folder):
                    self._write_metadata(self.items())

    @property
    def key(self) -> str:
        return self.folder.name

    @property
    def name(self) -> str:
        return self._state()["name"]

    @property
    def created(self) -> float:
        """Unix time."""
        return self._state()["created"]

    @property
    def shared(self) -> bool:
        return self._state()["shared"]

    @property
    def owner(self) -> str:
        """The hash of its owner's key; "" of one that was made without an owner, from Python say."""
        return self._state()["owner"]

    def belongs_to(self, owner: str) -> bool:
        """Whether it belongs to the visitor with that key; "" owns nothing."""
        return bool(owner) and self.owner == owner_hash(owner)

    def items(self) -> list[Item]:
        """The table, in the order in which files came."""
        return list(self._state()["items"])

    def left_out(self) -> list[Problem]:
        """What was in an upload and could not become an item, at most ``MAX_LISTED``; the summary counts all."""
        return list(self._state()["left_out"])

    def readings(self) -> list[Kept]:
        """Captions whose encoding was guessed, and that can be read in another one."""
        return list(self._state()["readings"])

    def summary(self) -> Summary:
        state = self._state()
        return summarise(state["items"], state["left_out_count"])

    def thumbnail(self, item: Item) -> bytes | None:
        """A small JPEG of a picture; None of a sound, and of what could not be read."""
        try:
            return (self.folder / ".thumbnails" / f"{item.digest[:20]}.jpg").read_bytes()
        except OSError:
            return None

    def change(self, change: Callable[[dict], object]):
        """Reads the table, lets ``change`` alter it (items by their ids) and saves it, under the project's lock."""
        with locked(self.folder), saving(self.folder):
            state = dict(self._state())
            state["items"] = {item.id: item for item in state["items"]}
            result = change(state)
            gone = state.pop("gone", [])
            self.save({**state, "items": list(state["items"].values())})
            self._remove_files(gone)
        return result

    def _state(self) -> dict:
        """The checked contents of project.json, read again only when it changed."""
        path = self.folder / PROJECT
        try:
            status = path.stat()
            return _read(str(path), status.st_ino, status.st_mtime_ns, status.st_size)
        except FileNotFoundError as error:
            raise DataError("projects.deleted") from error
        except (OSError, ArithmeticError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError("projects.damaged") from error

    def save(self, state: dict) -> None:
        state["items"] = assess(state["items"])
        state = pruned(state)
        replace_file(self.folder / PROJECT, to_json(state))
        self._remove_kept(state["readings"])
        with contextlib.suppress(OSError):  # the change itself is saved; whoever opens the project next writes this
            self._write_metadata(state["items"])

    def _write_metadata(self, items: list[Item]) -> None:
        table = []
        for caption, picture, sound in rows(items):
            for name in sound_names(sound) or [""]:
                table.append([caption, picture.file if picture else "", name])
        replace_file(self.folder / "metadata.csv", metadata_csv(table), flush=False)

    def _remove_files(self, gone: list[Item]) -> None:
        """Deletes the files of items that are gone, unless another item has the same."""
        kept = {item.file for item in self.items()}
        for item in gone:
            if item.file and item.file not in kept:
                (self.folder / item.file).unlink(missing_ok=True)
                (self.folder / ".thumbnails" / f"{item.digest[:20]}.jpg").unlink(missing_ok=True)
                for piece in (self.folder / "pieces").glob(f"{item.digest[:20]}-*.wav"):
                    piece.unlink(missing_ok=True)

    def _remove_kept(self, readings: list[Kept]) -> None:
        """Deletes kept captions that no reading needs any more."""
        needed = {kept.file for kept in readings}
        for path in (self.folder / KEPT_FOLDER).glob("*.zip"):
            if f"{KEPT_FOLDER}/{path.name}" not in needed:
                with contextlib.suppress(OSError):
                    path.unlink()


def sweep_project(folder: Path, limits: Limits = PROJECT_LIMITS) -> None:
    """Removes what a kill left in a project: files half written, and whole ones that came into no table.

    Raises:
        DataError: its table is damaged, so it cannot be known which files belong to it.
    """
    if not any(folder.iterdir()):
        if time.time() - folder.stat().st_mtime > EMPTY_SECONDS:
            folder.rmdir()
        return
    with locked(folder):
        items = Store(folder, limits).items()
        known = {posixpath.basename(item.file) for item in items} | {f"{item.digest[:20]}.jpg" for item in items}
        known |= {posixpath.basename(name) for item in items for name in sound_names(item)}
        for place in ("", "originals", "pieces", ".thumbnails"):
            remove_left(folder / place)
            for path in list((folder / place).glob("*")) if place else ():
                if path.is_file() and path.name not in known:
                    path.unlink()


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
