"""A project's table on disk: project.json, checked as if a stranger had written it, and finding items in it."""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
import json
import posixpath
from collections.abc import Iterable, Sequence

from ..errors import DataError
from .items import MAX_CAPTION, Item, assess, from_json
from .layout import Problem, clean_text

FORMAT, VERSION = "mmgan-project", 1
MAX_NAME = 60


def to_json(state: dict) -> bytes:
    """The bytes of project.json; ``state["items"]`` are assessed."""
    written = {
        **state, "format": FORMAT, "version": VERSION,
        "items": [_without_defaults(item) for item in state["items"]],
        "left_out": [[problem.file, problem.sentence] for problem in state["left_out"]],
    }  # fmt: skip
    return json.dumps(written, ensure_ascii=False, indent=0).encode("utf-8", "replace")


def checked(values: dict) -> dict:
    """What project.json held. Raises DataError, or what reading the wrong kind of value raises."""
    if values["format"] != FORMAT or values["version"] != VERSION:
        raise DataError("The project was made by another version of mmgan; update mmgan.")
    state = {
        "name": clean_text(values["name"])[:MAX_NAME], "created": float(values["created"]),
        "owner": str(values["owner"]), "shared": values["shared"] is True,
        "items": assess(from_json(item) for item in values["items"]),
        "left_out": [Problem(str(file), str(sentence)) for file, sentence in values["left_out"]],
        "left_out_count": int(values["left_out_count"]),
    }  # fmt: skip
    if len({item.id for item in state["items"]}) != len(state["items"]):
        raise ValueError("two items of one number")
    return state


def _without_defaults(item: Item) -> dict:
    """What is not as it would be anyway; what :func:`assess` finds is left out, for it is found again."""
    plain = Item(item.id, item.name, item.kind)
    found = ("code", "problem", "act", "used")
    values = dataclasses.asdict(item)
    return {
        k: v for k, v in values.items() if k in ("id", "name", "kind") or (k not in found and v != getattr(plain, k))
    }


def select(items: Sequence[Item], ids: Iterable[int] | str) -> list[Item]:
    """Items by their ids, or by a pattern of their names ("dog*", "birds/*.wav"), whatever its case."""
    if isinstance(ids, str):
        pattern = ids.strip().casefold() or "*"
        return [
            item for item in items
            if any(fnmatch.fnmatchcase(n.casefold(), pattern) for n in (item.name, posixpath.basename(item.name)))
        ]  # fmt: skip
    wanted = set(ids)
    return [item for item in items if item.id in wanted]


def check_name(name: str) -> str:
    """A project's name on one line. Raises DataError where it is empty or too long."""
    name = clean_text(name)
    if not name or len(name) > MAX_NAME:
        raise DataError(f"Give the project a name of up to {MAX_NAME} characters.")
    return name


def check_caption(caption: str) -> str:
    """A caption on one line, "" where there is nothing to read. Raises DataError where it is too long."""
    caption = clean_text(caption).encode("utf-8", "ignore").decode()
    if not any(char.isprintable() and not char.isspace() for char in caption):
        return ""
    if len(caption) > MAX_CAPTION:
        raise DataError(f"The caption has {len(caption):,} characters; shorten it to at most {MAX_CAPTION}.")
    return caption


def owner_hash(owner: str) -> str:
    """What is kept of an owner, so that who reads the disk cannot pass for them."""
    return hashlib.sha256(f"mmgan project owner {owner}".encode()).hexdigest() if owner else ""
