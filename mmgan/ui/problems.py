"""What went wrong, as one sentence in the language of whoever reads it."""

from __future__ import annotations

import functools
import os
import re
import sys
import tempfile
from pathlib import Path

from ..errors import NO_MEMORY, MmganError, PromptError, lacks_memory
from .strings import say
from .translation import in_chinese

PACKAGE = Path(__file__).resolve().parents[2]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Problem(PromptError):
    """A sentence of the page, kept by its key, so that each visitor reads it in their language."""

    def __init__(self, key: str, **values):
        super().__init__(say(key, **values))
        self.key, self.values = key, values


def sentence(error: MmganError | str, language: str) -> str:
    """The sentence of ``error``, or one that the library wrote down, such as why a run ended.

    What lies below the page speaks English; a sentence that nobody has translated stays so. It also names files as the
    terminal needs them, whole; where this computer keeps them is nobody's business who reads over HTTP.
    """
    if isinstance(error, Problem):
        return _one_line(say(error.key, language, **error.values))
    text = without_folders(_one_line(str(error)))
    return in_chinese(text) if language == "zh" else text


def fault(error: BaseException, language: str) -> str:
    """What is said of an error that nobody expected, and that is written down where the server runs."""
    return sentence(NO_MEMORY, language) if lacks_memory(error) else say("internal", language)


def _one_line(text: str) -> str:
    """``text`` without what a stranger's name may hold and nobody can read."""
    return _CONTROL.sub("?", encodable(text))


def encodable(text: str) -> str:
    """``text`` with a "?" for each lone surrogate, which JSON may hold and UTF-8 may not."""
    return text.encode("utf-8", "replace").decode()


def plain_values(value):
    """A JSON value with all its texts :func:`encodable`."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [plain_values(item) for item in value]
    if isinstance(value, dict):
        return {encodable(str(key)): plain_values(item) for key, item in value.items()}
    return value


_kept: set[str] = set()  # folders of this server, besides those that every program has


def keep_private(*folders: Path) -> None:
    """Lets :func:`without_folders` know of folders that this server works in."""
    for folder in folders:
        _kept.update((os.path.abspath(folder), os.path.realpath(folder)))
    _places.cache_clear()


def without_folders(text: str) -> str:
    """``text`` with files of this computer named from the server's folders on: "seven", not "/srv/mmgan/runs/seven"."""
    if "/" not in text and "\\" not in text:
        return text
    return _places(_here(), tempfile.gettempdir()).sub(_last_name, text)


def without_places(value, keep: tuple[str, ...] = ()):
    """A JSON value with :func:`without_folders` of each of its texts.

    Pictures and sounds, which are long, stay as they are, and so do the fields that ``keep`` names.
    """
    if isinstance(value, str):
        return value if value.startswith("data:") else without_folders(value)
    if isinstance(value, list):
        return [without_places(item, keep) for item in value]
    if isinstance(value, dict):
        return {key: item if key in keep else without_places(item, keep) for key, item in value.items()}
    return value


def _last_name(found: re.Match) -> str:
    return os.path.basename(found[0]) if any(end is not None for end in found.groups()) else ""


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return os.sep


@functools.lru_cache(8)
def _places(*folders: str) -> re.Pattern:
    """A place and the separator behind it, or its end where a sentence is about the folder itself.

    Of a file elsewhere than in a folder of ours the folders between go too.
    """
    others = {*folders, os.path.expanduser("~"), str(PACKAGE), sys.prefix, sys.base_prefix}
    others |= {os.path.realpath(folder) for folder in others}
    kept = {folder: r"[/\\]+(?=[^\s/\\])" for folder in _kept}
    known = {folder: r"[/\\]+(?:[^\s/\\'\"]+[/\\]+)*(?=[^\s/\\])" for folder in others} | kept
    longest = sorted((folder for folder in known if len(Path(folder).parts) > 1), key=len, reverse=True)
    places = "|".join(
        rf"{re.escape(folder)}(?:{known[folder]}|(?P<end{i}>(?![\w-])))" for i, folder in enumerate(longest)
    )
    return re.compile(rf"(?<![\w./\\-])(?:{places})")
