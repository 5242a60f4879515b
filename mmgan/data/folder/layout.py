"""From names to captioned entries, for what no table names (:mod:`mmgan.data.folder.reading` puts it together).

1. One folder per caption: ``dog/1.jpg``, ``dog/bark.wav``.
2. Pairs by stem, caption from the stem: ``red apple.png`` and ``red apple.wav``, side by side or in ``images/`` and
   ``audio/``.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from itertools import zip_longest

from ...language import Message

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp"}
SOUND_SUFFIXES = {  # films too: phones record them when asked for a sound
    ".wav", ".wave", ".w64", ".rf64", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd", ".flac", ".ogg", ".oga", ".opus",
    ".spx", ".mp3", ".mp2", ".mpga", ".m4a", ".m4b", ".aac", ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3gpp", ".3g2",
    ".amr", ".awb", ".webm", ".weba", ".mka", ".mkv", ".wma", ".asf", ".wmv",
}  # fmt: skip
MODALITY_FOLDERS = {
    "image", "images", "img", "imgs", "picture", "pictures", "audio", "audios", "sound", "sounds", "wav", "wavs",
}  # fmt: skip
REPEATS = re.compile(r"\d{1,4}_(.*[^\W\d_].*)")  # how kohya_ss names folders
SAMPLES = re.compile(r"(.+)-samples(?: ?\(\d+\))?", re.IGNORECASE)  # how Teachable Machine names folders
PROJECT = "project.json"  # of mmgan.projects.projects: beside the metadata, not part of the dataset
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r]|'+\s*[=+\-@]")  # beginnings of cells that a spreadsheet would compute
NOTES = re.compile(r"(readme|licen[cs]e|copying|notice)(\.\w+)?", re.IGNORECASE)  # about the data, not part of it


@dataclass(frozen=True)
class Problem:
    """A file, or a line of the metadata, that is left out or needs a look, and what is said of it after its name."""

    file: str
    message: Message

    @property
    def sentence(self) -> str:
        """The message in English."""
        return str(self.message)


@dataclass(frozen=True)
class Entry:
    """A caption with the names of its files; None where there is none."""

    text: str
    image: str | None
    sound: str | None


def kind_of(name: str) -> str | None:
    """ "image", "sound" or None by the name's suffix."""
    suffix = posixpath.splitext(name.rstrip(" ."))[1].lower()
    return "image" if suffix in PICTURE_SUFFIXES else "sound" if suffix in SOUND_SUFFIXES else None


def clean_text(text: object) -> str:
    """One line, composed accents, no control characters, no spaces at the ends."""
    composed = unicodedata.normalize("NFC", "" if text is None else str(text))
    return " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in composed).split())


def safe_cell(text: str) -> str:
    """A cell of a CSV file that no spreadsheet takes for a formula: "=1+1" becomes "'=1+1" (OWASP, CSV injection)."""
    return "'" + text if FORMULA.match(text) else text


def plain_cell(text):
    """The text that :func:`safe_cell` was given."""
    return text[1:] if isinstance(text, str) and text[:1] == "'" and FORMULA.match(text[1:]) else text


def caption_from_name(stem: str) -> str:
    """ "red_apple", "red apple (2)" and "red_apple_02" -> "red apple".

    Only "(2)" and numbers that begin with 0 count as numbering: "digit_3" may mean the three.
    """
    return clean_text((re.sub(r"(\s*\(\d+\)|[ _-]0\d+)$", "", stem) or stem).replace("_", " "))


def from_names(media: list[str], written: dict[str, list[str]] | None = None) -> list[Entry]:
    """Folders per caption and pairs by stem; both may occur in one dataset.

    Args:
        media: names of pictures and sounds.
        written: captions of some of them, which go before what the names say, for their partners too.
    """
    shown = _without_wrapper(media)
    captions = captions_of_folders({posixpath.dirname(path) for _, path in shown})
    by_stem: dict[tuple[str, str], list[str]] = {}
    for name, path in shown:
        if written and name in written:
            by_stem.setdefault(_place(path), written[name])
    groups: dict[str, dict[str, dict[str | None, list[str]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for name, path in shown:
        folder, base = posixpath.split(path)
        stem = posixpath.splitext(base)[0]
        caption = captions[folder] if folder else caption_from_name(stem)
        for text in (written or {}).get(name) or by_stem.get(_place(path)) or [caption or stem]:
            groups[text][stem.casefold()][kind_of(name)].append(name)
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


def captions_of_folders(folders: set[str]) -> dict[str, str]:
    """Folder -> caption: its name, without what other tools write into it.

    kohya_ss puts a number of repeats first, "10_apple". It is taken for one only if all folders begin with a number and
    still differ without it ("1_apple" and "2_apple" may be counts). Teachable Machine ends each with "-samples".
    """
    names = {folder: posixpath.basename(folder) for folder in folders if folder}
    for pattern in (REPEATS, SAMPLES):
        matches = {folder: pattern.fullmatch(name) for folder, name in names.items()}
        if names and all(matches.values()):
            bare = {folder: match[1] for folder, match in matches.items() if match}
            if len(set(bare.values())) == len(set(names.values())):
                names = bare
    return {folder: clean_text(name.replace("_", " ")) for folder, name in names.items()}


def _place(path: str) -> tuple[str, str]:
    folder, base = posixpath.split(path)
    return folder, posixpath.splitext(base)[0].casefold()


def _without_wrapper(media: list[str]) -> list[tuple[str, str]]:
    """(name, name without folders that are no captions): the one folder around everything, ``images/``, ``audio/``."""
    shown = [name.split("/") for name in media]
    while shown and all(len(parts) > 1 for parts in shown):
        first = {parts[0] for parts in shown}
        if {name.lower() for name in first} <= MODALITY_FOLDERS:
            shown = [parts[1:] for parts in shown]
            continue
        # One folder around everything: a mere wrapper if it holds folders or named pairs, else its name is the caption
        # ("dog/1.jpg").
        stems = defaultdict(set)
        for parts in shown:
            stems[posixpath.splitext(parts[-1])[0]].add(kind_of(parts[-1]))
        named_pairs = sum(len(kinds) == 2 and bool(re.search(r"[^\W\d]", stem)) for stem, kinds in stems.items())
        paired = len(stems) > 1 and named_pairs * 2 > len(stems)
        if len(first) > 1 or not (paired or all(len(parts) > 2 for parts in shown)):
            break
        shown = [parts[1:] for parts in shown]
    return [(name, "/".join(parts)) for name, parts in zip(media, shown, strict=True)]


def unknown_kind(base: str) -> Message:
    """What is said of a file of that name, which is neither a picture nor a sound that is read here."""
    if base.lower().endswith((".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")):
        return Message("data.archive_within")
    if base.lower().endswith((".xlsx", ".xls", ".ods", ".numbers")):
        return Message("data.spreadsheet")
    if base.lower().endswith((".heic", ".heif", ".avif", ".svg", ".tif", ".tiff")):
        return Message("data.unknown_picture")
    if base.lower().endswith((".avi", ".mpg", ".mpeg", ".ts", ".flv", ".ape", ".wv", ".mid", ".midi", ".ac3")):
        return Message("data.unknown_sound")
    return Message("data.unknown_kind")
