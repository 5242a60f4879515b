"""Keeps captions whose encoding was guessed as they came, so that they can be read again in another encoding.

The files that held them wait in ``.tables/`` of the project as a small zip, until the person says that they are right,
or the last item of that upload is gone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..data.folder.encodings import checked_encoding
from ..data.folder.layout import Problem
from ..data.folder.reading import Layout, Reading, read_layout
from ..errors import DataError
from ..system.files import replace_file
from .items import MAX_CAPTION, Item
from .store import Store
from .table import KEPT_FOLDER, Kept, check_caption


def keep(project: Store, readings: Sequence[Reading], items: Iterable[int]) -> Kept | None:
    """Keeps what was guessed of an upload that became ``items``; None where nothing was."""
    guessed, items = [reading for reading in readings if reading.guessed], tuple(sorted(items))
    if not guessed or not items:
        return None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for reading in guessed:
            archive.writestr(zipfile.ZipInfo(reading.file), reading.raw, zipfile.ZIP_DEFLATED)
    data = buffer.getvalue()
    file = f"{KEPT_FOLDER}/{hashlib.sha256(data).hexdigest()[:20]}.zip"

    def change(state: dict) -> Kept:
        (project.folder / KEPT_FOLDER).mkdir(exist_ok=True)
        replace_file(project.folder / file, data)
        before = state.get("readings", [])
        number = max((kept.id for kept in before), default=0) + 1
        kept = Kept(number, guessed[0].file, guessed[0].encoding, file, items)
        state["readings"] = [*before, kept]
        return kept

    return project.change(change)


def read_again(project: Store, key: int, encoding: str) -> int:
    """Reads captions in another encoding, except those edited meanwhile; returns how many changed.

    Args:
        key: the ``id`` of one of :meth:`Store.readings`.
        encoding: one of :data:`~mmgan.data.folder.encodings.CHOICES`, by any of its names.

    Raises:
        DataError: no such encoding, or the captions are no longer kept.
    """
    encoding = checked_encoding(encoding)
    kept = next((kept for kept in project.readings() if kept.id == key), None)
    if kept is None:
        raise DataError("projects.captions_gone")
    try:
        with zipfile.ZipFile(project.folder / kept.file) as archive:
            raw = {info.filename: archive.read(info) for info in archive.infolist()}
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise DataError("projects.captions_gone") from error
    names = {item.name for item in project.items() if item.id in kept.items}
    source = _Again(raw, names, project.limits)
    before, after = (_captions(read_layout(source, name)) for name in (kept.encoding, encoding))

    def change(state: dict) -> int:
        changed = 0
        for number in kept.items:
            item = state["items"].get(number)
            caption = _caption(item, before, after) if item else None
            if item and caption is not None and caption != item.caption:
                state["items"][number] = dataclasses.replace(item, caption=caption)
                changed += 1
        state["readings"] = [
            dataclasses.replace(other, encoding=encoding) if other.id == key else other
            for other in state.get("readings", [])
        ]
        _say_anew(state, raw, read_layout(source, encoding).problems)
        return changed

    return project.change(change)


def forget(project: Store, key: int) -> None:
    """Confirms that captions were read correctly, and deletes the kept originals."""
    project.change(lambda state: state.update(readings=[kept for kept in state.get("readings", []) if kept.id != key]))


def fitted(text: str) -> str:
    """A caption cut to the length that one may have."""
    return check_caption(text if len(text) <= MAX_CAPTION else text[:MAX_CAPTION].rsplit(" ", 1)[0])


def _captions(layout: Layout) -> dict[str, list[str]]:
    found = defaultdict(list)
    for entry in layout.entries:
        for name in (entry.image, entry.sound):
            if name:
                found[name].append(fitted(entry.text))
    return found


def _caption(item: Item, before: dict[str, list[str]], after: dict[str, list[str]]) -> str | None:
    """An item's caption in the other encoding; None if the person has written one meanwhile."""
    old, new = before.get(item.name, []), after.get(item.name, [])
    if item.caption not in (old or [""]):
        return None
    place = old.index(item.caption) if old else 0
    return new[min(place, len(new) - 1)] if new else ""


def _say_anew(state: dict, raw: dict[str, bytes], problems: list[Problem]) -> None:
    """Replaces the list of what these tables could not give with that of the other encoding."""

    def of_these(problem: Problem) -> bool:
        return any(problem.file == name or problem.file.startswith(f"{name}, ") for name in raw)

    left = [problem for problem in state["left_out"] if not of_these(problem)]
    now = [problem for problem in problems if of_these(problem)]
    state["left_out_count"] += len(left) + len(now) - len(state["left_out"])
    state["left_out"] = left + now


class _Again:
    """The kept files, beside the names of those that they describe."""

    def __init__(self, raw: dict[str, bytes], names: set[str], limits):
        self.raw, self.limits, self.names, self.title = raw, limits, sorted({*raw, *names}), ""

    def size(self, name: str) -> int:
        return len(self.raw.get(name, b""))

    def read(self, name: str) -> bytes:
        return self.raw[name]
