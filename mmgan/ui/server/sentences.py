"""What went wrong, as one sentence in the language of whoever reads it."""

from __future__ import annotations

import functools
import os
import re
import sys
import tempfile
from pathlib import Path

from ...errors import NO_MEMORY, MmganError, PromptError, lacks_memory
from ...language import Message

PACKAGE = Path(__file__).resolve().parents[3]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class PageError(PromptError):
    """A refusal of the page itself."""


def sentence(said: MmganError | Message, language: str) -> str:
    """The sentence of an error, or of a message that the library wrote down, such as why a run ended.

    The library names files with their whole path, for the terminal. Over HTTP nobody needs to know where this computer
    keeps them.
    """
    text = _one_line((said.message if isinstance(said, MmganError) else said).text(language))
    return text if isinstance(said, PageError) else without_folders(text)


def unexpected(error: BaseException) -> Message:
    """What a visitor is told of an unexpected error; the server's log has the details."""
    return NO_MEMORY if lacks_memory(error) else Message("internal")


def fault(error: BaseException, language: str) -> str:
    """The same as a sentence."""
    return sentence(unexpected(error), language)


def _one_line(text: str) -> str:
    """``text`` without control characters, which a stranger's file name may hold."""
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


_kept: set[str] = set()  # folders of this server, beside those that every program has


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
