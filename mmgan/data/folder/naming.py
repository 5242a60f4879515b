"""Which file a table means: exactly the one it names, else the only one that is named nearly so.

A table often comes from another computer: from Windows, which ignores upper and lower case; from macOS, which splits
accents and puts unusual spaces into names of screenshots; or from a program that writes where the files once were. Each
is tried in turn, the strictest first. Where several files fit equally well, the person decides.
"""

from __future__ import annotations

import functools
import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from urllib.parse import unquote

MOST_ALIKE = 20  # files with the same last name that are told apart by their folders
LOOK_ALIKES = str.maketrans("’‘ʼ“”–—‐‑", "'''\"\"----")


class Names:
    """The names of a dataset's pictures and sounds.

    Args:
        names: relative, with forward slashes.
        kind_of: "image", "sound" or None of a name.
    """

    def __init__(self, names: Iterable[str], kind_of: Callable[[str], str | None]):
        self._names, self._kind_of = list(names), kind_of
        self._tables: dict[tuple, dict[str, list[str]]] = {}
        self.find = functools.lru_cache(4_096)(self._find)  # a row's names are looked at several times

    def _find(self, written: str, folder: str = "") -> tuple[str, ...]:
        """The files that ``written`` may mean in a table of ``folder``: one, none, or several that fit equally well.

        A name without its suffix may mean a picture and a sound at once.
        """
        spellings = [spelling for spelling in _spellings(written) if self._may_be(spelling)]
        for form in FORMS:
            for spelling in spellings:
                for base in dict.fromkeys((folder, "")):
                    path = posixpath.normpath(posixpath.join(base, spelling)) if spelling else ""
                    if found := self._table(form, whole=True).get(form(path)):
                        return tuple(found)
        every = dict.fromkeys(tail for spelling in spellings for tail in _tails(spelling))
        tails = sorted(every, key=lambda tail: -tail[0].count("/"))  # longer ones are surer
        for stems in (False, True):
            for tail, cut in tails:
                # The table names a folder that the dataset lacks, so only a file outside all folders fits.
                places = dict.fromkeys((posixpath.join(folder, tail), tail)) if cut else (tail,)
                for place in places:
                    if found := self._by_stem(place, cut) if stems else self._by_end(place, cut):
                        return self._few(found, folder)
        return ()

    def _may_be(self, spelling: str) -> bool:
        """Whether any file has such a last name: a quick check that rules out most cells."""
        last = spelling.rpartition("/")[2]
        stems = self._table(_loose, stems=True)
        return _loose(last) in stems or _loose(posixpath.splitext(last)[0]) in stems

    def _by_end(self, tail: str, whole: bool) -> list[str]:
        """Files whose path is or ends like this, in the strictest form that fits any."""
        return next((found for form in FORMS if (found := self._table(form, whole).get(form(tail)))), [])

    def _by_stem(self, tail: str, whole: bool) -> list[str]:
        """Files of that name with another suffix, of the same kind if the suffix tells one."""
        kind = self._kind_of(tail)
        stem = posixpath.splitext(tail)[0] if kind else tail
        found = self._table(_loose, whole, stems=True).get(_loose(stem), [])
        return [name for name in found[:MOST_ALIKE] if kind in (None, self._kind_of(name))]

    def _table(self, form: Callable[[str], str], whole: bool = False, stems: bool = False) -> dict[str, list[str]]:
        """Forms of the names, or of their ends, -> names."""
        key = form, whole, stems
        if key not in self._tables:
            table: dict[str, list[str]] = defaultdict(list)
            for name in self._names:
                path = posixpath.splitext(name)[0] if stems else name
                for end in [path] if whole else [end for end, _ in _tails(path)]:
                    table[form(end)].append(name)
            self._tables[key] = dict(table)
        return self._tables[key]

    @staticmethod
    def _few(found: list[str], folder: str) -> tuple[str, ...]:
        """Those in the table's own folder, where there are any."""
        found = found[:MOST_ALIKE]
        return tuple([name for name in found if name.startswith(f"{folder}/")] or found)


def _same(name: str) -> str:
    return name


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _spaced(name: str) -> str:
    """With single plain spaces in place of other spaces and invisible characters, and none around a part."""
    plain = name.isascii() and name.isprintable()
    seen = name if plain else "".join(map(_space, _composed(name)))
    if plain and "  " not in seen and " /" not in seen and "/ " not in seen:
        return seen.strip()
    return re.sub(r" *(/|$) *", r"\1", re.sub(r" +", " ", seen)).strip()


def _space(char: str) -> str:
    category = unicodedata.category(char)
    return " " if category in ("Zs", "Cc") else "" if category == "Cf" else char


def _loose(name: str) -> str:
    name = _spaced(name)
    return name.lower() if name.isascii() else _composed(name.translate(LOOK_ALIKES).casefold())


FORMS = (_same, _composed, _spaced, _loose)


def _spellings(written: str) -> list[str]:
    """As it stands; with slashes of this system; without quotes around it; decoded like a web address."""
    found = [written, written.replace("\\", "/")]
    bare = written.strip().strip("\"'").replace("\\", "/")
    found.append(bare)
    if address := re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", bare):
        found += [bare[address.end() :], re.split(r"[?#]", bare[address.end() :])[0]]
    found += [unquote(spelling) for spelling in found if "%" in spelling]
    return [spelling for spelling in dict.fromkeys(found) if spelling and "\0" not in spelling]


def _tails(path: str) -> list[tuple[str, bool]]:
    """ "a/b/c.png" -> "a/b/c.png", "b/c.png", "c.png", each with whether it lacks a folder that it should not lack: of
    a path from another computer it may lack any."""
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    elsewhere = bool(re.match(r"/|~|[A-Za-z][A-Za-z0-9+.-]*:", path))
    first = max(0, len(parts) - 12)
    return [("/".join(parts[i:]), i > 0 and not elsewhere) for i in range(first, len(parts))]
