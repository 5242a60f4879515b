"""Models on their way to other people: as a zip with a card, from a zip that a stranger made, to the Hugging Face Hub.

A model zip holds ``config.json``, ``generator.safetensors``, perhaps ``discriminator.safetensors`` (for fine-tuning),
``README.md`` and ``samples.png``, and nothing else. Of a zip from elsewhere every name, size, setting and tensor is
checked before anything is built from it, and no pickle is read.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import struct
import tempfile
import uuid
import zipfile
from pathlib import Path

from PIL import Image

from .checkpoint import CONFIG, FORMAT, load_model, read_config, resolve, save_model
from .cost import MAX_PARAMETERS, check_cost
from .data.archive import ZipFiles, open_picture
from .data.limits import Limits
from .data.sources import MODEL_FILES, MODEL_NEEDS, holds_data
from .errors import CheckpointError, DataError, DataGivenError, MmganError
from .files import own_prefix, replace_folder, saving, write_file

CARD, SHEET = "README.md", "samples.png"
REQUIRED, NAMES = MODEL_NEEDS, MODEL_FILES
# The largest model that config.py allows has weights for about this; a picture of samples is well under its share.
MODEL_LIMITS = Limits(files=32, total_bytes=1 << 30, file_bytes=512 << 20, depth=2, pixels=16_000_000)
WEIGHT_BYTES = 5 * MAX_PARAMETERS  # the header too
CONFIG_BYTES, CARD_BYTES, HEADER_BYTES = 1 << 20, 256 << 10, 4 << 20
TYPES = {"F16", "BF16", "F32"}
SAMPLES = 8  # on the card
_FRESH = "ask for the zip again, made by mmgan's export"


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


def write_shareable(source: str | Path, folder: Path, half: bool = True) -> None:
    """Writes into ``folder`` what a stranger needs of a model: weights, config, card, thumbnails; no training state."""
    from .evaluation.report import sample_sheet
    from .pipeline import Pipeline

    model = load_model(source, with_discriminators=True)
    save_model(folder, model.generator, model.discriminators, model.info, half)
    pipe = Pipeline.from_pretrained(folder, device="cpu")
    prompts = (pipe.examples or ["a picture and a sound"])[:SAMPLES]
    out = pipe(prompts, num_samples=1, seed=0)
    sample_sheet(out.images, out.mels, prompts, folder / SHEET, columns=4)
    card = resolve(source) / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else card_text(model.info, prompts)
    if SHEET not in text:
        text = text.rstrip() + f"\n\n## Samples\n\n![{len(prompts)} samples, pictures over their sounds]({SHEET})\n"
    write_file(folder / CARD, text.encode())


def card_text(info: dict, prompts: list[str]) -> str:
    """A model card in Markdown, of what the model's config says of itself; every value on one line and escaped."""
    name = _line(info.get("name")) or "my model"
    lines = [
        "---", "library_name: mmgan", "tags: [gan, text-to-image, text-to-audio, mmgan]", "---", "", f"# {name}", "",
        "A sentence gives a picture and a sound that belong together. Made with mmgan.", "",
    ]  # fmt: skip
    tuned = info.get("finetune") if isinstance(info.get("finetune"), dict) else {}
    if tuned.get("base"):
        lines += [f"Fine-tuned from {_line(tuned['base'])}.", ""]
    for key, label in (("steps", "Steps"), ("examples_seen", "Examples seen"), ("dataset", "Dataset")):
        if info.get(key) not in (None, ""):
            lines.append(f"- {label}: {_line(info[key])}")
    for sentence in tuned.get("sentences", []) if isinstance(tuned.get("sentences"), list) else []:
        lines.append(f"- {_line(sentence)}")
    lines += ["", "## Try", "", *(f"- {_line(prompt)}" for prompt in prompts), ""]
    lines += ["## Licence", "", "That of the data it learned from; whoever shares the model should say which.", ""]
    return "\n".join(lines)


