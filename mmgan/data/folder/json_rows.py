"""The rows of a table of captions in JSON: a line each, a list, objects over several lines, or captions by name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from ...language import Message
from ..limits import Limits
from .tables import FILE_COLUMNS, TEXT_COLUMNS, Row, column, too_many_rows

OBJECT = 100_000  # characters of one row
MOST_BROKEN = 100  # rows that are no JSON; a file with more is not taken for JSON
NO_OBJECT = Message("data.no_json_object")
_DECODER = json.JSONDecoder(strict=False)  # a caption may contain line breaks


def json_rows(text: str, name: str, is_file: Callable[[str], bool], limits: Limits = Limits()) -> Iterator[Row]:
    """Every row. Raises DataError where there are more than the limits allow."""
    for count, (where, value) in enumerate(_values(text, is_file), start=1):
        if count > limits.rows:
            raise too_many_rows(name, limits)
        if isinstance(value, dict):
            yield Row(where, {column(key): held for key, held in value.items()})
        else:
            yield Row(where, None, NO_OBJECT)


def _values(text: str, is_file: Callable[[str], bool]) -> Iterator[tuple[str, object]]:
    """(where, value) of every value that is a row, or is in the place of one."""
    try:
        whole = _DECODER.decode(text)
    except (ValueError, RecursionError):
        yield from _one_by_one(text)
        return
    if isinstance(whole, dict) and not is_row(whole):
        found = _by_name(whole, is_file)
        if found is None:
            found = next((held for held in whole.values() if isinstance(held, list) and held), [whole])
    else:
        found = whole if isinstance(whole, list) else [whole]
    lines = "\n" not in text.strip() or len(found) == 1
    for count, value in enumerate(found, start=1):
        yield ("line 1" if lines else f"row {count}"), value


def is_row(value: dict) -> bool:
    """Whether its keys are columns."""
    return bool({column(key) for key in value} & (FILE_COLUMNS | set(TEXT_COLUMNS)))


def _by_name(value: dict, is_file: Callable[[str], bool]) -> list[dict] | None:
    """Rows of {"1.png": "a red apple"} or {"1.png": {"caption": ...}}; None where the keys are no files."""
    if not any(map(is_file, list(value)[:20])):
        return None
    return [
        {**held, "file_name": name} if isinstance(held, dict) else {"file_name": name, "text": held}
        for name, held in value.items()
    ]  # fmt: skip


def _one_by_one(text: str) -> Iterator[tuple[str, object]]:
    """Values one after another, whatever brackets and commas are around them."""
    place, line, counted, broken = 0, 1, 0, 0
    while True:
        skipped = _SKIPPED.match(text, place)
        place = skipped.end() if skipped else place
        if place >= len(text):
            return
        line, counted = line + text.count("\n", counted, place), place
        where = f"line {line}"
        try:
            value, length = _decoded(text, place)
        except (ValueError, RecursionError):
            yield where, None
            broken += 1
            following = _NEXT.search(text, place)
            if following is None or broken >= MOST_BROKEN:
                return
            place = following.end() - 1
            continue
        yield where, value
        place += length


def _decoded(text: str, place: int) -> tuple[object, int]:
    """The value that begins there, and its length; commas before a closing bracket are allowed."""
    most = place + OBJECT
    end = text.find("\n", place, most)
    for piece in (text[place : end if end >= 0 else most], text[place:most]):
        try:
            return _DECODER.raw_decode(piece)
        except ValueError:
            pass
    following = _NEXT.search(text, place, most)
    piece = text[place : following.start() if following else most]
    value, _ = _DECODER.raw_decode(_COMMAS.sub(lambda match: match[0] if match[0] != "," else "", piece))
    return value, len(piece)


_SKIPPED = re.compile(r"[\s,\[\]]*")
_NEXT = re.compile(r"\n\s{0,40}[{\[]")
_COMMAS = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])', re.DOTALL)
