"""Models on disk: a folder of ``config.json`` and safetensors, saved as a whole or not at all.

::

    config.json                 {"format": "mmgan", "version": 1, "model": {ModelConfig}, "info": {name, dataset, ...}}
    generator.safetensors       the generator's moving average (EMA), which is what samples
    discriminator.safetensors   optional: the discriminators, so that others can fine-tune
    training.json, *.safetensors  optional, of a run: what an exact resume needs
    README.md                   the card

No pickle is read or written. A folder from somebody else can do no more than choose sizes within the limits of
:class:`~mmgan.config.ModelConfig`, and its weights must have exactly the shapes that those sizes give.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .config import ModelConfig, from_dict, to_dict
from .errors import CheckpointError, lacks_memory
from .files import present, read_folder, replace_folder, write_file
from .foreign import tidy
from .models import Discriminators, Generator
from .resources import MODELS, PRETRAINED, incomplete

FORMAT, VERSION = "mmgan", 1
CONFIG, GENERATOR, DISCRIMINATOR, TRAINING = "config.json", "generator", "discriminator", "training.json"
MAX_JSON_BYTES = 1 << 20  # a config.json has about one thousand
_FRESH = "take the folder from a fresh copy of the model"


@dataclass
class Model:
    """What a model folder holds, ready to use."""

    config: ModelConfig
    generator: Generator
    discriminators: Discriminators | None
    info: dict
    folder: Path


# ---------------------------------------------------------------------------------------------------------------- save


def write_checkpoint(folder: str | Path, write: Callable[[Path], None]) -> None:
    """Lets ``write`` fill a new folder, which then takes the place of ``folder`` as a whole.

    A kill at any moment leaves the checkpoint that was there before, or the new one. Files of the old folder that are
    no part of a checkpoint, such as the card, are kept.

    Raises:
        CheckpointError: ``folder`` holds something that is no checkpoint; nothing of it is touched.
        MmganError: the disk is full or the folder cannot be written; what was there before is kept.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()) and not is_model(folder):
        raise CheckpointError(f"{folder} holds other files and no model; choose an empty or a new folder to save into.")
    replace_folder(folder, write, keep=lambda name: not (name in (CONFIG, TRAINING) or name.endswith(".safetensors")))


def write_model(
    folder: Path,
    generator: Generator,
    discriminators: Discriminators | None = None,
    info: dict | None = None,
    half: bool = False,
) -> None:
    """Writes the model's files into an existing folder; for use inside :func:`write_checkpoint`."""
    config = {"format": FORMAT, "version": VERSION, "model": to_dict(generator.config), "info": info or {}}
    _write_tensors(folder, GENERATOR, generator.state_dict(), half)
    if discriminators is not None:
        _write_tensors(folder, DISCRIMINATOR, discriminators.state_dict(), half)
    write_file(folder / CONFIG, _json(config))


def write_training_state(folder: Path, tensors: Mapping[str, Mapping[str, Tensor]], state: dict) -> None:
    """Writes each dict of tensors to ``<name>.safetensors`` and ``state`` to ``training.json`` in an existing folder.

    Tensors come back bit for bit, of any dtype and shape (a random state is a tensor of bytes). ``state`` is of JSON
    values; its "step" is what a run's status names as the step to resume from.
    """
    for name in tensors:
        if not re.fullmatch(r"[a-z0-9_-]+", name) or name in (GENERATOR, DISCRIMINATOR):
            raise ValueError(f"{name!r} cannot name a file of training state")
        _write_tensors(folder, name, tensors[name])
    write_file(folder / TRAINING, _json({"version": VERSION, "tensors": sorted(tensors), "state": state}))


def save_model(
    folder: str | Path,
    generator: Generator,
    discriminators: Discriminators | None = None,
    info: dict | None = None,
    half: bool = False,
    tensors: Mapping[str, Mapping[str, Tensor]] | None = None,
    state: dict | None = None,
) -> None:
    """Saves a model, and with ``tensors`` and ``state`` all that an exact resume needs, replacing ``folder`` at once.

    Args:
        generator: the one that samples (the EMA).
        info: JSON values for the reader: name, dataset, examples (a list of prompts), steps, text_encoder, ...
        half: store 16-bit floats, which halves the size; for models that ship.
        tensors, state: see :func:`write_training_state`.

    Raises:
        MmganError: see :func:`write_checkpoint`.
    """

    def write(new: Path) -> None:
        write_model(new, generator, discriminators, info, half)
        if tensors is not None or state is not None:
            write_training_state(new, tensors or {}, state or {})

    write_checkpoint(folder, write)


def _write_tensors(folder: Path, name: str, tensors: Mapping[str, Tensor], half: bool = False) -> None:
    def stored(value: Tensor) -> Tensor:
        value = value.detach().cpu().clone(memory_format=torch.contiguous_format)  # never shared storage
        return value.half() if half and value.is_floating_point() else value

    # In memory first: a full disk is then an OSError of ours with its number, and the file can be flushed.
    write_file(folder / f"{name}.safetensors", to_safetensors({key: stored(value) for key, value in tensors.items()}))