def _line(value) -> str:
    """A value on one line of Markdown, without anything that it would read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|!])", r"\\\1", " ".join(str(value if value is not None else "").split()))[:300]


# -------------------------------------------------------------------------------------------------------------- import


def import_model(source: str | Path, folder: str | Path, limits: Limits = MODEL_LIMITS) -> Path:
    """Unpacks a model zip into a new ``folder``, once all of it has been found right, and returns it.

    Raises:
        CheckpointError: the zip is none of mmgan's, or a name, size, setting or tensor in it is not as it should be.
        MmganError: the folder is not empty or cannot be written.
    """
    source, folder = Path(source), Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CheckpointError(f"{folder.name} already holds files; choose another name for the model.")
    members = _members(source, limits)
    with tempfile.TemporaryDirectory(prefix=own_prefix()) as temporary:
        checked = Path(temporary) / "model"
        checked.mkdir()
        for name, data in members.items():
            write_file(checked / name, data, flush=False)
        try:
            check_cost(read_config(checked)[0], "the model")
            load_model(checked, with_discriminators=True)  # every name, shape and number of its tensors
        except CheckpointError as error:
            sentence = str(error).replace(f"{checked}/", "").replace(str(checked), source.name)
            raise CheckpointError(f"{source.name} cannot be used: {sentence}") from error
        replace_folder(folder, lambda new: [write_file(new / name, data) for name, data in members.items()])
    return folder


def _members(source: Path, limits: Limits) -> dict[str, bytes]:
    """The files of a model zip by name, each found to be what its name says, before anything is built or written."""
    try:
        files = ZipFiles(source, limits)
    except (DataError, OSError) as error:
        with contextlib.suppress(DataError, OSError):  # what is no model may be larger than one in other ways
            _refuse_data(source.name, ZipFiles(source).names)
        raise CheckpointError(str(error)) from error
    _refuse_data(source.name, files.names)
    names = {name: name.rpartition("/")[2] for name in files.names}
    folders = {name.rpartition("/")[0] for name in files.names}
    extra = sorted(set(names.values()) - NAMES)
    if len(folders) > 1 or len(set(names.values())) < len(names) or extra:
        what = f"{extra[0]!r}" if extra else "files in several folders"
        raise CheckpointError(f"{source.name} holds {what}, which no model of mmgan's does; {_FRESH}.")
    if missing := sorted(REQUIRED - set(names.values())):
        raise CheckpointError(f"{source.name} has no {missing[0]}, so it is no model of mmgan's; {_FRESH}.")
    bounds = {CONFIG: CONFIG_BYTES, CARD: CARD_BYTES, SHEET: 8 << 20}
    for name, base in names.items():
        if files.size(name) > bounds.get(base, min(WEIGHT_BYTES, limits.file_bytes)):
            raise CheckpointError(f"{base} in {source.name} is too large; {_FRESH}.")
    # Settings first, then what they ask for: no weights are even unpacked of a zip whose config is not ours.
    order = sorted(names, key=lambda name: (names[name] != CONFIG, names[name]))
    members = {}
    for name in order:
        try:
            members[names[name]] = _checked(names[name], files.read(name), source.name, limits)
        except DataError as error:
            raise CheckpointError(str(error)) from error
    return members


def _refuse_data(name: str, names: list[str]) -> None:
    if holds_data(names):
        raise DataGivenError(
            f"{name} holds pictures and sounds to learn from, not a model; learn from them with mmgan finetune."
        )


def _checked(name: str, data: bytes, archive: str, limits: Limits) -> bytes:
    if name == CONFIG:
        try:
            values = json.loads(data)
            if values.get("format") != FORMAT:
                raise ValueError("format")
        except (ValueError, AttributeError, RecursionError) as error:
            raise CheckpointError(f"{name} in {archive} is none of mmgan's; {_FRESH}.") from error
    elif name == CARD:
        return data.decode("utf-8", "replace").encode()
    elif name == SHEET:  # drawn anew, so that it is a picture and nothing besides
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
        raise CheckpointError(f"{name} in {archive} is damaged or no safetensors file; {_FRESH}.") from error


# ----------------------------------------------------------------------------------------------------------------- Hub


def push_to_hub(source: str | Path, repo_id: str, token: str | None = None, private: bool = True) -> str:
    """Uploads a model with its card to the Hugging Face Hub; returns the address.

    Args:
        repo_id: "owner/name"; made if it is not there.
        token: the person's own, with the right to write; None takes what ``hf auth login`` stored, or ``HF_TOKEN``.
        private: whether a new repository is seen by its owner alone.

    Raises:
        MmganError: the name or token is refused, or there is no connection; the token is in no sentence.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", repo_id or ""):
        raise MmganError("Name the model on the Hub as owner/name, such as ada/my-bells.")
    with tempfile.TemporaryDirectory(prefix=own_prefix()) as folder:
        model = Path(folder) / "model"
        write_shareable(source, model)
        api = HfApi(token=token)
        try:
            address = api.create_repo(repo_id, private=private, exist_ok=True)
            api.upload_folder(
                folder_path=str(model), repo_id=repo_id, allow_patterns=sorted(NAMES),
                commit_message="A model made with mmgan",
            )  # fmt: skip
        except (HfHubHTTPError, HFValidationError, LocalTokenNotFoundError) as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status in (401, 403) or isinstance(error, LocalTokenNotFoundError):
                raise MmganError(
                    f"The Hub does not let this token write to {repo_id}; make one with the right to write at "
                    "huggingface.co/settings/tokens."
                ) from None
            raise MmganError(f"The Hub refused {repo_id} ({status or 'bad name'}); check the name.") from None
        except Exception:  # OSError, or what the network library has of its own; nothing of it, lest the token be shown
            raise MmganError("The Hub cannot be reached; check the connection and try again.") from None
    return str(address)
