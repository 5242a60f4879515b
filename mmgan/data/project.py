"""A person's own pictures and sounds as a project on disk, which is a dataset and more: it remembers what is wrong.

::

    project.json    name, owner, what was left out, and the table: one item a file (mmgan.data.items)
    originals/      the files as they came, each named by its SHA-256, so that nothing is kept twice; as FLAC, sounds of
                    kinds that browsers do not play, and those whose samples had to be mended
    pieces/         the pieces of long sounds, where the person wants several
    metadata.csv    the dataset that follows from the table, for ``load_dataset(folder)``
    .thumbnails/    small pictures for the table
    .tables/        captions whose encoding was guessed, as they came (mmgan.data.rereading)

project.json is the truth: it is replaced as a whole at each change, so that a kill at any moment leaves the table from
before or after the change. metadata.csv is written after it, and anew wherever a kill came between.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import json
import posixpath
import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from filelock import Timeout

from ..audio import write_wav
from ..errors import DataError
from ..files import remove_left, replace_file, saving
from ..locks import file_lock
from .cutting import cut_pieces
from .examine import decode_sound
from .export import metadata_csv
from .items import CUTS, MAX_CAPTION, Item, Summary, assess, is_long, piece_name, rows, sound_names, summarise
from .layout import PROJECT, Problem, clean_text
from .limits import PROJECT_LIMITS, Limits
from .loader import SOURCE_RATE
from .project_export import export_project
from .rereading import forget, read_again, sweep
from .table import Kept, check_caption, check_name, checked, owner_hash, pruned, select, to_json

MAX_JSON = 64 << 20  # bytes of a project.json; five thousand items make three million
GONE = "That file is no longer in the project; reload the page."
EMPTY_SECONDS = 10.0  # an empty folder is no project that is being made
LOCK_SECONDS = 30.0  # that a change waits for another one


@functools.lru_cache(64)
def _read(path: str, inode: int, changed: int, size: int) -> dict:
    """A table as it was then. Each request opens its project anew, and thousands of items take a while to check."""
    if size > MAX_JSON:
        raise ValueError("too large")
    return checked(json.loads(Path(path).read_bytes()))


def locked(folder: Path):
    """A context in which no other changes the project in ``folder``, be its table whole or damaged.

    Raises:
        DataError: it is gone, or somebody else changes it all the time.
    """
    if not folder.is_dir():
        raise DataError("The project was deleted; choose another one.")
    try:
        return file_lock(folder.with_name(f".{folder.name}.lock"), LOCK_SECONDS)
    except Timeout as error:
        raise DataError("The project is being changed elsewhere; try again in a moment.") from error


class Project:
    """One project. Everything is read from its folder, so that two tabs and a restart see the same.

    Raises:
        DataError: the folder holds no project, or its table is damaged.
    """

    def __init__(self, folder: str | Path, limits: Limits = PROJECT_LIMITS):
        self.folder, self.limits = Path(folder), limits
        if (self.folder / PROJECT).exists():
            self._state()
            if _modified(self.folder / "metadata.csv") < _modified(self.folder / PROJECT):
                with contextlib.suppress(OSError), self._locked():  # a full disk: the table can be read all the same
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
        """Whether it is of the visitor with that key; whoever has no key, "", owns nothing."""
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

    # Changes ------------------------------------------------------------------------------------------------------

    def add(
        self, sources: Sequence[str | Path], caption: str = "", progress: Callable[[int, int, str], None] | None = None,
        refused: Sequence[Problem] = (), encoding: str | None = None,
    ):  # fmt: skip
        """Adds zips, folders and loose files; see :func:`mmgan.data.adding.add`."""
        from .adding import add

        return add(self, sources, caption, progress, refused, encoding)

    def add_recordings(self, files: dict[str, bytes], caption: str = "", progress=None):
        """Adds files from memory (name -> bytes), such as webcam pictures and clips, under one caption."""
        from .adding import add_from
        from .sources import MemoryFiles

        return add_from(self, [MemoryFiles(files, self.limits)], caption, progress)

    def rename(self, name: str) -> None:
        self._change(lambda state: state.update(name=check_name(name)))

    def share(self, shared: bool = True) -> None:
        """Lets every visitor see it, or its owner alone."""
        self._change(lambda state: state.update(shared=bool(shared)))

    def set_caption(self, ids: Iterable[int], caption: str) -> int:
        """The same caption for each of the items and their partners; returns how many changed.

        Raises:
            DataError: the caption is too long.
        """
        return self.caption_by(ids, check_caption(caption).replace("{", "{{"))

    def caption_by(self, ids: Iterable[int] | str, template: str) -> int:
        """Captions in bulk.

        Args:
            ids: items, or a pattern of their names such as "dog*".
            template: the new caption, in which ``{caption}`` is the present one, ``{name}`` the file's name without its
                suffix, ``{folder}`` its folder and ``{number}`` 1, 2, ...; ``{{`` is a brace.
        """
        template = check_caption(template)
        number = 0

        def new(item: Item) -> str:
            nonlocal number
            number += 1
            folder, base = posixpath.split(item.name)
            values = {
                "caption": item.caption, "name": posixpath.splitext(base)[0].replace("_", " "),
                "folder": posixpath.basename(folder).replace("_", " "), "number": str(number), "{": "{",
            }  # fmt: skip
            return re.sub(r"\{(caption|name|folder|number)\}|\{(\{)", lambda m: values[m[1] or m[2]], template)

        return self._recaption(ids, new)

    def replace_in_captions(self, find: str, replacement: str, ids: Iterable[int] | str = "*") -> int:
        """Replaces a piece of text in captions, whatever its case; returns how many changed."""
        if not find:
            raise DataError("Write the text to look for in the captions.")
        if max(len(find), len(replacement)) > MAX_CAPTION:
            raise DataError(f"A caption has at most {MAX_CAPTION} characters; look for less, and replace it by less.")
        pattern = re.compile(re.escape(clean_text(find)), re.IGNORECASE)
        return self._recaption(ids, lambda item: pattern.sub(lambda _: replacement, item.caption))

    def pair(self, first: int, second: int) -> None:
        """Makes a picture and a sound belong together, under the first one's caption.

        Raises:
            DataError: they are not one picture and one sound.
        """

        def change(state: dict) -> None:
            one, two = (self._find(state["items"], i) for i in (first, second))
            if {one.kind, two.kind} != {"image", "sound"}:
                raise DataError("Choose one picture and one sound to pair.")
            caption = one.caption or two.caption
            picture = one if one.kind == "image" else two
            for other in list(state["items"].values()):  # it belongs to this sound from now on
                if other.partner == picture.id and other.id not in (one.id, two.id):
                    state["items"][other.id] = dataclasses.replace(other, partner=None)
            state["items"][one.id] = dataclasses.replace(one, partner=two.id, caption=caption)
            state["items"][two.id] = dataclasses.replace(two, partner=one.id, caption=caption)

        self._change(change)

    def unpair(self, item: int) -> None:
        """Takes an item from its partner."""

        def change(state: dict) -> None:
            gone = self._find(state["items"], item)
            for other in list(state["items"].values()):
                its = other.partner == item and (gone.kind == "image" or other.id == gone.partner)
                if other.id == item or its:
                    state["items"][other.id] = dataclasses.replace(other, partner=None)

        self._change(change)

    def cut(self, ids: Iterable[int], how: str) -> None:
        """What to take of long sounds: "loudest", their most energetic second, or "pieces", as many as are worth it.
        Pictures and short sounds among the items stay as they are.

        Raises:
            DataError: no such way, or no such item.
        """
        if how not in CUTS:
            raise DataError("A long sound is cut to its 'loudest' second or into 'pieces'.")

        table = {item.id: item for item in self.items()}
        chosen = [self._find(table, key) for key in ids]
        chosen = [item for item in chosen if item.kind == "sound" and item.file and is_long(item)]
        # Decoding takes its time, so others may change the project meanwhile.
        counts = {item.id: self._write_pieces(item) if how == "pieces" else 0 for item in chosen}

        def change(state: dict) -> None:
            for item in chosen:
                if item.id in state["items"]:
                    now = state["items"][item.id]
                    state["items"][item.id] = dataclasses.replace(now, cut=how, pieces=counts[item.id])
                else:  # deleted meanwhile, by somebody who could not know of the pieces
                    state.setdefault("gone", []).append(item)

        self._change(change)

    def delete_items(self, ids: Iterable[int]) -> int:
        """Takes items out of the table and their files from the disk; returns how many there were."""
        ids = set(ids)

        def change(state: dict) -> int:
            state["gone"] = [state["items"].pop(key) for key in ids if key in state["items"]]
            return len(state["gone"])

        return self._change(change)

    def read_again(self, reading: int, encoding: str) -> int:
        """Reads captions in another encoding, those that somebody changed meanwhile excepted; returns how many changed.

        Args:
            reading: the ``id`` of one of :meth:`readings`.
            encoding: one of :data:`~mmgan.data.encodings.CHOICES`, by any of its names.

        Raises:
            DataError: no such encoding, or the captions are no longer kept.
        """
        return read_again(self, reading, encoding)

    def forget_reading(self, reading: int) -> None:
        """Says that captions were read rightly."""
        forget(self, reading)

    def forget_left_out(self) -> None:
        """Empties the list of what was left out, once it has been read."""
        self._change(lambda state: state.update(left_out=[], left_out_count=0))

    def export(self, target: str | Path) -> int:
        """Writes the dataset as a zip; returns its rows. See :func:`dataset_files` for how it opens elsewhere.

        Raises:
            DataError: there is nothing to export.
            MmganError: the target cannot be written.
        """
        return export_project(self, target)

    # How it is done -----------------------------------------------------------------------------------------------

    def _recaption(self, ids: Iterable[int] | str, new: Callable[[Item], str]) -> int:
        def change(state: dict) -> int:
            table = state["items"]
            before = dict(table)
            for item in select(list(table.values()), ids):
                caption = check_caption(new(item))
                table[item.id] = dataclasses.replace(table[item.id], caption=caption)
                partner = table.get(item.partner)
                if partner is not None and partner.partner == item.id:  # a pair has one caption
                    table[partner.id] = dataclasses.replace(partner, caption=caption)
            return sum(before[key].caption != item.caption for key, item in table.items())

        return self._change(change)

    def _write_pieces(self, item: Item) -> int:
        """Cuts a long sound; returns how many pieces there are, named by its contents, which no other file has."""
        try:
            pieces = cut_pieces(decode_sound((self.folder / item.file).read_bytes(), self.limits))
        except FileNotFoundError as error:
            raise DataError(GONE) from error
        with saving(self.folder):
            (self.folder / "pieces").mkdir(exist_ok=True)
            for number, piece in enumerate(pieces, start=1):
                buffer = io.BytesIO()
                write_wav(buffer, piece, SOURCE_RATE)
                replace_file(self.folder / piece_name(item, number), buffer.getvalue())
        return len(pieces)

    @staticmethod
    def _find(items: dict[int, Item], key: int) -> Item:
        if key not in items:
            raise DataError(GONE)
        return items[key]

    def _change(self, change: Callable[[dict], object]):
        """Reads the table, lets ``change`` alter it (items by their ids) and saves it, under the project's lock."""
        with self._locked(), saving(self.folder):
            state = dict(self._state())
            state["items"] = {item.id: item for item in state["items"]}
            result = change(state)
            gone = state.pop("gone", [])
            self._save({**state, "items": list(state["items"].values())})
            self._remove_files(gone)
        return result

    def _locked(self):
        return locked(self.folder)

    def _state(self) -> dict:
        """The checked contents of project.json, read again only when it changed."""
        path = self.folder / PROJECT
        try:
            status = path.stat()
            return _read(str(path), status.st_ino, status.st_mtime_ns, status.st_size)
        except FileNotFoundError as error:
            raise DataError("The project was deleted; choose another one.") from error
        except (OSError, ArithmeticError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError("The project's table is damaged; restore project.json, or delete the project.") from error

    def _save(self, state: dict) -> None:
        state["items"] = assess(state["items"])
        state = pruned(state)
        replace_file(self.folder / PROJECT, to_json(state))
        sweep(self.folder, state)
        with contextlib.suppress(OSError):  # the change is saved; whoever opens the project next writes this
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
        items = Project(folder, limits).items()
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