def _json(value: dict) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


# ---------------------------------------------------------------------------------------------------------------- load


def resolve(source: str | Path) -> Path:
    """The model folder that ``source`` means: a name under ``pretrained/``, a model or run folder, or a Hub id.

    A Hub id ("owner/name") is asked of the network only where no such folder exists.

    Raises:
        CheckpointError: nothing of that name, or the Hub cannot be reached.
    """
    text = str(source)
    if re.fullmatch(r"[\w-][\w.-]*", text) and is_model(PRETRAINED / text):
        return PRETRAINED / text
    folder = Path(text).expanduser()
    checkpoint = folder / "checkpoint"  # of a run
    if present(checkpoint).is_dir() and not is_model(folder):
        return checkpoint
    if present(folder).is_dir():
        return folder
    if folder.exists():
        raise CheckpointError(f"{text} is a file; name the folder that holds the model's config.json and safetensors.")
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", text):
        return _download(text)
    if text in MODELS:
        raise CheckpointError(incomplete(f"pretrained/{text}"))
    names = sorted(entry.name for entry in PRETRAINED.glob("*") if is_model(entry))
    known = f"one of {', '.join(names)}, a folder" if names else "a folder"
    raise CheckpointError(f"There is no model {text!r}; name {known}, or a Hugging Face Hub id such as owner/name.")


def is_model(folder: Path) -> bool:
    """Whether ``folder`` says of itself that it is a model of mmgan's; it may still be broken."""
    try:
        return _read_json(folder / CONFIG).get("format") == FORMAT
    except (CheckpointError, OSError):
        return False


def load_model(source: str | Path, device: str | torch.device = "cpu", with_discriminators: bool = False) -> Model:
    """Loads a model by name, folder or Hub id (:func:`resolve`), in float32 whatever it was stored in.

    ``discriminators`` is None without ``with_discriminators``, and where the folder has none.

    Raises:
        CheckpointError: a folder that is missing, not ours, from another version, truncated, or whose tensors are not
            those that its config asks for.
    """
    folder = resolve(source)

    def read(current: Path) -> Model:
        config, info = read_config(current)
        generator = _load_module(current, GENERATOR, Generator, config)
        discriminators = None
        if with_discriminators and (current / f"{DISCRIMINATOR}.safetensors").exists():
            discriminators = _load_module(current, DISCRIMINATOR, Discriminators, config)
        return Model(config, generator, discriminators, info, folder)

    model = read_folder(folder, read)
    model.generator.to(device)
    if model.discriminators is not None:
        model.discriminators.to(device)
    return model


def read_config(folder: Path) -> tuple[ModelConfig, dict]:
    """The sizes and the info of a model folder, without its weights.

    Raises:
        CheckpointError: see :func:`load_model`.
    """
    values = _read_json(folder / CONFIG)
    if values.get("format") != FORMAT:
        raise CheckpointError(f"{folder} is no model of mmgan's; name a folder that mmgan saved.")
    if values.get("version") != VERSION:
        raise CheckpointError(
            f"{folder} was saved in version {values.get('version')!r} of the format and this mmgan reads {VERSION}; "
            "update mmgan or take a model made for it."
        )
    info = values.get("info", {})
    try:
        config = from_dict(ModelConfig, values.get("model"), str(folder / CONFIG))
    except OverflowError as error:  # a whole number that no float can hold
        raise CheckpointError(f"{folder / CONFIG} has a number outside all limits; {_FRESH}.") from error
    return config, _shown(info if isinstance(info, dict) else {})


def _shown(info: dict) -> dict:
    """What a model says of itself, without what no page could show."""
    kept = {}
    for key, value in info.items():
        with contextlib.suppress(ValueError):
            kept[tidy(key)] = tidy(value)
    return kept


def load_training_state(folder: str | Path) -> tuple[dict[str, dict[str, Tensor]], dict]:
    """The ``tensors`` and ``state`` that were saved with a run's checkpoint, on the CPU, bit for bit.

    Raises:
        CheckpointError: the folder has no training state, or it is broken.
    """

    def read(current: Path) -> tuple[dict[str, dict[str, Tensor]], dict]:
        if not (current / TRAINING).exists():
            raise CheckpointError(f"{folder} has no training state to resume from; fine-tune the model instead.")
        values = _read_json(current / TRAINING)
        names, state = values.get("tensors"), values.get("state")
        if values.get("version") != VERSION or not isinstance(names, list) or not isinstance(state, dict):
            raise CheckpointError(
                f"The training state in {folder} is from another version; fine-tune the model instead."
            )
        if not all(isinstance(name, str) and re.fullmatch(r"[a-z0-9_-]+", name) for name in names):
            raise CheckpointError(f"{current / TRAINING} is damaged; {_FRESH}.")
        return {name: _read_tensors(current / f"{name}.safetensors") for name in names}, state

    return read_folder(Path(folder), read)


