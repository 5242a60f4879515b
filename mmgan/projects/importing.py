"""Adding files to a project: each ends in the table, or in the list of what was left out with a reason."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import posixpath
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..data.folder.archive import Files, ZipFiles
from ..data.folder.encodings import checked_encoding
from ..data.folder.layout import Problem, caption_from_name, kind_of
from ..data.folder.own_output import holds_model, refuse_own
from ..data.folder.reading import Layout, read_layout
from ..data.folder.sources import Source, open_sources
from ..data.limits import mebibytes
from ..data.media.decoding import UNREADABLE
from ..data.media.preview import examine_picture, examine_sound
from ..errors import DataError
from ..language import Message
from ..system.files import replace_file
from .items import MAX_CAPTION, Item, is_machine_name
from .rereading import fitted, keep
from .store import Store
from .table import Kept, check_caption

log = logging.getLogger(__name__)

BATCH_SECONDS, BATCH_BYTES = 1.0, 16 << 20  # files are saved in batches, after so long or so many
FULL = Message("projects.no_room")
MAX_LISTED = 1_000  # of what was left out; the rest is only counted

Progress = Callable[[int, int, str], None]  # files done, files in all, the name of the next


@dataclass
class Added:
    """What became of an upload."""

    pictures: int = 0
    sounds: int = 0
    with_problems: int = 0  # of these, items that are left out of the dataset or need a look
    left_out: list[Problem] = field(default_factory=list)  # everything that became no item
    models: list[str] = field(default_factory=list)  # zips that are models, which are imported elsewhere
    guessed: list[Kept] = field(default_factory=list)  # captions in an encoding that is not certain

    @property
    def message(self) -> Message:
        guesses = [Message("projects.added_guessed", name=k.name, encoding=k.encoding) for k in self.guessed]
        return Message("list.clauses", parts=[*self._counts(), *guesses])

    @property
    def counts(self) -> Message:
        """The message without the guesses."""
        return Message("list.clauses", parts=self._counts())

    def _counts(self) -> list[Message]:
        parts = [Message("projects.added", pictures=self.pictures, sounds=self.sounds)]
        if self.with_problems:
            parts.append(Message("projects.added_look", count=self.with_problems))
        if self.left_out:
            parts.append(Message("projects.added_left_out", count=len(self.left_out)))
        return parts

    @property
    def sentence(self) -> str:
        """The message in English."""
        return str(self.message)


@dataclass(frozen=True)
class _Found:
    """A picture or sound of an upload that is to become an item."""

    source: Files
    name: str
    kind: str
    caption: str
    partner: tuple[str, str] | None = None  # name and caption


def add(
    project: Store, paths: Sequence[str | Path], caption: str = "", progress: Progress | None = None,
    refused: Sequence[Problem] = (), encoding: str | None = None,
) -> Added:  # fmt: skip
    """Adds zips, folders and loose files, in the layouts of :mod:`mmgan.data.folder.reading`.

    Everything is checked against the limits before the first file is unpacked; a refused upload changes nothing. A file
    that cannot be used becomes an item that says why. Files added before a kill or an error stay.

    Args:
        caption: of all the files; "" uses their metadata, folders or names.
        progress: called before each file and once at the end; an error that it raises ends the adding.
        refused: what was left out before it came here, to be listed with the rest.
        encoding: of the captions in files that do not say it; None guesses, and keeps them (``Added.guessed``) to be
            read in another one by :meth:`Project.read_again`.

    Raises:
        ModelGivenError: all of it is models.
        DataError: the upload breaks a limit, or is no zip, in one sentence.
        MmganError: the disk is full.
    """
    sources, models = [], []
    for source in open_sources(paths, project.limits):
        if isinstance(source, ZipFiles) and holds_model(source.names):
            models.append(source)
        else:
            sources.append(source)
    if models and not sources:
        refuse_own(models[0].name, models[0].names, models[0].read)
    refused = [*refused, *(Problem(source.name, Message("data.left_out_model")) for source in models)]
    added = add_from(project, sources, caption, progress, refused, encoding)
    added.models = [source.name for source in models]
    return added


def refuse_large(names: Sequence[str], limit: int) -> list[Problem]:
    """The list for :func:`add` of files over ``limit`` bytes that were never sent."""
    return [Problem(name, Message("data.left_out_large", size=mebibytes(limit))) for name in names]


def add_from(
    project: Store, sources: Sequence[Source], caption: str = "", progress: Progress | None = None,
    refused: Sequence[Problem] = (), encoding: str | None = None,
) -> Added:  # fmt: skip
    """The same from opened sources (:mod:`mmgan.data.folder.sources`)."""
    caption = check_caption(caption)
    report = Added(left_out=list(refused))
    layouts = [read_layout(source, checked_encoding(encoding) if encoding else None) for source in sources]
    found = [item for layout in layouts for item in _found(layout, caption, report)]
    _check_room(project, found)
    writer = _Writer(project, report)
    for number, item in enumerate(found):
        if progress:
            progress(number, len(found), item.name)
        writer.take(item)
    writer.save()
    for layout in [] if caption else layouts:
        ids = [number for (source, *_), number in writer.ids.items() if source == id(layout.files)]
        report.guessed += filter(None, [keep(project, layout.readings, ids)])
    new = set(writer.ids.values())
    report.with_problems = sum(item.code != "" for item in project.items() if item.id in new)
    if progress:
        progress(len(found), len(found), "")
    return report


def _found(layout: Layout, caption: str, report: Added) -> list[_Found]:
    """Every picture and sound of a source, in pairs where it has them."""
    source, entries, problems = layout.files, layout.entries, layout.problems
    outside = {name for name in source.names if hasattr(source, "leads_outside") and source.leads_outside(name)}
    report.left_out += [Problem(name, Message("data.left_out_link")) for name in sorted(outside)]
    found: dict[tuple[str, str], _Found] = {}
    for entry in entries:
        names = [name for name in (entry.image, entry.sound) if name and name not in outside]
        text = caption or entry.text
        if not caption and not layout.by_table and _says_nothing(text, names):
            text = ""
        text = _fitted_caption(text, names, report)
        for kind, name, other in (("image", entry.image, entry.sound), ("sound", entry.sound, entry.image)):
            if name in names and (name, text) not in found:
                partner = (other, text) if other in names else None
                found[name, text] = _Found(source, name, kind, text, partner)
    used = {name for name, _ in found} | outside
    for name in source.names:  # files that the metadata does not name, or whose row has no text
        if (known_kind := kind_of(name)) and name not in used:
            found[name, caption] = _Found(source, name, known_kind, caption)
    taken = {name for name, _ in found}
    known = taken | outside
    report.left_out += [problem for problem in problems if problem.file not in known]
    return list(found.values())


def _says_nothing(caption: str, names: list[str]) -> bool:
    """Whether the caption is a camera's or a recorder's file name, not a word of the person's."""
    stems = [posixpath.splitext(posixpath.basename(name))[0] for name in names]
    return any(caption == caption_from_name(stem) and is_machine_name(stem) for stem in stems)


