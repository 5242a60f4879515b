"""The letters of captions: which encoding a text file without a mark is in, guessed where it is not Unicode.

Excel and Notepad save in the code page of the country unless told otherwise, and nowhere record which it is. The guess
is chardet's (of the libraries tried, right most often on a few short lines), helped by what only a dataset has: names
in a table must be those of files that exist.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ...errors import DataError

CHOICES = (  # what a person may choose from; whether it is also guessed
    "utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "koi8-r", "koi8-u", "cp866", "cp1253", "cp1254", "cp1255",
    "cp1256", "cp1257", "cp1258", "cp874", "cp932", "euc_jis_2004", "cp949", "gb18030", "big5hkscs", "mac-roman",
)  # fmt: skip
GUESSED = tuple(name for name in CHOICES if not name.startswith("utf"))
SUPERSETS = {  # other names, and encodings that one of CHOICES contains
    "utf-8-sig": "utf-8", "ascii": "utf-8", "shift_jis": "cp932", "shift_jis_2004": "cp932", "euc_jp": "euc_jis_2004",
    "big5": "big5hkscs", "cp950": "big5hkscs", "gbk": "gb18030", "gb2312": "gb18030", "euc_kr": "cp949",
    "iso8859-1": "cp1252", "iso8859-15": "cp1252", "iso8859-9": "cp1254", "tis-620": "cp874",
}  # fmt: skip
MARKS = (  # first bytes that tell the encoding; the longer ones come first
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
LOST = "\ufffd"  # stands for bytes that are no letter
SAMPLE = 64 << 10  # bytes that a guess looks at
PIECES = 12  # lines that are also guessed one by one, so that a damaged line does not decide for all
NAME = re.compile(r"[A-Za-z0-9_.\- ]{1,40}")
WORD = re.compile(r"[^\W\d_]+")
ALPHABETS = re.compile("[\u0370-\u07ff\u0e00-\u0e7f]")  # Greek, Cyrillic, Armenian, Hebrew, Arabic; Thai
CELL_ENDS = str.maketrans(dict.fromkeys(',;\t|"/\\', "\n"))


@dataclass(frozen=True)
class Decoded:
    """Text, the encoding it was read in, and whether that is a guess."""

    text: str
    encoding: str
    guessed: bool = False


def decode(raw: bytes, encoding: str | None = None, names: Iterable[str] = ()) -> Decoded:
    """Text of a stated encoding, or of an unstated one: Unicode where it can be, else the likeliest code page.

    Invalid bytes become U+FFFD, so that their rows can be left out with a reason.

    Args:
        encoding: one of ``CHOICES``; a mark at the beginning of the file still goes first.
        names: of the dataset's files; the text probably names some of them.
    """
    if found := as_unicode(raw, encoding):
        return found
    likely = encoding or guess(raw, names)
    return Decoded(raw.decode(likely, "replace"), likely, guessed=not encoding)


def as_unicode(raw: bytes, encoding: str | None = None) -> Decoded | None:
    """The text where its mark or, unless an encoding is stated, its bytes show it to be Unicode; else None."""
    for mark, named in MARKS:
        if raw.startswith(mark):
            return Decoded(raw.decode(named, "replace"), named.removesuffix("-sig"))
    if encoding:
        return None
    if wide := _wide(raw):
        return Decoded(raw.decode(wide, "replace"), "utf-16")
    return Decoded(raw.decode("utf-8", "replace"), "utf-8") if _is_utf8(raw) else None


def guess(raw: bytes, names: Iterable[str] = ()) -> str:
    """The likeliest of the code pages; ``raw`` is not UTF-8."""
    import chardet  # only where it is needed

    sample = raw[:SAMPLE]
    lines = [line for line in sample.split(b"\n") if not line.isascii()] or [sample]
    votes: dict[str, float] = defaultdict(float)
    for piece in (b"\n".join(lines), *(lines[:PIECES] if len(lines) > 1 else ())):
        for found in chardet.detect_all(
            piece, ignore_threshold=True, include_encodings=GUESSED, compat_names=False, no_match_encoding="cp1252"
        ):
            if found["encoding"] in GUESSED:  # a table with zeros in it is binary to chardet, of no encoding
                votes[found["encoding"]] += found["confidence"]
    texts = {name: sample.decode(name, "replace") for name in (*sorted(votes, key=lambda name: -votes[name]), *GUESSED)}
    letters = {_plain(part) for name in names if not name.isascii() for part in name.split("/")}
    named = {name: _names(text, letters) if letters else 0 for name, text in texts.items()}
    voted = [name for name in texts if votes.get(name) or named[name]] or ["cp1252"]
    # Of equals min takes the first, which has most votes.
    likely = min(voted, key=lambda name: (-named[name], _mixes(texts[name])))
    return next(name for name in GUESSED if texts[name] == texts[likely])  # the best known with the same text


def checked_encoding(name: str) -> str:
    """One of ``CHOICES`` by any name it has. Raises DataError where it is none of them."""
    try:
        found = codecs.lookup(name.strip()).name if NAME.fullmatch(name) else ""  # Python ignores odd signs
    except (LookupError, ValueError):
        found = ""
    for choice in CHOICES:
        if codecs.lookup(choice).name in (found, SUPERSETS.get(found)):
            return choice
    raise DataError("data.no_encoding", name=name[:40], choices=", ".join(CHOICES))


def _wide(raw: bytes) -> str:
    """ "utf-16-le" or "utf-16-be" where every other byte of the beginning is zero, as of plain letters; else ""."""
    head = raw[:64]
    if b"\0" not in head:
        return ""
    return "utf-16-be" if head[::2].count(0) > head[1::2].count(0) else "utf-16-le"


def _is_utf8(raw: bytes) -> bool:
    """Whether it is UTF-8, or so nearly that the rest must be damage."""
    try:
        raw.decode("utf-8")
        return True
    except UnicodeDecodeError:
        text = raw[:SAMPLE].decode("utf-8", "surrogateescape")
    damaged = sum("\udc80" <= char <= "\udcff" for char in text)
    letters = sum(char > "\x7f" for char in text) - damaged
    return letters > 3 * damaged


def _names(text: str, letters: set[str]) -> int:
    """How many of the dataset's names with letters beyond ASCII stand in the text."""
    return len({_plain(cell) for cell in text.translate(CELL_ENDS).split("\n")} & letters)


def _mixes(text: str) -> bool:
    """Whether most words with letters beyond ASCII mix two alphabets, as no language does: "caf\u0439" is "café"."""
    words = [word for word in WORD.findall(text) if not word.isascii()]
    mixed = sum(bool(re.search("[A-Za-z]", word)) and bool(ALPHABETS.search(word)) for word in words)
    return 2 * mixed > len(words)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
