"""The library's English sentences in Chinese: each is known again by its words, and its values are put into the other.

The words of a sentence are looked for one after another, each once and as early as can be, so the time grows with the
length of the text alone, whatever a stranger's file name holds.
"""

from __future__ import annotations

import functools
import re
import string
from dataclasses import dataclass

from .strings.catalogue import SAID, TEXTS

LONGEST = 2_000  # characters; a longer text is none of the library's sentences
DEEPEST = 4  # sentences within one another
MOST_TRIES = 20  # places of a space that may end a name
MOST_PARTS = 12  # sentences in a row
LEAST = 8  # characters by which a sentence with places is known
SETTING = ("", " in ", "")  # the words of "gamma in the settings", which are looked for only where such a thing stands


@dataclass(frozen=True)
class Template:
    """``words`` stand before, between and after the places ``names``, so there is one more of them."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    chinese: str

    @property
    def weight(self) -> int:
        """How many characters of a text it knows."""
        return sum(map(len, self.words))

    @property
    def loose(self) -> bool:
        """Whether its words are in too many texts to know one by."""
        return bool(self.names) and self.weight < LEAST

    def values(self, text: str):
        """Every reading of ``text``, of which there is one but for names with spaces: the places' values in order."""
        first, last = self.words[0], self.words[-1]
        if not self.names:
            if text == first:
                yield ()
        elif len(text) >= len(first) + len(last) and text.startswith(first) and text.endswith(last):
            yield from self._between(text[len(first) : len(text) - len(last)], self.words[1:-1])

    def _between(self, text: str, words: tuple[str, ...]):
        if not words:
            yield (text,)
            return
        place, tries = text.find(words[0]), 0
        while place >= 0:
            for rest in self._between(text[place + len(words[0]) :], words[1:]):
                yield (text[:place], *rest)
            tries += 1
            if words[0] != " " or tries > MOST_TRIES:
                return
            place = text.find(words[0], place + 1)


@functools.lru_cache(maxsize=4_096)
def in_chinese(text: str) -> str:
    """``text`` in Chinese where it is a sentence of the library's, or several in a row; else as it is."""
    if len(text) > LONGEST:
        return text
    whole, weight = _translated(text)
    parts = re.split(r"(?<=[.?!]) (?=[A-Z])", text)
    translated = [_translated(part) for part in parts[: MOST_PARTS + 1]]
    if 1 < len(parts) <= MOST_PARTS and sum(found[1] for found in translated) >= max(1, weight):
        pieces = [found if known else f"{part} " for (found, known), part in zip(translated, parts, strict=True)]
        return "".join(pieces).rstrip()
    return whole


def _translated(text: str, place: str = "", depth: int = 0) -> tuple[str, int]:
    """The text, in the place of that name of another sentence or on its own (""), in Chinese, by the reading that
    knows most of it; and how many characters that knows."""
    best, most = text, 0
    if place:
        best, most = _list(text)
    for template in _templates(bool(place)):
        if template.loose and not (place == "where" and template.words == SETTING):
            continue
        for values in template.values(text):
            put, known = dict(zip(template.names, values, strict=True)), template.weight
            for name, value in put.items():
                if name in SAID and value and depth < DEEPEST:
                    said, more = _translated(value, name, depth + 1)
                    last = name == template.names[-1] and not template.words[-1]
                    put[name], known = said if last or not more else said.rstrip("。"), known + more
            if known > most:
                best, most = template.chinese.format_map(put), known
    return best, most


def _list(text: str) -> tuple[str, int]:
    """ "loudness and pitch" -> "响度、音高", where every item is known; and how many characters are."""
    words = "|".join(sorted((re.escape(word) for word in TEXTS if re.fullmatch(r"[a-z ]+", word)), key=len)[::-1])
    if not re.fullmatch(rf"(?:{words})(?:(?:, | and )(?:{words}))+", text):
        return text, 0
    return "、".join(TEXTS[word] for word in re.findall(rf"(?:^|, | and )({words})(?=$|, | and )", text)), len(text)


@functools.lru_cache(maxsize=2)
def _templates(within: bool) -> tuple[Template, ...]:
    """What is looked for; ``within`` another sentence, parts of sentences as well."""
    found: dict[str, str] = {}
    for english, chinese in TEXTS.items():
        if within or is_whole(english):
            for one, other in _forms(english, chinese, within):
                found.setdefault(one, other)
    return tuple(_template(english, chinese) for english, chinese in found.items())


def _forms(english: str, chinese: str, within: bool):
    """The sentence, and what the library makes of it: without the file's name that a table shows beside it; after a
    colon; without its full stop, or its advice, before other words."""
    forms = [(english, chinese)]
    name = re.match(r"\{\w+\} ", english)
    if name and chinese.startswith(name[0]):
        forms.append((english[name.end() :], chinese[name.end() :]))
    if not within:
        return forms
    forms += [(one[:1].lower() + one[1:], other) for one, other in forms]
    forms += [(one.rstrip("."), other.rstrip("。")) for one, other in forms]
    for one, other in list(forms):
        if one.count("; ") == other.count("；") == 1:
            head, said = one.split("; ")[0], other.split("；")[0]
            if set(_template(said, "").names) <= set(_template(head, "").names):
                forms.append((head, said))
    return forms


def is_whole(english: str) -> bool:
    """Whether it is a sentence of its own; a part stands within others only."""
    return bool(re.search(r"(\.|: \{\w+\})$", english))


def _template(english: str, chinese: str) -> Template:
    words, names = [""], []
    for literal, name, _, _ in string.Formatter().parse(english):
        words[-1] += literal
        if name is not None:
            names.append(name)
            words.append("")
    return Template(tuple(words), tuple(names), chinese)
