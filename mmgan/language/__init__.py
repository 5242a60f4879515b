"""Everything that mmgan says to people, by key: one JSON file a language, found here by its name.

A file holds rooms of keys. A key of the library names its room, such as ``data.no_zip``. Rooms whose names begin with
"ui" hold the page's texts; their keys stand alone, because the page's scripts use them too. What a language lacks is
said in English. An error, a note or a verdict is a :class:`Message`, which becomes a sentence only where somebody
reads it.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
ENGLISH = "en"
LANGUAGES = (ENGLISH, *sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != ENGLISH))
PAGE = "ui"  # begins the names of the page's rooms
PLAIN = "list.plain"  # a text as it stands, without a key of its own
JOINTS = {"list.row": "list.space", "list.clauses": "list.semicolon"}  # joins a list in these, instead of commas
_PLURAL = re.compile(r"\{(\w+)\|([^|{}]*)\|([^|{}]*)\}")
# Bounds of messages from files, which anybody may have written.
MOST_VALUES, MOST_ITEMS, LONGEST, DEEPEST = 20, 100, 4_000, 4


@functools.lru_cache
def rooms(language: str = ENGLISH) -> dict[str, dict[str, str]]:
    """Room -> key -> text, as the language's file has them."""
    return json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))


@functools.lru_cache
def texts(language: str = ENGLISH) -> dict[str, str]:
    """Key -> text, English where the language lacks it."""
    found = {
        name if room.startswith(PAGE) else f"{room}.{name}": text
        for room, names in rooms(language).items()
        for name, text in names.items()
    }
    return found if language == ENGLISH else texts(ENGLISH) | found


def say(key: str, language: str = ENGLISH, /, **values) -> str:
    """The text of ``key`` with its ``{places}`` filled in; plain text, so escape it before it becomes HTML.

    Of ``{count|file|files}`` the first is taken for a count of 1, else the second. A value that is a
    :class:`Message` is said in the same language, and a list as in "one, two and three".
    """
    text = _PLURAL.sub(lambda m: m[2] if str(values[m[1]]) == "1" else m[3], texts(language)[key])
    shown = {name: _shown(value, language, JOINTS.get(key, "")) for name, value in values.items()}
    return text.format(**shown) if values else text


def _shown(value, language: str, joint: str = ""):
    if isinstance(value, Message):
        return value.text(language)
    if not isinstance(value, (list, tuple)):
        return value
    said = texts(language)
    parts = [str(_shown(item, language)) for item in value]
    if joint:
        return said[joint].join(parts)
    if len(parts) > 1:
        parts = [said["list.comma"].join(parts[:-1]), parts[-1]]
    return said["list.and"].join(parts)


class Message:
    """A key with the values for its text's places: numbers, texts, messages, and lists of these; others as texts.

    ``str(message)`` is English. An unknown key stands for itself, and a message without a text is false.
    """

    def __init__(self, key: str, /, **values):
        self.key, self.values = key, {name: _plain(value) for name, value in values.items()}

    @classmethod
    def plain(cls, text: str) -> Message:
        """A text without a key, such as one from an earlier version; the same in every language."""
        return cls(PLAIN, text=text)

    @classmethod
    def row(cls, *messages: Message) -> Message:
        """Sentences one after another."""
        return cls("list.row", parts=list(messages))

    def text(self, language: str = ENGLISH) -> str:
        """The sentence in that language; if it begins with a name that is left out, the rest."""
        try:
            return say(self.key, language, **self.values).lstrip()
        except (LookupError, ValueError, TypeError, AttributeError):  # no key of ours, or values that do not fit it
            return self.key

    def with_values(self, **values) -> Message:
        """The same with other values in some places."""
        return Message(self.key, **{**self.values, **values})

    def beside(self, name: str) -> Message:
        """The same without its subject where that is ``name``, which is shown beside it."""
        return self.with_values(name="") if self.values.get("name") == name else self

    def map(self, change: Callable[[str], str]) -> Message:
        """The same with ``change`` applied to every text among its values."""

        def changed(value):
            if isinstance(value, Message):
                return value.map(change)
            if isinstance(value, list):
                return [changed(item) for item in value]
            return change(value) if isinstance(value, str) else value

        return Message(self.key, **{name: changed(value) for name, value in self.values.items()})

    def to_json(self) -> str | dict:
        """A JSON value for :meth:`from_json`; a text without a key is itself."""
        if self.key == PLAIN:
            return self.values["text"]
        return {"key": self.key, "values": _to_json(self.values)}

    @classmethod
    def from_json(cls, value, depth: int = 0) -> Message:
        """From an untrusted JSON value. Raises ValueError where it holds no message, or too much."""
        if isinstance(value, str):
            return cls.plain(value)
        if not isinstance(value, dict) or value.keys() != {"key", "values"} or depth > DEEPEST:
            raise ValueError("no message")
        key, values = value["key"], value["values"]
        if not isinstance(key, str) or len(key) > LONGEST or not isinstance(values, dict) or len(values) > MOST_VALUES:
            raise ValueError("no message")
        if key not in texts():
            return cls.plain(key)
        return cls(key, **{name: _from_json(item, depth) for name, item in values.items()})

    def __str__(self) -> str:
        return self.text()

    def __bool__(self) -> bool:
        return self != NOTHING

    def __eq__(self, other) -> bool:
        return isinstance(other, Message) and (self.key, self.values) == (other.key, other.values)

    def __hash__(self) -> int:
        return hash((self.key, json.dumps(self.to_json(), sort_keys=True)))

    def __repr__(self) -> str:
        return f"Message({self.key!r}, {', '.join(f'{name}={value!r}' for name, value in self.values.items())})"


def _plain(value):
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    value = value.item() if hasattr(value, "item") else value  # a NumPy number
    return value if value is None or isinstance(value, (str, bool, int, float, Message)) else str(value)


def _to_json(value):
    if isinstance(value, Message):
        return value.to_json() if value.key != PLAIN else {"key": PLAIN, "values": value.values}
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _to_json(item) for name, item in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _from_json(value, depth: int):
    if isinstance(value, dict):
        return Message.from_json(value, depth + 1)
    if isinstance(value, list) and len(value) <= MOST_ITEMS and depth <= DEEPEST:
        return [_from_json(item, depth + 1) for item in value]
    if value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= LONGEST):
        return value
    raise ValueError("no value of a message")


NOTHING = Message.plain("")


def lacks(language: str) -> list[str]:
    """What is wrong with a language's file, compared with English: missing or additional keys, or other places."""
    english, other = (
        {f"{room}.{name}": text for room, names in rooms(spoken).items() for name, text in names.items()}
        for spoken in (ENGLISH, language)
    )
    found = [f"{key} is missing" for key in english if key not in other]
    found += [f"{key} is not in English" for key in other if key not in english]
    return found + [
        f"{key} has the places {sorted(places(other[key]))}, not {sorted(places(english[key]))}"
        for key in english
        if key in other and places(english[key]) != places(other[key])
    ]


def places(text: str) -> set[str]:
    """The names of a text's places; of ``{count|file|files}``, which other languages may not need, the count."""
    return {re.split(r"[!:|]", place)[0] for place in re.findall(r"\{([^{}]*)\}", text)}
