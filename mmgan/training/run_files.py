"""What a run folder is made of: a lock that ends with its process, and JSON that a kill cannot make unreadable."""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path


def try_lock(file, shared: bool = False) -> bool:
    """Locks the open file if nobody else holds it; the operating system lets go of it when the process ends."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def plain(value):
    """JSON values only: numbers of NumPy and one-element tensors as Python's, not-a-number and infinity as None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_json(value: dict, indent: int | None = None) -> bytes:
    return (json.dumps(plain(value), indent=indent, ensure_ascii=False) + "\n").encode()


def parse_line(line: bytes) -> dict | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def read_json(path: Path) -> dict:
    """The object in the file; empty where there is none."""
    try:
        return parse_line(path.read_bytes()) or {}
    except OSError:
        return {}


def mend_lines(path: Path) -> None:
    """Cuts off a last line that a kill left without its end."""
    with contextlib.suppress(FileNotFoundError):
        data = path.read_bytes()
        if data and not data.endswith(b"\n"):
            os.truncate(path, data.rfind(b"\n") + 1)


def cut_rows(path: Path, step: int) -> None:
    """Cuts the file of rows before its first one beyond ``step``."""
    mend_lines(path)
    with contextlib.suppress(FileNotFoundError):
        position = 0
        for line in path.read_bytes().splitlines(keepends=True):
            row = parse_line(line)
            if row is not None and isinstance(row.get("step"), (int, float)) and row["step"] > step:
                os.truncate(path, position)
                return
            position += len(line)


def data_name(config: dict, status: dict) -> str:
    """What a run learns from: of a fine-tuning its name, since where visitors' files are is nobody's business."""
    data = config.get("data", "")
    return (status.get("finetune") or {}).get("data") or Path(data).name if "finetune" in config else data
