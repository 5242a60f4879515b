"""A project's table on disk: project.json, checked as if a stranger had written it, and finding items in it."""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..data.folder.encodings import CHOICES
from ..data.folder.layout import Problem, clean_text
from ..errors import DataError
from ..language import Message
from .items import MAX_CAPTION, Item, assess, from_json

FORMAT, VERSION = "mmgan-project", 1
MAX_NAME = 60
MAX_PATTERN = 200  # characters; the time to match grows with the square of the length
KEPT_FOLDER = ".tables"


@dataclass(frozen=True)
class Kept:
    """Captions of one upload whose encoding was guessed (:mod:`mmgan.projects.rereading`).

    ``name`` is that of the file that held them, the first of several; ``file`` the zip in the project's folder;
    ``items`` the numbers of the items that they may belong to.
    """

    id: int
    name: str
    encoding: str
    file: str
    items: tuple[int, ...]


def to_json(state: dict) -> bytes:
    """The bytes of project.json; ``state["items"]`` are assessed."""
    written = {
        **state, "format": FORMAT, "version": VERSION,
        "items": [_without_defaults(item) for item in state["items"]],
        "left_out": [[problem.file, problem.message.to_json()] for problem in state["left_out"]],
        "readings": [dataclasses.asdict(kept) for kept in state.get("readings", [])],
    }  # fmt: skip
    return json.dumps(written, ensure_ascii=False, indent=0).encode("utf-8", "replace")


def checked(values: dict) -> dict:
    """What project.json held. Raises DataError, or what reading the wrong kind of value raises."""
    if values["format"] != FORMAT or values["version"] != VERSION:
        raise DataError("projects.other_version")
    state: dict[str, Any] = {
        "name": clean_text(values["name"])[:MAX_NAME], "created": float(values["created"]),
        "owner": str(values["owner"]), "shared": values["shared"] is True,
        "items": assess(from_json(item) for item in values["items"]),
        "left_out": [Problem(str(file), Message.from_json(said)) for file, said in values["left_out"]],
        "left_out_count": int(values["left_out_count"]),
        "readings": [_kept(kept) for kept in values.get("readings", [])],  # older projects have none
    }  # fmt: skip
    if len({item.id for item in state["items"]}) != len(state["items"]):
        raise ValueError("two items of one number")
    return state


def _kept(values: dict) -> Kept:
    """From untrusted JSON values. Raises ValueError, or what reading the wrong kind of value raises."""
    kept = Kept(values["id"], values["name"], values["encoding"], values["file"], tuple(values["items"]))
    whole = all(type(number) is int for number in (kept.id, *kept.items)) and isinstance(kept.name, str)
    file = re.fullmatch(rf"{re.escape(KEPT_FOLDER)}/[0-9a-f]{{20}}\.zip", kept.file)
    if not whole or kept.encoding not in CHOICES or not file:
        raise ValueError("no captions that are kept")
    return kept


def pruned(state: dict) -> dict:
    """The state without captions that are kept for items that are gone."""
    items = {item.id for item in state["items"]}
    return {**state, "readings": [kept for kept in state.get("readings", []) if items & set(kept.items)]}


def _without_defaults(item: Item) -> dict:
    """An item's values that differ from the defaults, without those that :func:`assess` works out again."""
    plain = Item(item.id, item.name, item.kind)
    found = ("code", "message", "act", "used")
    values = vars(item) | {"error": item.error.to_json()}
    return {
        k: v for k, v in values.items() if k in ("id", "name", "kind") or (k not in found and v != getattr(plain, k))
    }


def select(items: Sequence[Item], ids: Iterable[int] | str) -> list[Item]:
    """Items by their ids, or by a pattern of their names ("dog*", "birds/*.wav"), whatever its case.

    Raises:
        DataError: the pattern is too long.
    """
    if isinstance(ids, str):
        matches = name_matcher(ids)
        return [item for item in items if matches(item.name)]
    wanted = set(ids)
    return [item for item in items if item.id in wanted]


def name_matcher(pattern: str) -> Callable[[str], bool]:
    """Tells whether a name, with or without its folders, fits a pattern.

    Raises:
        DataError: the pattern is too long.
    """
    if len(pattern) > MAX_PATTERN:
        raise DataError("projects.long_pattern", count=len(pattern), limit=MAX_PATTERN)
    # Not fnmatch's own matching, which remembers 32,768 patterns.
    match = re.compile(fnmatch.translate(pattern.strip().casefold() or "*")).match
    return lambda name: any(match(n.casefold()) for n in (name, posixpath.basename(name)))


def check_name(name: str) -> str:
    """A project's name on one line. Raises DataError where it is empty or too long."""
    name = clean_text(name)
    if not name or len(name) > MAX_NAME:
        raise DataError("projects.bad_name", limit=MAX_NAME)
    return name


def check_caption(caption: str) -> str:
    """A caption on one line, "" where there is nothing to read. Raises DataError where it is too long."""
    caption = clean_text(caption).encode("utf-8", "ignore").decode()
    if not any(char.isprintable() and not char.isspace() for char in caption):
        return ""
    if len(caption) > MAX_CAPTION:
        raise DataError("projects.long_caption", count=len(caption), limit=MAX_CAPTION)
    return caption


def owner_hash(owner: str) -> str:
    """What is stored of an owner, so that a reader of the disk cannot pose as them."""
    return hashlib.sha256(f"mmgan project owner {owner}".encode()).hexdigest() if owner else ""