def _read_json(path: Path) -> dict:
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CheckpointError(f"{path} is larger than 1 MiB, so it is none of mmgan's; {_FRESH}.")
        values = json.loads(path.read_bytes().decode())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError(
            f"{path.parent} has no {path.name}, so it is no model; name a folder that mmgan saved."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} cannot be read; {_FRESH}.") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} should hold one JSON object; {_FRESH}.")
    return values


def _load_module(folder: Path, name: str, module: type[nn.Module], config: ModelConfig) -> nn.Module:
    """Builds ``module`` around the tensors in the file, after their names and shapes have been found right."""
    path = folder / f"{name}.safetensors"
    try:
        with torch.device("meta"), _NoInitialisation():  # without memory, so no config gets more than its file holds
            built = module(config).float()  # whatever the default of the caller is
    except (ValueError, RuntimeError) as error:
        if lacks_memory(error):
            raise
        raise CheckpointError(f"The sizes in {folder / CONFIG} do not fit together; {_FRESH}.") from error
    wanted = built.state_dict()
    tensors = _read_tensors(path, {key: tuple(value.shape) for key, value in wanted.items()})
    for key, value in tensors.items():
        if value.is_floating_point() != wanted[key].is_floating_point():
            raise CheckpointError(f"{key} in {path} is of type {value.dtype}; {_FRESH}.")
        tensors[key] = value.to(wanted[key].dtype)
        if not torch.isfinite(tensors[key]).all():
            raise CheckpointError(
                f"{key} in {path} is not finite, so its training broke down; take an earlier checkpoint."
            )
    built.load_state_dict(tensors, assign=True)
    return built.eval()


class _NoInitialisation(TorchFunctionMode):
    """Leaves ``nn.init`` out where weights are to be loaded: to draw random numbers for tensors without memory, torch
    would import its compiler, which takes a second."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__module__", None) == "torch.nn.init" or function in (Tensor.normal_, Tensor.uniform_):
            return args[0] if args else kwargs["tensor"]
        return function(*args, **(kwargs or {}))


def _read_tensors(path: Path, shapes: Mapping[str, tuple[int, ...]] | None = None) -> dict[str, Tensor]:
    """Every tensor of a safetensors file, copied; with ``shapes`` only after names and shapes have been found right."""
    try:
        with safe_open(path, framework="pt") as file:
            found = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 (no mapping)
            for key in sorted(found.keys() ^ shapes.keys()) if shapes is not None else ():
                what = "lacks" if key in shapes else "has in addition"
                raise CheckpointError(
                    f"{path} {what} {key}, so it belongs to another config.json or version; {_FRESH}."
                )
            for key, shape in (shapes or {}).items():
                if found[key] != shape:
                    raise CheckpointError(
                        f"{key} in {path} is {found[key]} where config.json asks for {shape}; {_FRESH}."
                    )
            return {key: file.get_tensor(key).clone() for key in found}  # a copy, for the file is mapped, not read
    except FileNotFoundError as error:
        raise CheckpointError(f"{path.parent} has no {path.name}; {_FRESH}.") from error
    except (SafetensorError, OSError) as error:
        if lacks_memory(error):
            raise
        raise CheckpointError(f"{path} is damaged or cut short; {_FRESH}.") from error


def _download(hub_id: str) -> Path:
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=["*.json", "*.safetensors", "README.md"]))
    except Exception as error:  # the Hub's client, its transport and the disk each raise kinds of their own
        raise CheckpointError(
            f"{hub_id} is no folder here and could not be had from the Hugging Face Hub; check the name and the "
            "connection, or name a folder."
        ) from error


# ----------------------------------------------------------------------------------------------------------- optimisers


def optimizer_tensors(
    optimizer: torch.optim.Optimizer, named_parameters: Iterable[tuple[str, nn.Parameter]]
) -> dict[str, Tensor]:
    """The optimiser's state of each parameter (moments, step counts) as ``{"<parameter>/<what>": tensor}``."""
    names = {id(parameter): name for name, parameter in named_parameters}
    return {
        f"{names[id(parameter)]}/{what}": value
        for parameter, values in optimizer.state.items()
        for what, value in values.items()
        if value is not None  # SGD without momentum
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer,
    named_parameters: Iterable[tuple[str, nn.Parameter]],
    tensors: Mapping[str, Tensor],
) -> None:
    """Puts back what :func:`optimizer_tensors` gave, exactly, on each parameter's device and in its memory layout.

    Rates and other settings stay those of ``optimizer``. A parameter without saved state starts without any.

    Raises:
        CheckpointError: state of a parameter that is not there, or of another shape.
    """
    parameters = dict(named_parameters)
    order = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    index = {id(parameter): position for position, parameter in enumerate(order)}
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        name, _, what = key.rpartition("/")
        parameter = parameters.get(name)
        if parameter is None or id(parameter) not in index or (value.dim() and value.shape != parameter.shape):
            raise CheckpointError(
                f"The optimiser's state {key} does not fit this model; start a new run from the checkpoint."
            )
        if value.dim():
            value = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
        state.setdefault(index[id(parameter)], {})[what] = value.clone()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
