"""A project's table as a page shows it: JSON rows, a page at a time, with what is wrong in the reader's language."""

from __future__ import annotations

from collections.abc import Callable

from ...projects.items import Item, is_long
from ...projects.projects import Project
from ...projects.table import Kept, name_matcher
from ..server.sentences import sentence

PAGE = 20  # rows; more would hide what comes after the table on a phone
SHOWS = ("all", "look", "left_out", "image", "sound")
MAX_LEFT_OUT = 1_000


def described(project: Project, owner: str, language: str) -> dict:
    """What a list shows of a project."""
    summary = project.summary()
    return {
        "key": project.key, "name": project.name, "shared": project.shared, "mine": project.belongs_to(owner),
        "created": project.created, "pictures": summary.pictures, "sounds": summary.sounds, "pairs": summary.pairs,
        "captions": summary.captions, "left_out": summary.left_out, "problems": sum(summary.problems.values()),
    }  # fmt: skip


def table(project: Project, language: str, page: int = 0, show: str = "all", find: str = "") -> dict:
    """One page of rows.

    Args:
        show: one of ``SHOWS``: all, those that need a look, those that are not learned from, one kind.
        find: a pattern of names ("dog*"), or any part of a name or caption.
    """
    items = project.items()
    by_id = {item.id: item for item in items}
    find = find.strip().casefold()
    matches = name_matcher(find) if any(char in find for char in "*?[") else None
    chosen = [item for item in items if _shown(item, show) and _found(item, find, matches)]
    pages = max(1, -(-len(chosen) // PAGE))
    page = min(max(0, page), pages - 1)
    left_out = project.left_out()[:MAX_LEFT_OUT]
    captions: dict[str, None] = dict.fromkeys(item.caption for item in items if item.caption)
    return {
        "rows": [_row(item, by_id, language) for item in chosen[page * PAGE : (page + 1) * PAGE]],
        "page": page, "pages": pages, "found": len(chosen), "items": len(items), "per_page": PAGE,
        "captions": list(captions)[:200],
        "left_out": [[problem.file, sentence(problem.message, language)] for problem in left_out],
        "readings": [_reading(kept, by_id) for kept in project.readings()],
        "lonely": {kind: sum(item.kind == kind and item.partner is None and item.used for item in items)
                   for kind in ("image", "sound")},
    }  # fmt: skip


def lonely(project: Project, kind: str) -> list[dict]:
    """Items of a kind that have no partner yet, to choose one from."""
    return [
        {"id": item.id, "name": item.name, "caption": item.caption}
        for item in project.items() if item.kind == kind and item.partner is None and not item.error
    ][:300]  # fmt: skip


def _reading(kept: Kept, by_id: dict[int, Item]) -> dict:
    """Captions whose encoding was guessed, with one of them to judge by."""
    captions = (by_id[number].caption for number in kept.items if number in by_id)
    example = next((caption for caption in captions if not caption.isascii()), "")
    return {"id": kept.id, "name": kept.name, "encoding": kept.encoding, "example": example[:80]}


def _shown(item: Item, show: str) -> bool:
    if show == "look":
        return bool(item.code)
    if show == "left_out":
        return not item.used
    return show not in ("image", "sound") or item.kind == show


def _found(item: Item, find: str, matches: Callable[[str], bool] | None) -> bool:
    if matches is not None:
        return matches(item.name)
    return find in item.name.casefold() or find in item.caption.casefold()


def _row(item: Item, by_id: dict[int, Item], language: str) -> dict:
    partner = by_id.get(item.partner)
    return {
        "id": item.id, "name": item.name, "kind": item.kind, "caption": item.caption, "version": item.digest[:8],
        "readable": bool(item.file), "used": item.used, "code": item.code, "act": item.act,
        "problem": problem_sentence(item, language),
        "width": item.width, "height": item.height, "seconds": round(item.seconds, 2), "peaks": item.peaks,
        "long": is_long(item), "cut": item.cut, "pieces": item.pieces,
        "partner": partner and {
            "id": partner.id, "name": partner.name, "kind": partner.kind, "peaks": partner.peaks,
            "version": partner.digest[:8],
        },
    }  # fmt: skip


def problem_sentence(item: Item, language: str) -> str:
    """What is wrong with an item, in one sentence; "" where all is well."""
    text = sentence(item.message, language)  # written to go on after the name, which here has a line of its own
    return text[:1].upper() + text[1:]
