"""A vocoder on disk: a folder of ``config.json`` and ``model.safetensors``, as :mod:`mmgan.checkpoint` keeps models.

Its format has a name of its own, so that no vocoder is listed among the models that sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from . import checkpoint
from .config import from_dict, to_dict
from .errors import CheckpointError
from .files import read_folder, replace_folder, write_file
from .models.vocoder import Vocoder, VocoderConfig

FORMAT, VERSION, WEIGHTS = "mmgan-vocoder", 1, "model"


def save_vocoder(
    folder: str | Path,
    vocoder: Vocoder,
    info: dict | None = None,
    half: bool = False,
    tensors: Mapping[str, Mapping[str, Tensor]] | None = None,
    state: dict | None = None,
) -> None:
    """Saves a vocoder, replacing ``folder`` at once; its card and other files of another kind are kept.

    Args:
        info: JSON values for the reader.
        half: store 16-bit floats, for vocoders that ship.
        tensors, state: what an exact resume needs, see :func:`mmgan.checkpoint.write_training_state`.

    Raises:
        CheckpointError: ``folder`` holds something that is no vocoder; nothing of it is touched.
        MmganError: the disk is full or the folder cannot be written; what was there before is kept.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()) and not is_vocoder(folder):
        raise CheckpointError(f"{folder} holds other files and no vocoder; choose an empty or a new folder.")

    def write(new: Path) -> None:
        checkpoint._write_tensors(new, WEIGHTS, vocoder.state_dict(), half)
        if tensors is not None or state is not None:
            checkpoint.write_training_state(new, tensors or {}, state or {})
        config = {"format": FORMAT, "version": VERSION, "vocoder": to_dict(vocoder.config), "info": info or {}}
        write_file(new / checkpoint.CONFIG, checkpoint._json(config))

    def kept(name: str) -> bool:
        return not (name in (checkpoint.CONFIG, checkpoint.TRAINING) or name.endswith(".safetensors"))

    replace_folder(folder, write, keep=kept)


def is_vocoder(folder: Path) -> bool:
    """Whether ``folder`` says of itself that it is a vocoder of mmgan's; it may still be broken."""
    try:
        return checkpoint._read_json(folder / checkpoint.CONFIG).get("format") == FORMAT
    except (CheckpointError, OSError):
        return False


def load_vocoder(folder: str | Path) -> Vocoder:
    """A vocoder from its folder, in float32 whatever it was stored in, ready for :meth:`Vocoder.vocode`.

    Raises:
        CheckpointError: a folder that is missing, no vocoder, from another version, truncated, or whose tensors are not
            those that its config asks for.
    """

    def read(current: Path) -> Vocoder:
        values = checkpoint._read_json(current / checkpoint.CONFIG)
        if values.get("format") != FORMAT:
            raise CheckpointError(f"{folder} is no vocoder of mmgan's; name a folder that mmgan saved one in.")
        if values.get("version") != VERSION:
            raise CheckpointError(
                f"{folder} was saved in version {values.get('version')!r} of the format and this mmgan reads "
                f"{VERSION}; update mmgan or take a vocoder made for it."
            )
        where = str(current / checkpoint.CONFIG)
        try:
            config = from_dict(VocoderConfig, values.get("vocoder"), where)
        except OverflowError as error:  # a whole number that no float can hold
            raise CheckpointError(f"{where} has a number outside all limits; take a fresh copy of it.") from error
        return checkpoint._load_module(current, WEIGHTS, Vocoder, config)

    return read_folder(Path(folder), read).requires_grad_(False)
