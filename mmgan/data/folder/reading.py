"""From the files of a folder or zip to captioned entries, in the layouts that people's datasets have.

1. A table of captions: ``metadata.csv`` or ``metadata.jsonl`` with ``text``, ``file_name`` and ``audio_file_name``
   (Hugging Face's convention) in any folder, naming files relative to itself; a row may lack either file. Tables under
   other names count where they name at least half of the files (:mod:`mmgan.data.folder.tables`).
2. A text file beside each picture or sound (:mod:`mmgan.data.folder.other_tools`).
3. What folders and names say (:mod:`mmgan.data.folder.layout`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from ...errors import DataError
from ...language import Message
from ..limits import mebibytes
from .archive import Files
from .encodings import LOST, Decoded, as_unicode, decode, guess
from .json_rows import json_rows
from .layout import NOTES, PROJECT, Entry, Problem, clean_text, from_names, kind_of, plain_cell, unknown_kind
from .naming import Names
from .other_tools import LARGEST_CAPTION, NO_LABELS, WithInnerZips, class_of, is_class_zip, sidecars, stylegan
from .own_output import SAID, without_own
from .parquet import NAME as PAIRS
from .tables import CELL, TOO_LONG, CsvTable, Row, files_of, texts_of

METADATA_NAMES = {"metadata.csv", "metadata.jsonl"}
TABLE = re.compile(r".+\.(csv|tsv|jsonl|ndjson|json)(\.txt)?|(metadata|captions?|labels?|filelist)\.txt", re.IGNORECASE)
MOST_TABLES = 5  # with names other than metadata that are looked at
OUTSIDE = Message("data.left_out_link")


@dataclass(frozen=True)
class Reading:
    """A file that captions were read from: its name and bytes, in which encoding, and whether that is a guess."""

    file: str
    encoding: str
    guessed: bool
    raw: bytes


@dataclass
class Layout:
    """What a dataset holds.

    ``files`` are those that the entries name, opened; ``by_table`` tells whether a table gives the captions.
    """

    files: Files
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    by_table: bool = False


def read_layout(files: Files, encoding: str | None = None) -> Layout:
    """Every entry of the dataset, and everything that does not fit.

    Args:
        files: from :func:`~mmgan.data.folder.archive.open_files` or :mod:`mmgan.data.folder.sources`.
        encoding: of tables and captions that do not say it themselves, one of
            :data:`~mmgan.data.folder.encodings.CHOICES`; None finds it out.

    Raises:
        DataError: the metadata has no ``text`` column, or a table is larger than the limits allow.
    """
    if any(map(is_class_zip, files.names)):
        files = WithInnerZips(files)
    return _Reader(files, encoding).read()


class _Reader:
    def __init__(self, files: Files, encoding: str | None):
        self.files, self.encoding, self.layout = files, encoding, Layout(files)
        own_names, self.own = without_own(files)
        names = [name for name in own_names if name != PROJECT and posixpath.basename(name) != PAIRS]
        self.media = [name for name in names if kind_of(name)]
        self.others = [name for name in names if not kind_of(name)]
        self.names = Names(self.media, kind_of)
        self.used: set[str] = set()  # files that belong to the layout though no caption names them

    def read(self) -> Layout:
        layout = self.layout
        described = sidecars(self.others, self.media)
        tables = self._tables(set(described))
        named = {name for entry in layout.entries for name in (entry.image, entry.sound)}
        left = [name for name in self.media if name not in named]
        captions = self._captions(described, set(left))
        if tables:
            listed = posixpath.basename(tables[0]) if len(tables) == 1 else Message("data.any_metadata")
            layout.entries += from_names([name for name in left if name in captions], captions)
            self._say_unused(left, captions, listed)
        else:
            named_after = class_of(self.files)
            if named_after and not any("/" in name for name in left):
                captions = {name: [named_after] for name in left} | captions
            layout.entries += from_names(left, captions)
        layout.by_table = bool(tables)
        layout.problems[:0] = (
            [Problem(folder, SAID[kind]) for folder, kind in self.own.items()]
            + [Problem(name, message) for name, message in getattr(self.files, "odd", ())]
            + [
                Problem(name, unknown_kind(posixpath.basename(name)))
                for name in self.others
                if name not in self.used and not NOTES.fullmatch(posixpath.basename(name))
            ]
        )
        return layout

    def _say_unused(self, left: list[str], captions: dict[str, list[str]], listed: str | Message) -> None:
        self.layout.problems += [
            Problem(name, Message("data.not_named", where=listed)) for name in left if name not in captions
        ]

    # Tables ------------------------------------------------------------------------------------------------------

    def _tables(self, described: set[str]) -> list[str]:
        """Reads the tables; returns their names."""
        known = [name for name in self.others if posixpath.basename(name).lower() in METADATA_NAMES]
        for name in known:
            self._table(name, self.layout.problems)
        self.used |= set(known)
        if known:
            return known
        others = [name for name in self.others if TABLE.fullmatch(posixpath.basename(name)) and name not in described]
        others.sort(key=lambda name: not posixpath.basename(name).lower().startswith("metadata"))
        found = []
        for name in others[:MOST_TABLES]:
            if self._is_table(name):
                found.append(name)
        self.used |= set(found)
        return found

    def _is_table(self, name: str) -> bool:
        """Reads a file with another name as a table if it names half of the files or is StyleGAN's."""
        layout = self.layout
        before, readings, problems = len(layout.entries), len(layout.readings), []
        base = posixpath.basename(name).lower()
        called = base.startswith("metadata") and not base.endswith(".json")  # a model has a metadata.json too
        try:
            self._table(name, problems)
        except DataError:
            if called:
                raise
            del layout.entries[before:]
        entries = layout.entries[before:]
        named = {file for entry in entries for file in (entry.image, entry.sound) if file}
        unlabelled = not entries and any(problem.message == NO_LABELS for problem in problems)
        if unlabelled or (entries and (called or len(named) * 2 >= len(self.media))):
            layout.problems += problems
            return True
        del layout.entries[before:], layout.readings[readings:]
        return False

    def _table(self, name: str, problems: list[Problem]) -> None:
        limits = self.files.limits
        if self.files.size(name) > limits.table_bytes:
            raise DataError("data.table_large", name=name, size=mebibytes(limits.table_bytes))
        if self._leads_outside(name):
            problems.append(Problem(name, Message("data.left_out_link")))
            return
        raw = self.files.read(name)
        if posixpath.basename(name).lower() == "dataset.json":
            entries = stylegan(raw, name, self.names, problems)
            if entries is not None:
                self.layout.entries += entries
                return
        text = self._decoded(name, raw)
        folder = posixpath.dirname(name)

        def is_file(written: str) -> bool:
            return bool(written.strip()) and bool(self.names.find(written, folder))

        is_json = re.search(r"\.(jsonl|ndjson|json)(\.txt)?$", name.lower())
        rows = (json_rows if is_json else CsvTable)(text, name, is_file, limits)
        for row in rows:
            self.layout.entries += self._entries(row, name, folder, not is_json, problems)

    def _decoded(self, name: str, raw: bytes) -> str:
        found = decode(raw, self.encoding, self.media)
        self._note(name, found, raw)
        return found.text

    def _note(self, name: str, found: Decoded, raw: bytes) -> None:
        self.layout.readings.append(Reading(name, found.encoding, found.guessed, raw))

    def _entries(
        self, row: Row, table: str, folder: str, is_csv: bool, problems: list[Problem]
    ) -> Iterator[Entry]:  # fmt: skip
        where = f"{table}, {row.where}"
        if row.message:
            problems.append(Problem(where, row.message))
        if row.values is None:
            return
        texts = [clean_text(plain_cell(text) if is_csv else text) for text in texts_of(row.values)]
        texts = list(dict.fromkeys(text for text in texts if text))
        if not texts:
            problems.append(Problem(where, Message("data.no_text")))
            return
        if message := _unreadable(texts):
            problems.append(Problem(where, message))
            return
        images, sounds = self._named(row.values, where, folder, problems)
        if not images and not sounds:
            problems.append(Problem(where, Message("data.neither")))
        for text in texts:
            yield from (Entry(text, image, sound) for image, sound in zip_longest(images, sounds))

    def _named(
        self, values: dict[str, object], where: str, folder: str, problems: list[Problem]
    ) -> tuple[list[str], list[str]]:  # fmt: skip
        """The pictures and the sounds that a row names."""
        found: dict[str, None] = {}
        for written in files_of(values):
            names = self.names.find(written, folder)
            shown = clean_text(written)[:100]
            if not names:
                problems.append(Problem(where, Message("data.names_nothing", name=shown)))
            elif len({*map(kind_of, names)}) < len(names):
                problems.append(Problem(where, Message("data.names_several", name=shown)))
            else:
                found |= dict.fromkeys(names)
        return [name for name in found if kind_of(name) == "image"], [
            name for name in found if kind_of(name) == "sound"
        ]

    # Text files beside pictures and sounds -----------------------------------------------------------------------

    def _captions(self, described: dict[str, list[str]], wanted: set[str]) -> dict[str, list[str]]:
        """Picture or sound -> captions, from text files beside them."""
        found: dict[str, list[str]] = {}
        self.used |= set(described)
        raw = {}
        total = 0
        for name, media in described.items():
            if not wanted & set(media):
                self._problem(name, Message("data.caption_unused"))
                continue
            total += self.files.size(name)
            if total > self.files.limits.table_bytes:
                limit = mebibytes(self.files.limits.table_bytes)
                raise DataError("data.captions_large", size=limit)
            if self.files.size(name) > LARGEST_CAPTION:
                self._problem(name, Message("data.caption_large", count=LARGEST_CAPTION >> 10))
            elif self._leads_outside(name):
                self._problem(name, Message("data.left_out_link"))
            else:
                raw[name] = self.files.read(name)
        for name, text in self._together(raw).items():
            caption = clean_text(text)
            if not caption:
                self._problem(name, Message("data.caption_empty"))
            elif message := _unreadable([caption]):
                self._problem(name, message)
            else:
                for file in described[name]:
                    if file in wanted:
                        found.setdefault(file, [caption])
        return found

    def _together(self, raw: dict[str, bytes]) -> dict[str, str]:
        """The texts of many short files; those not in Unicode are guessed together, since one alone is too short."""
        texts = {name: as_unicode(data, self.encoding) for name, data in raw.items()}
        odd = [name for name, found in texts.items() if found is None]
        likely = self.encoding or (guess(b"\n".join(raw[name] for name in odd), self.media) if odd else "")
        decoded = {
            name: Decoded(raw[name].decode(likely, "replace"), likely, guessed=not self.encoding)
            if found is None else found for name, found in texts.items()
        }  # fmt: skip
        for name, found in decoded.items():
            self._note(name, found, raw[name])
        return {name: found.text for name, found in decoded.items()}

    def _problem(self, name: str, message: Message) -> None:
        self.layout.problems.append(Problem(name, message))

    def _leads_outside(self, name: str) -> bool:
        leads = getattr(self.files, "leads_outside", None)
        return leads is not None and leads(name)


def _unreadable(texts: list[str]) -> Message | None:
    """What is said of captions that cannot be read or are pages long; None for others."""
    if any(len(text) > CELL for text in texts):
        return TOO_LONG
    if any(LOST in text or any("\ud800" <= char <= "\udfff" for char in text) for text in texts):
        return Message("data.lost_letters")
    return None
