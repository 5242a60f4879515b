"""What mmgan itself wrote among a person's files: runs, models, samples and projects are not what is learned from.

``mmgan finetune . --out runs/mine`` leaves a run below ".", and learning from its sheets of samples the next time would
teach the model its own mistakes. Who names such a folder itself means it: samples and projects are datasets then.
"""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Callable, Collection

from ..errors import DataError

RUN, MODEL, PROJECT, SAMPLES = "run", "model", "project", "samples"
FORMATS = {"mmgan-run": RUN, "mmgan": MODEL, "mmgan-project": PROJECT}  # as config.json and project.json say
SAMPLE_COLUMNS = {"text", "model", "seed", "truncation"}  # of the table that is written with samples
SAID = {
    RUN: "is a training run of mmgan's, so it is left out.",
    MODEL: "is a model of mmgan's, so it is left out.",
    PROJECT: "is a project of its own, so it is left out; name that folder itself to learn from it.",
    SAMPLES: "holds samples that mmgan made, so it is left out; name that folder itself to learn from them.",
}
SHEET = ("Software", "mmgan: a sheet of samples")  # text in the PNG of a sheet, wherever it is saved or copied to
MAX_BYTES = 1 << 20  # of a file that says what a folder is


def kind_of_folder(names: Collection[str], read: Callable[[str], bytes]) -> str:
    """Which kind of own output a folder is, by the files directly in it; "" for a person's own.

    Args:
        names: of those files, without the folder.
        read: gives the first ``MAX_BYTES`` of one; may raise OSError or DataError.
    """
    for name in ("config.json", "project.json"):
        if name in names and (kind := FORMATS.get(str(_json(name, read).get("format")))):
            return kind
    if {"metrics.jsonl", "log.txt"} <= set(names):  # also of a run whose config.json was lost
        return RUN
    if "status.json" in names and {"state", "pid", "host"} <= _json("status.json", read).keys():  # only just begun
        return RUN
    if "metadata.csv" in names:
        header = _bytes("metadata.csv", read).partition(b"\n")[0].decode("utf-8", "replace").strip()
        if set(header.split(",")) >= SAMPLE_COLUMNS:
            return SAMPLES
    return ""


def without_own(files) -> tuple[list[str], dict[str, str]]:
    """Names of a dataset's files that are the person's own, and the folders that are not, each with its kind.

    A zip in which one folder of samples, or one project, is all that there is, is meant as that.
    """
    own = getattr(files, "own", None)  # a folder on the disk has left them out already
    if own is not None:
        return files.names, own
    own = own_folders(files.names, files.read)
    names = [name for name in files.names if not any(name.startswith(f"{folder}/") for folder in own)]
    if not names and list(own.values()) in ([SAMPLES], [PROJECT]):
        return files.names, {}
    return names, own


def own_folders(names: Collection[str], read: Callable[[str], bytes]) -> dict[str, str]:
    """The same of every folder within a dataset, by the names of all its files: folder -> kind, the outermost only."""
    inside: dict[str, list[str]] = defaultdict(list)
    for name in names:
        folder, base = posixpath.split(name)
        inside[folder].append(base)
    found: dict[str, str] = {}
    for folder in sorted(inside):
        if not folder or any(folder.startswith(f"{outer}/") for outer in found):
            continue
        if kind := kind_of_folder(inside[folder], lambda base, folder=folder: read(f"{folder}/{base}")):
            found[folder] = kind
    return found


def refuse_own(name: str, names: Collection[str], read: Callable[[str], bytes]) -> None:
    """Raises DataError where a folder or zip called ``name`` is itself a run or a model, and so no dataset."""
    kind = kind_of_folder([base for base in names if "/" not in base], read)
    if kind == RUN:
        raise DataError(f"{name} is a training run and no dataset; name the folder of your own pictures and sounds.")
    if kind == MODEL:
        raise DataError(f"{name} is a model and no dataset; name the folder of your own pictures and sounds.")


def _json(name: str, read: Callable[[str], bytes]) -> dict:
    try:
        values = json.loads(_bytes(name, read))
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _bytes(name: str, read: Callable[[str], bytes]) -> bytes:
    try:
        return read(name)[:MAX_BYTES]
    except (OSError, DataError):
        return b""
