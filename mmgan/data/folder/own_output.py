"""Finds what mmgan itself wrote among a person's files: runs, models, samples and projects are not to be learned from.

``mmgan finetune . --out runs/mine`` leaves a run below ".". Learning from its sheets of samples next time would teach
the model its own mistakes. Whoever names such a folder itself means it: samples and projects are datasets then.
"""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from functools import partial

from ...errors import DataError, ModelGivenError
from ...language import Message

RUN, MODEL, PROJECT, SAMPLES = "run", "model", "project", "samples"
FORMATS = {"mmgan-run": RUN, "mmgan": MODEL, "mmgan-project": PROJECT}  # as config.json and project.json say
SAMPLE_COLUMNS = {"text", "model", "seed", "truncation"}  # of the table that is saved with samples
SAID = {
    RUN: Message("data.left_out_run"), MODEL: Message("data.left_out_own_model"),
    PROJECT: Message("data.left_out_project"), SAMPLES: Message("data.left_out_samples"),
}  # fmt: skip
# The files of a model as mmgan.sharing.zips writes it: those that every model has, and those that some have.
MODEL_NEEDS = {"config.json", "generator.safetensors"}
MODEL_FILES = MODEL_NEEDS | {"discriminator.safetensors", "README.md", "samples.png"}
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
    if {"metrics.jsonl", "log.txt"} <= set(names):  # a run, even one that lost its config.json
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

    If a zip holds one folder of samples or one project and nothing else, that is the dataset.
    """
    own = getattr(files, "own", None)  # a folder on the disk has left them out already
    if own is not None:
        return files.names, own
    own = own_folders(files.names, files.read)
    names = [name for name in files.names if not any(name.startswith(f"{folder}/") for folder in own)]
    if not names and list(own.values()) in ([SAMPLES], [PROJECT]):
        return files.names, {}
    return names, own


def _read_in(read: Callable[[str], bytes], folder: str, base: str) -> bytes:
    return read(f"{folder}/{base}")


def own_folders(names: Collection[str], read: Callable[[str], bytes]) -> dict[str, str]:
    """Own output among the folders of a dataset, by the names of its files: folder -> kind, only the outermost."""
    inside: dict[str, list[str]] = defaultdict(list)
    for name in names:
        folder, base = posixpath.split(name)
        inside[folder].append(base)
    found: dict[str, str] = {}
    for folder in sorted(inside):
        if not folder or any(folder.startswith(f"{outer}/") for outer in found):
            continue
        if kind := kind_of_folder(inside[folder], partial(_read_in, read, folder)):
            found[folder] = kind
    return found


def holds_model(names: Iterable[str]) -> bool:
    """Whether the files of a zip or folder, by their names, are a model of mmgan's and nothing else."""
    return MODEL_NEEDS <= {name.rpartition("/")[2] for name in names} <= MODEL_FILES


def refuse_own(name: str, names: Collection[str], read: Callable[[str], bytes]) -> None:
    """Refuses a folder or zip called ``name`` that is itself a run or a model.

    Raises:
        ModelGivenError: it is a model and nothing else.
        DataError: it is a run, or a model among other files.
    """
    if holds_model(names):
        raise ModelGivenError("data.model_given", name=name)
    kind = kind_of_folder([base for base in names if "/" not in base], read)
    if kind == RUN:
        raise DataError("data.run_given", name=name)
    if kind == MODEL:  # with other files beside it
        raise DataError("data.folder_is_model", name=name)


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
