"""Models as zips: with a card for other people, and from a zip that a stranger made.

A model zip holds ``config.json``, ``generator.safetensors``, perhaps ``discriminator.safetensors`` (for fine-tuning),
``README.md`` and ``samples.png``, and nothing else. Of a zip from elsewhere every name, size, setting and tensor is
checked before anything is built from it, and no pickle is read.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import struct
import tempfile
import uuid
import zipfile
from pathlib import Path

from PIL import Image

from ..data.folder.archive import ZipFiles
from ..data.folder.own_output import MODEL_FILES, MODEL_NEEDS
from ..data.folder.sources import holds_data
from ..data.limits import Limits
from ..data.media.decoding import open_picture
from ..errors import CheckpointError, DataError, DataGivenError
from ..hub.pretrained import CARD, CONFIG
from ..language import Message
from ..models.checkpoint import Model
from ..models.cost import MAX_PARAMETERS, check_cost
from ..models.model_folder import ModelFolder
from ..system.files import own_prefix, replace_folder, saving, write_file
from .hub import SHEET, write_shareable

# About the largest model that config.py allows; a sheet of samples is much smaller than its bound.
MODEL_LIMITS = Limits(files=32, total_bytes=1 << 30, file_bytes=512 << 20, depth=2, pixels=16_000_000)
WEIGHT_BYTES = 5 * MAX_PARAMETERS  # with the header
CONFIG_BYTES, CARD_BYTES, HEADER_BYTES = 1 << 20, 256 << 10, 4 << 20
TYPES = {"F16", "BF16", "F32"}


def export_model(source: str | Path, target: str | Path, half: bool = True) -> Path:
    """Writes the model of a name, folder or run as a zip with its card and thumbnails.

    Args:
        half: store 16-bit floats, which halves the size.

    Raises:
        CheckpointError: there is no such model.
        MmganError: the target cannot be written.
    """
    target = Path(target)
    new = target.with_name(f".{target.name}.new-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    with tempfile.TemporaryDirectory(prefix=own_prefix()) as folder:
        model = Path(folder) / "model"
        write_shareable(source, model, half)
        try:
            with saving(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                    for path in sorted(model.iterdir()):
                        archive.write(path, path.name)
                new.replace(target)
        finally:
            new.unlink(missing_ok=True)
    return target


# -------------------------------------------------------------------------------------------------------------- import


def import_model(source: str | Path, folder: str | Path, limits: Limits = MODEL_LIMITS) -> Path:
    """Unpacks a model zip into a new ``folder``, after all of it has been checked, and returns it.

    Raises:
        CheckpointError: the zip is none of mmgan's, or a name, size, setting or tensor in it is not as it should be.
        MmganError: the folder is not empty or cannot be written.
    """
    source, folder = Path(source), Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CheckpointError("sharing.name_taken", name=folder.name)
    members = _members(source, limits)
    with tempfile.TemporaryDirectory(prefix=own_prefix()) as temporary:
        checked = Path(temporary) / "model"
        checked.mkdir()
        _write_members(checked, members, flush=False)
        try:
            check_cost(ModelFolder.read_config(checked)[0], Message("models.the_model"))
            Model.from_pretrained(checked, with_discriminators=True)  # every name, shape and number of its tensors
        except CheckpointError as error:
            reason = error.message.map(lambda text: text.replace(f"{checked}/", "").replace(str(checked), source.name))
            raise CheckpointError("sharing.unusable", name=source.name, reason=reason) from error
        replace_folder(folder, lambda new: _write_members(new, members))
    return folder


def _write_members(folder: Path, members: dict[str, bytes], flush: bool = True) -> None:
    for name, data in members.items():
        write_file(folder / name, data, flush)


def _members(source: Path, limits: Limits) -> dict[str, bytes]:
    """The files of a model zip by name, each checked to be what its name says before anything is built or written."""
    try:
        files = ZipFiles(source, limits)
    except (DataError, OSError) as error:
        with contextlib.suppress(DataError, OSError):  # what is no model need not keep to these limits
            _refuse_data(source.name, ZipFiles(source).names)
        raise CheckpointError(getattr(error, "message", Message.plain(str(error)))) from error
    _refuse_data(source.name, files.names)
    names = {name: name.rpartition("/")[2] for name in files.names}
    folders = {name.rpartition("/")[0] for name in files.names}
    extra = sorted(set(names.values()) - MODEL_FILES)
    if extra:
        raise CheckpointError("sharing.foreign_file", name=source.name, member=extra[0])
    if len(folders) > 1 or len(set(names.values())) < len(names):
        raise CheckpointError("sharing.several_folders", name=source.name)
    if missing := sorted(MODEL_NEEDS - set(names.values())):
        raise CheckpointError("sharing.lacks_file", name=source.name, member=missing[0])
    bounds = {CONFIG: CONFIG_BYTES, CARD: CARD_BYTES, SHEET: 8 << 20}
    for name, base in names.items():
        if files.size(name) > bounds.get(base, min(WEIGHT_BYTES, limits.file_bytes)):
            raise CheckpointError("sharing.file_large", member=base, name=source.name)
    # Settings come first: of a zip whose config is not ours no weights are even unpacked.
    order = sorted(names, key=lambda name: (names[name] != CONFIG, names[name]))
    members = {}
    for name in order:
        try:
            members[names[name]] = _checked(names[name], files.read(name), source.name, limits)
        except DataError as error:
            raise CheckpointError(error.message) from error
    return members


def _refuse_data(name: str, names: list[str]) -> None:
    if holds_data(names):
        raise DataGivenError("sharing.data_given", name=name)


def _checked(name: str, data: bytes, archive: str, limits: Limits) -> bytes:
    if name == CONFIG:
        try:
            values = json.loads(data)
            if values.get("format") != ModelFolder.format:
                raise ValueError("format")
        except (ValueError, AttributeError, RecursionError) as error:
            raise CheckpointError("sharing.file_foreign", member=name, name=archive) from error
    elif name == CARD:
        return data.decode("utf-8", "replace").encode()
    elif name == SHEET:  # drawn anew, so that nothing but a picture is in it
        buffer = io.BytesIO()
        picture = open_picture(data, limits).convert("RGB")
        Image.frombytes("RGB", picture.size, picture.tobytes()).save(buffer, "PNG")
        return buffer.getvalue()
    else:
        _check_header(name, data, archive)
    return data


def _check_header(name: str, data: bytes, archive: str) -> None:
    """The header of a safetensors file: short, of known types, and its tensors fill the file exactly."""
    try:
        (length,) = struct.unpack_from("<Q", data)
        if length > min(HEADER_BYTES, len(data) - 8):
            raise ValueError("header")
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        end = 0
        for tensor in sorted(header.values(), key=lambda t: t["data_offsets"]):
            start, stop = tensor["data_offsets"]
            if tensor["dtype"] not in TYPES or start != end or stop < start or len(tensor["shape"]) > 4:
                raise ValueError("tensor")
            end = stop
        if end != len(data) - 8 - length:
            raise ValueError("size")
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError("sharing.file_damaged", member=name, name=archive) from error
