"""Layouts of other tools: a text file beside each picture, StyleGAN's dataset.json, Teachable Machine's zips."""

from __future__ import annotations

import io
import json
import posixpath
from collections import defaultdict

from ...errors import DataError
from ...language import Message
from ..limits import mebibytes
from .archive import FolderFiles, ZipFiles
from .layout import SAMPLES, Entry, Problem, kind_of
from .naming import Names

CAPTION_SUFFIXES = {".txt", ".caption", ".captions", ".text", ".lab"}
CAPTION_FOLDERS = {"caption", "captions", "text", "texts", "txt", "prompt", "prompts", "label", "labels"}
LARGEST_CAPTION = 64 << 10  # bytes of a file that holds one
NO_LABELS = Message("data.no_labels")


def sidecars(names: list[str], media: list[str]) -> dict[str, list[str]]:
    """Text file -> the pictures and sounds it describes: ``img001.txt`` or ``img001.png.txt`` beside ``img001.png``
    (kohya_ss, OneTrainer and others), or in ``captions/`` beside ``images/``."""
    beside, anywhere = defaultdict(list), defaultdict(list)
    for name in media:
        stem = posixpath.splitext(name)[0]
        for key in (stem, name):
            beside[key.casefold()].append(name)
        anywhere[posixpath.basename(stem).casefold()].append(name)
    found = {}
    for name in names:
        stem, suffix = posixpath.splitext(name)
        if suffix.lower() not in CAPTION_SUFFIXES:
            continue
        described = beside.get(stem.casefold(), [])
        if not described and posixpath.basename(posixpath.dirname(name)).lower() in CAPTION_FOLDERS:
            described = anywhere.get(posixpath.basename(stem).casefold(), [])
            described = described if len({*map(kind_of, described)}) == len(described) else []
        if described:
            found[name] = described
    return found


def stylegan(raw: bytes, name: str, names: Names, problems: list[Problem]) -> list[Entry] | None:
    """The entries of StyleGAN's dataset.json, ``{"labels": [["00000/img00000000.png", 6], ...]}``; None where it is
    none.

    A label is a number, a list with a single one that is not zero, or a word; numbers become "class 6".
    """
    try:
        labels = json.loads(raw)["labels"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if labels is None or (isinstance(labels, (list, dict)) and not labels):
        problems.append(Problem(name, NO_LABELS))
        return []
    if isinstance(labels, dict):
        labels = list(labels.items())
    if not isinstance(labels, list):
        return None
    entries, numbered = [], False
    for number, row in enumerate(labels, start=1):
        where = f"{name}, row {number}"
        written, label = row if isinstance(row, (list, tuple)) and len(row) == 2 else (None, None)
        if not isinstance(written, str):
            problems.append(Problem(where, Message("data.no_label_line")))
            continue
        found = names.find(written, posixpath.dirname(name))
        caption = _label(label)
        if len(found) != 1:
            problems.append(Problem(where, Message("data.names_nothing", name=written[:100])))
        elif not caption:
            problems.append(Problem(where, Message("data.no_class_label")))
        else:
            numbered |= not isinstance(label, str)
            (file,) = found
            entries.append(Entry(caption, *((file, None) if kind_of(file) == "image" else (None, file))))
    if numbered:
        problems.append(Problem(name, Message("data.number_labels")))
    return entries


def _label(label: object) -> str:
    if isinstance(label, list) and all(isinstance(part, (int, float)) for part in label):
        places = [i for i, part in enumerate(label) if part]
        label = label[0] if len(label) == 1 else places[0] if len(places) == 1 else None
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if isinstance(label, int) and not isinstance(label, bool) and abs(label) < 1 << 53:
        return f"class {label}"
    return label.strip() if isinstance(label, str) else ""


def class_of(files) -> str:
    """The class in a zip of Teachable Machine, by its name: "Cat-samples.zip" -> "Cat"; else ""."""
    match = SAMPLES.fullmatch(getattr(files, "title", ""))
    return match[1] if match else ""


class WithInnerZips:
    """Files, some of them zips of one class each as Teachable Machine makes them ("Cat-samples.zip"), opened.

    One of them is held in memory at a time. Other archives within a dataset stay closed.

    Raises:
        DataError: all of them together hold more than the limits allow, or one is refused.
    """

    def __init__(self, files):
        self.files, self.limits, self.title = files, files.limits, getattr(files, "title", "")
        self.odd = getattr(files, "odd", [])
        self._inner: dict[str, tuple[str, str]] = {}  # name -> zip, name in it
        self._sizes: dict[str, int] = {}
        self._open: tuple[str, ZipFiles | None] = "", None
        zips = [name for name in files.names if is_class_zip(name)]
        for zipped in zips:
            inside = self._opened(zipped)
            folder = posixpath.splitext(zipped)[0]
            for name in inside.names:
                self._inner[f"{folder}/{name}"] = zipped, name
                self._sizes[f"{folder}/{name}"] = inside.size(name)
            if len(self._inner) > self.limits.files:
                raise DataError("data.too_many_files", name=zipped, count=self.limits.files)
            if sum(self._sizes.values()) > self.limits.total_bytes:
                raise DataError("data.zip_large", name=zipped, size=mebibytes(self.limits.total_bytes))
        self.names = sorted({*files.names, *self._inner} - set(zips))

    def size(self, name: str) -> int:
        return self._sizes[name] if name in self._inner else self.files.size(name)

    def read(self, name: str) -> bytes:
        if name not in self._inner:
            return self.files.read(name)
        zipped, inside = self._inner[name]
        return self._opened(zipped).read(inside)

    def leads_outside(self, name: str) -> bool:
        outer = self._inner[name][0] if name in self._inner else name
        return isinstance(self.files, FolderFiles) and self.files.leads_outside(outer)

    def _opened(self, zipped: str) -> ZipFiles:
        held, opened = self._open
        if held != zipped or opened is None:
            inside = _InMemory(self.files.read(zipped), posixpath.basename(zipped))
            opened = ZipFiles(inside, self.limits)  # type: ignore[arg-type]  # what ZipFiles asks of a path, it has
            self._open = zipped, opened
        return opened


def is_class_zip(name: str) -> bool:
    stem, suffix = posixpath.splitext(posixpath.basename(name))
    return suffix.lower() == ".zip" and bool(SAMPLES.fullmatch(stem))


class _InMemory(io.BytesIO):
    """Bytes that :class:`ZipFiles` can open like a path."""

    def __init__(self, data: bytes, name: str):
        super().__init__(data)
        self.name, self.stem = name, posixpath.splitext(name)[0]

    def open(self, mode: str = "rb") -> io.BytesIO:
        return io.BytesIO(self.getbuffer())