def _fitted_caption(text: str, names: list[str], report: Added) -> str:
    if len(text) > MAX_CAPTION:
        shown = names[0] if names else "a row"
        report.left_out.append(Problem(shown, Message("data.caption_cut", count=len(text))))
    return fitted(text)


def _check_room(project: Store, found: list[_Found]) -> None:
    """Raises DataError where the project or the disk has no room for all of it."""
    limits, items = project.limits, project.items()
    if len(items) + len(found) > limits.files:
        raise DataError("projects.too_many_files", count=len(items) + len(found), limit=limits.files)
    size = sum(item.source.size(item.name) for item in found)
    if sum(item.size for item in items) + size > limits.total_bytes:
        raise DataError("projects.too_large", size=mebibytes(limits.total_bytes))
    free = shutil.disk_usage(project.folder).free
    if size + limits.free_bytes > free:
        raise DataError("projects.disk_full", size=mebibytes(free))


class _Writer:
    """Examines files one at a time and saves them in batches, each with its part of the table."""

    def __init__(self, project: Store, report: Added):
        self.project, self.report = project, report
        self.batch: list[tuple[Item, bytes, bytes | None, tuple | None]] = []  # item, file, thumbnail, partner
        self.waiting, self.since = 0, time.monotonic()
        self.ids: dict[tuple, int] = {}  # (source, name, caption) -> item
        self.unlisted = list(report.left_out)
        self.size = sum(item.size for item in project.items())  # bytes

    def take(self, found: _Found) -> None:
        item, data, thumbnail = _examined(found, self.project.limits)
        self.size += item.size
        if self.size > self.project.limits.total_bytes:  # sounds that are kept as FLAC have grown
            item, data, thumbnail = dataclasses.replace(item, error=FULL, size=0, file=""), b"", None
        key = (id(found.source), found.name, found.caption)
        partner = None if found.partner is None else (id(found.source), *found.partner)
        self.batch.append((item, data, thumbnail, (key, partner)))
        self.waiting += len(data)
        if self.waiting >= BATCH_BYTES or time.monotonic() - self.since >= BATCH_SECONDS:
            self.save()

    def save(self) -> None:
        """Writes the batch: files first, so that the table never names one that is not there."""
        if not self.batch and not self.unlisted:
            return
        batch, self.batch, self.waiting = self.batch, [], 0
        self.project.change(lambda state: self._put(state, batch))
        self.since = time.monotonic()

    def _put(self, state: dict, batch: list) -> None:
        folder = self.project.folder
        for name in ("originals", ".thumbnails"):
            (folder / name).mkdir(exist_ok=True)
        table = state["items"]
        following = max(table, default=0) + 1
        for number, (item, data, thumbnail, (key, partner)) in enumerate(batch):
            item = dataclasses.replace(item, id=following + number)
            if item.file and not (folder / item.file).exists():
                replace_file(folder / item.file, data)
            if thumbnail:
                replace_file(folder / ".thumbnails" / f"{item.digest[:20]}.jpg", thumbnail, flush=False)
            self.ids[key] = item.id
            if partner in self.ids and self.ids[partner] in table:
                other = table[self.ids[partner]]
                item = dataclasses.replace(item, partner=other.id)
                if other.partner is None:
                    table[other.id] = dataclasses.replace(other, partner=item.id)
            table[item.id] = item
            self.report.pictures += item.kind == "image"
            self.report.sounds += item.kind == "sound"
        unlisted, self.unlisted = self.unlisted, []
        state["left_out"] = (state["left_out"] + unlisted)[:MAX_LISTED]
        state["left_out_count"] += len(unlisted)


