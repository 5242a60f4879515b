"""Reads a run's files: values are of the right kind whatever lies there, or the file counts as damaged.

A run folder may have been cut short by a full disk, edited by hand, or copied from anywhere. Readers here check each
value that the rest relies on, so that a damaged run is reported as such and never gets in the way of others.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from pathlib import Path

from ..errors import TrainingError
from ..language import Message
from ..system.files import present
from ..system.foreign_json import number, tidy

FORMAT, VERSION = "mmgan-run", 1
STATES = ("starting", "running", "paused", "finished", "stopped", "failed", "out_of_memory")
CHANGES = "changes.json"
MAX_BYTES = 4 << 20  # of a JSON file; a status has about one thousand


class Damaged(TrainingError):
    """A file of a run does not hold what it should."""

    @classmethod
    def file(cls, name: str) -> Damaged:
        return cls("runs.file_damaged", file=name)


# Values ---------------------------------------------------------------------------------------------------------------


def plain(value):
    """JSON values only: NumPy numbers and one-element tensors become Python's, NaN and infinity None."""
    value = value.to_json() if isinstance(value, Message) else value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_json(value: dict, indent: int | None = None) -> bytes:
    return (json.dumps(plain(value), indent=indent, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _count(value) -> int:
    if isinstance(value, float) or number(value) < 0:
        raise ValueError("no count")
    return value


def _time(value) -> float:
    """Unix time or seconds, within what dates can be written of."""
    if not 0 <= number(value) < 1e11:
        raise ValueError("no time")
    return float(value)


def _text(value) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


def _flag(value) -> bool:
    if not isinstance(value, bool):
        raise ValueError("no flag")
    return value


def _choice(known: tuple[str, ...]) -> Callable:
    def check(value) -> str:
        if value not in known:
            raise ValueError("none of the known")
        return value

    return check


def _optional(check: Callable) -> Callable:
    return lambda value: None if value is None else check(value)


def _list(check: Callable) -> Callable:
    def each(value) -> list:
        if not isinstance(value, list):
            raise ValueError("no list")
        return [check(item) for item in value]

    return each


def _named(check: Callable) -> Callable:
    def each(value) -> dict:
        if not isinstance(value, dict):
            raise ValueError("no object")
        return {key: check(item) for key, item in value.items()}

    return each


def _fields(needed: dict[str, Callable] | None = None, **known: Callable) -> Callable:
    """An object: ``known`` fields must be of their kind, ``needed`` ones must be there, others are let through."""

    def check(value) -> dict:
        if not isinstance(value, dict) or not (needed or {}).keys() <= value.keys():
            raise ValueError("no such object")
        checks = known | (needed or {})
        return {key: checks[key](item) if key in checks else item for key, item in value.items()}

    return check


# Objects --------------------------------------------------------------------------------------------------------------

_TUNED = _fields(
    base=_text,
    data=_text,
    notes=_list(Message.from_json),
    captions=_list(_text),
    sentences=_list(Message.from_json),
    gauges=_named(Message.from_json),
)
_STATUS = _fields(
    {"state": _choice(STATES)}, step=_count, reason=Message.from_json, pid=_count, host=_text, started=_time,
    updated=_time, stage=_text, share=_optional(number), elapsed=_optional(_time), batch_size=_optional(_count),
    resumes=_count,
    finetune=_optional(_TUNED), answered=_named(_fields({"step": _count})),
)  # fmt: skip
_CONFIG = _fields(
    training=_fields(loss=_text, steps=_optional(number), minutes=_optional(number), model=_named(lambda value: value)),
    data=_text, text_encoder=_optional(_text), start_from=_optional(_text), finetune=_fields(base=_text, pieces=_flag),
)  # fmt: skip
_ASKED = _fields(loss=_text, steps=_optional(number), minutes=_optional(number))
_CHANGES = _fields({"changes": _list(_fields({"step": _count, "settings": _ASKED}))})
_CONFIG_FILE = _fields({"format": _choice((FORMAT,)), "config": _CONFIG})
_STRIPS = _fields(
    {"prompts": _list(_text), "has_image": _list(_flag), "has_sound": _list(_flag), "clip_seconds": _time}
)
_TRAINING = _fields({"state": _fields({"step": _count})})
_ACCESS = _fields({"owner": _text, "everybody": _flag}, data=_text)


def read_status(folder: Path) -> dict:
    """What status.json says, {} where there is none; "state" is one of ``STATES``, and other fields are valid.

    Raises:
        Damaged: it holds anything else.
    """
    return _read(folder, "status.json", _STATUS)


def read_config(folder: Path) -> dict:
    """What the run was asked to do; {} where there is no config.json. Raises Damaged."""
    path = folder / "config.json"
    try:
        status = path.stat()
    except OSError:
        return _read(folder, "config.json", _CONFIG_FILE)  # {}, or why not
    return dict(_known_config(folder, status.st_ino, status.st_mtime_ns, status.st_size))


@functools.lru_cache(1_024)
def _known_config(folder: Path, *_) -> dict:
    """The same, cached: every list of runs asks for it, and the file never changes."""
    return _read(folder, "config.json", _CONFIG_FILE).get("config", {})


def read_changes(folder: Path) -> list[dict]:
    """What the run was asked to do otherwise when it went on, oldest first. Raises Damaged."""
    return _read(folder, CHANGES, _CHANGES).get("changes", [])


def read_strips(folder: Path) -> dict:
    """What is in the columns of the film strip in ``folder``; {} while nothing is. Raises Damaged."""
    found = _read(folder, "strips.json", _STRIPS)
    if found and not len(found["prompts"]) == len(found["has_image"]) == len(found["has_sound"]) <= 64:
        raise Damaged.file("strips.json")
    return found


def read_checkpoint(checkpoint: Path) -> dict:
    """What training.json of a run's checkpoint says, "step" among it; {} where there is none. Raises Damaged."""
    return _read(present(checkpoint), "training.json", _TRAINING).get("state", {})


def read_access(folder: Path) -> dict:
    """Whose the run is: "owner", a hash, and whether "everybody" sees it; {} of one that is nobody's alone.

    Raises:
        Damaged: it cannot be known.
    """
    return _read(folder, "access.json", _ACCESS)


def damage_of(folder: Path) -> Message | None:
    """What is wrong with the files that say what the run in ``folder`` is; None where nothing is."""
    try:
        if not read_status(folder):
            raise Damaged("runs.no_status")
        read_config(folder)
        read_changes(folder)
        read_access(folder)
        read_checkpoint(folder / "checkpoint")
    except Damaged as error:
        return error.message
    return None


def _read(folder: Path, name: str, check: Callable) -> dict:
    path = folder / name
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("too large")
        return check(tidy(json.loads(path.read_bytes())))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise Damaged.file(name) from error


# Rows -----------------------------------------------------------------------------------------------------------------


def parse_line(line: bytes) -> dict | None:
    """A row of a file of rows; None where the line holds none."""
    try:
        row = tidy(json.loads(line))
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def data_name(config: dict, status: dict) -> str:
    """What a run learns from: of a fine-tuning its name, since where visitors' files are is nobody's business."""
    data = config.get("data", "")
    return (status.get("finetune") or {}).get("data") or Path(data).name if "finetune" in config else data
