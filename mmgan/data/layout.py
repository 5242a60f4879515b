"""From the names in a folder or zip to captioned entries: the three layouts that people's datasets have.

1. ``metadata.csv`` or ``metadata.jsonl`` with ``text``, ``file_name`` and ``audio_file_name`` (Hugging Face's
   convention), in any folder, naming files relative to itself; a row may lack either file.
2. One folder per caption: ``dog/1.jpg``, ``dog/bark.wav``.
3. Pairs by stem, caption from the stem: ``red apple.png`` and ``red apple.wav``, side by side or in ``images/`` and
   ``audio/``.
"""

from __future__ import annotations

import csv
import io
import json
import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from ..errors import DataError
from .archive import FolderFiles, ZipFiles, decode_text

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp"}
SOUND_SUFFIXES = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"}
METADATA_NAMES = {"metadata.csv", "metadata.jsonl"}
FILE_COLUMNS = ("file_name", "image_file_name", "audio_file_name")  # the suffix says which kind of file it is
MODALITY_FOLDERS = {"image", "images", "picture", "pictures", "audio", "audios", "sound", "sounds"}
PROJECT = "project.json"  # of mmgan.data.projects: beside the metadata, not part of the dataset
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r]|'+\s*[=+\-@]")  # how a cell begins that spreadsheets compute
NOTES = re.compile(r"(readme|licen[cs]e|copying|notice)(\.\w+)?", re.IGNORECASE)  # about the data, not part of it


@dataclass(frozen=True)
class Problem:
    """A file, or a line of the metadata, that is left out or needs a look, and the sentence that says why."""

    file: str
    sentence: str


@dataclass(frozen=True)
class Entry:
    """A caption with the names of its files; None where there is none."""

    text: str
    image: str | None
    sound: str | None


def read_layout(files: FolderFiles | ZipFiles) -> tuple[list[Entry], list[Problem]]:
    """Every entry of the dataset, and everything that does not fit.

    Raises:
        DataError: the metadata has no ``text`` column.
    """
    problems: list[Problem] = []
    media, metadata = [], []
    for name in files.names:
        base = posixpath.basename(name)
        if base.lower() in METADATA_NAMES:
            metadata.append(name)
        elif kind_of(name):
            media.append(name)
        elif not NOTES.fullmatch(base) and name != PROJECT:
            problems.append(Problem(name, _unknown_kind(base)))
    if metadata:
        entries = []
        for name in metadata:
            entries += _from_metadata(files, name, media, problems)
        used = {name for entry in entries for name in (entry.image, entry.sound)}
        listed = posixpath.basename(metadata[0]) if len(metadata) == 1 else "any metadata file"
        problems += [
            Problem(name, f"is not named in {listed}, so it is left out.") for name in media if name not in used
        ]
        return entries, problems
    return _from_names(media), problems


def kind_of(name: str) -> str | None:
    """ "image", "sound" or None by the name's suffix."""
    suffix = posixpath.splitext(name)[1].lower()
    return "image" if suffix in PICTURE_SUFFIXES else "sound" if suffix in SOUND_SUFFIXES else None


def clean_text(text: object) -> str:
    """One line, composed accents, no control characters, no spaces at the ends."""
    composed = unicodedata.normalize("NFC", "" if text is None else str(text))
    return " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in composed).split())


def safe_cell(text: str) -> str:
    """A cell of a CSV file that no spreadsheet takes for a formula: "=1+1" becomes "'=1+1" (OWASP, CSV injection)."""
    return "'" + text if FORMULA.match(text) else text


def plain_cell(text):
    """What :func:`safe_cell` was given."""
    return text[1:] if isinstance(text, str) and text[:1] == "'" and FORMULA.match(text[1:]) else text


def caption_from_name(stem: str) -> str:
    """ "red_apple", "red apple (2)" and "red_apple_02" -> "red apple".

    Only copies and numbers that begin with 0 are taken for counting: "digit_3" may well mean the three.
    """
    return clean_text((re.sub(r"(\s*\(\d+\)|[ _-]0\d+)$", "", stem) or stem).replace("_", " "))