def _examined(found: _Found, limits) -> tuple[Item, bytes, bytes | None]:
    item = Item(0, found.name, found.kind, caption=found.caption)
    try:
        data = found.source.read(found.name)
    except DataError as error:
        return dataclasses.replace(item, error=error.message.beside(found.name)), b"", None
    item = dataclasses.replace(item, digest=hashlib.sha256(data).hexdigest(), size=len(data))
    try:
        if found.kind == "image":
            picture = examine_picture(data, limits)
            item = dataclasses.replace(item, width=picture.width, height=picture.height)
            suffix, thumbnail = picture.suffix, picture.thumbnail
        else:
            sound, _ = examine_sound(data, limits)
            values = {k: v for k, v in vars(sound).items() if k not in ("suffix", "kept")}
            item, suffix, thumbnail = dataclasses.replace(item, **values), sound.suffix, None
            data = sound.kept or data
            item = dataclasses.replace(item, size=len(data))
    except DataError as error:
        return dataclasses.replace(item, error=error.message, size=0), b"", None
    except Exception:  # a decoder may raise anything; the other files are added
        log.exception("%s cannot be examined", found.name)
        return dataclasses.replace(item, error=UNREADABLE[found.kind], size=0), b"", None
    return dataclasses.replace(item, file=f"originals/{item.digest[:20]}{suffix}"), data, thumbnail