def _from_names(media: list[str]) -> list[Entry]:
    """Folders per caption and pairs by stem; both may occur in one dataset."""
    media = _without_wrapper(media)
    groups: dict[str, dict[str, dict[str, list[str]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for name, shown in media:
        folder, base = posixpath.split(shown)
        stem = posixpath.splitext(base)[0]
        caption = clean_text(posixpath.basename(folder).replace("_", " ")) if folder else caption_from_name(stem)
        groups[caption or stem][stem.casefold()][kind_of(name)].append(name)
    entries = []
    for caption, stems in groups.items():
        left_images, left_sounds = [], []
        for kinds in stems.values():
            pairs = list(zip_longest(kinds["image"], kinds["sound"]))
            entries += [Entry(caption, image, sound) for image, sound in pairs if image and sound]
            left_images += [image for image, sound in pairs if sound is None]
            left_sounds += [sound for image, sound in pairs if image is None]
        entries += [Entry(caption, image, sound) for image, sound in zip_longest(left_images, left_sounds)]
    return entries


def _without_wrapper(media: list[str]) -> list[tuple[str, str]]:
    """(name, name without folders that are no captions): the one folder around everything, ``images/``, ``audio/``."""
    shown = [name.split("/") for name in media]
    while shown and all(len(parts) > 1 for parts in shown):
        first = {parts[0] for parts in shown}
        if {name.lower() for name in first} <= MODALITY_FOLDERS:
            shown = [parts[1:] for parts in shown]
            continue
        # One folder around all: a wrapper if it has folders or named pairs in it, else a caption's own ("dog/1.jpg").
        stems = defaultdict(set)
        for parts in shown:
            stems[posixpath.splitext(parts[-1])[0]].add(kind_of(parts[-1]))
        named_pairs = sum(len(kinds) == 2 and bool(re.search(r"[^\W\d]", stem)) for stem, kinds in stems.items())
        paired = len(stems) > 1 and named_pairs * 2 > len(stems)
        if len(first) > 1 or not (paired or all(len(parts) > 2 for parts in shown)):
            break
        shown = [parts[1:] for parts in shown]
    return [(name, "/".join(parts)) for name, parts in zip(media, shown, strict=True)]


def _from_metadata(files, metadata: str, media: list[str], problems: list[Problem]) -> list[Entry]:
    folder = posixpath.dirname(metadata)
    known = {unicodedata.normalize("NFC", name): name for name in media}
    entries = []
    for line, values in _metadata_rows(files, metadata, problems):
        where = f"{metadata}, line {line}"
        text = clean_text(values.get("text"))
        if not text:
            problems.append(Problem(where, "has no text, so it is left out; write a caption in the text column."))
            continue
        found: dict[str, str] = {}
        for column in FILE_COLUMNS:
            written = clean_text(values.get(column)).replace("\\", "/")
            if not written:
                continue
            name = known.get(posixpath.normpath(posixpath.join(folder, written)))
            if name is None:
                problems.append(
                    Problem(where, f"names {written[:100]!r}, which is not in the dataset or of no known kind.")
                )
            else:
                found[kind_of(name)] = name
        if found:
            entries.append(Entry(text, found.get("image"), found.get("sound")))
        else:
            problems.append(Problem(where, "has neither picture nor sound, so it is left out."))
    return entries


def _metadata_rows(files, metadata: str, problems: list[Problem]) -> Iterator[tuple[int, dict]]:
    """(line number, values by lower-case column) of each row that can be read."""
    text = decode_text(files.read(metadata))
    if metadata.lower().endswith(".jsonl"):
        for line, written in enumerate(text.split("\n"), start=1):  # strings may hold other separators
            if not written.strip():
                continue
            try:
                values = json.loads(written)
                yield line, {str(key).strip().lower(): value for key, value in values.items()}
            except (ValueError, AttributeError, RecursionError):
                problems.append(Problem(f"{metadata}, line {line}", "is not a JSON object, so it is left out."))
        return
    header = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)  # Excel writes any of them, by the country and the menu
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = {name: (name or "").strip().lower() for name in reader.fieldnames or ()}
        if "text" not in columns.values():
            raise DataError(
                f"{metadata} has no column 'text'; its first line should be text,file_name,audio_file_name."
            )
        for values in reader:
            yield reader.line_num, {columns[key]: plain_cell(value) for key, value in values.items() if key in columns}
    except csv.Error:
        problems.append(
            Problem(f"{metadata}, line {reader.line_num}", "cannot be read, nor what follows; check its quotes.")
        )


def _unknown_kind(base: str) -> str:
    if base.lower().endswith((".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")):
        return "is an archive within the dataset, so it is left out; unpack it first."
    if base.lower().endswith((".heic", ".heif", ".avif", ".svg", ".tif", ".tiff")):
        return "is of a kind of picture that mmgan does not read, so it is left out; save it as PNG or JPEG."
    if base.lower().endswith((".m4a", ".aac", ".wma", ".mp4", ".mov", ".webm", ".mkv", ".avi")):
        return (
            "is of a kind of sound or film that mmgan does not read, so it is left out; save its sound as WAV or MP3."
        )
    return "is neither picture nor sound, so it is left out."
