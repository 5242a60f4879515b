"""Folders whose weights are torch modules (:class:`ModuleFolder`), or one module (:class:`PretrainedModule`).

A folder from somebody else can only choose sizes within the ranges of its settings, and its weights must have exactly
the names and shapes that follow from those sizes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import CheckpointError, lacks_memory
from ..hub.pretrained import CONFIG, TRAINING, Pretrained, read_json, to_json
from ..system.files import read_folder, write_file

M = TypeVar("M", bound=nn.Module)
TENSORS = re.compile(r"[a-z0-9_-]+")  # the name of a file of tensors, without suffix


class ModuleFolder(Pretrained):
    """Modules, each in a safetensors file of its own, and perhaps the state of a training that is to be resumed."""

    def modules_by_file(self) -> dict[str, nn.Module]:
        """The modules by the names of their files, without the suffix."""
        raise NotImplementedError

    @classmethod
    def migrate_tensors(cls, file: str, tensors: dict) -> dict:
        """Converts the names of a file's tensors ("generator", "optimizer-generator", ...) to those of this version.

        Every file passes here once before its tensors are read; values must stay as they are.
        """
        return tensors

    def _write(
        self,
        folder: Path,
        half: bool = False,
        tensors: Mapping[str, Mapping[str, Tensor]] | None = None,
        state: dict | None = None,
    ) -> None:
        """Writes the modules, and with ``tensors`` and ``state`` all that an exact resume needs.

        Each dict of tensors goes to ``<name>.safetensors`` and ``state`` to ``training.json``. Tensors come back bit
        for bit, of any dtype and shape (a random state is a tensor of bytes). ``state`` is of JSON values; its "step"
        is what a run's status names as the step to resume from.
        """
        modules = self.modules_by_file()
        for name, module in modules.items():
            _write_tensors(folder, name, module.state_dict(), half)
        for name, group in (tensors or {}).items():
            if not TENSORS.fullmatch(name) or name in ("generator", "discriminator", *modules):
                raise ValueError(f"{name!r} cannot name a file of training state")
            _write_tensors(folder, name, group)
        if tensors is not None or state is not None:
            values = {"version": self.version, "tensors": sorted(tensors or {}), "state": state or {}}
            write_file(folder / TRAINING, to_json(values))
        self._write_config(folder)

    @classmethod
    def load_training_state(cls, folder: str | Path) -> tuple[dict[str, dict[str, Tensor]], dict]:
        """The ``tensors`` and ``state`` that were saved with a run's checkpoint, on the CPU, bit for bit.

        Raises:
            CheckpointError: the folder has no training state, or it is broken.
        """

        def read(current: Path) -> tuple[dict[str, dict[str, Tensor]], dict]:
            if not (current / TRAINING).exists():
                raise CheckpointError("models.no_training_state", path=folder)
            values = read_json(current / TRAINING)
            names, state = values.get("tensors"), values.get("state")
            if values.get("version") != cls.version or not isinstance(names, list) or not isinstance(state, dict):
                raise CheckpointError("models.other_training_state", path=folder)
            if not all(isinstance(name, str) and TENSORS.fullmatch(name) for name in names):
                raise CheckpointError("models.damaged", path=current / TRAINING)
            return {name: cls._read_tensors(current, name) for name in names}, state

        return read_folder(Path(folder), read)

    @classmethod
    def _read_module(cls, folder: Path, name: str, module: Callable[..., M], config) -> M:
        """``module(config)`` with the weights in the file, after their names and shapes have been found right."""
        try:
            with torch.device("meta"), _NoInitialisation():  # takes no memory, whatever a config asks for
                built = module(config).float()  # whatever the default of the caller is
        except (ValueError, RuntimeError) as error:
            if lacks_memory(error):
                raise
            raise CheckpointError("models.sizes_misfit", path=folder / CONFIG) from error
        wanted, path = built.state_dict(), folder / f"{name}.safetensors"
        tensors = cls._read_tensors(folder, name, {key: tuple(value.shape) for key, value in wanted.items()})
        for key, value in tensors.items():
            if value.is_floating_point() != wanted[key].is_floating_point():
                raise CheckpointError("models.bad_type", tensor=key, path=path, type=value.dtype)
            tensors[key] = value.to(wanted[key].dtype)
            if not torch.isfinite(tensors[key]).all():
                raise CheckpointError("models.not_finite", tensor=key, path=path)
        built.load_state_dict(tensors, strict=False, assign=True)  # names were checked before
        return built.eval()

    @classmethod
    def _read_tensors(
        cls, folder: Path, name: str, shapes: Mapping[str, tuple[int, ...]] | None = None
    ) -> dict[str, Tensor]:
        """Every tensor of a file, copied; with ``shapes`` only after names and shapes have been found right."""
        path = folder / f"{name}.safetensors"
        try:
            with safe_open(path, framework="pt") as file:
                stored = cls.migrate_tensors(name, {key: key for key in file.keys()})  # noqa: SIM118 (no mapping)
                found = {key: tuple(file.get_slice(old).get_shape()) for key, old in stored.items()}
                shapes = found if shapes is None else shapes
                for key in sorted(found.keys() ^ shapes.keys()):
                    what = "lacks_tensor" if key in shapes else "extra_tensor"
                    raise CheckpointError(f"models.{what}", path=path, tensor=key)
                for key, shape in shapes.items():
                    if found[key] != shape:
                        raise CheckpointError(
                            "models.bad_shape", tensor=key, path=path, shape=str(found[key]), wanted=str(shape)
                        )
                # Copied, because the file is only mapped.
                return {key: file.get_tensor(old).clone() for key, old in stored.items()}
        except FileNotFoundError as error:
            raise CheckpointError("models.no_file", path=path.parent, name=path.name) from error
        except (SafetensorError, OSError) as error:
            if lacks_memory(error):
                raise
            raise CheckpointError("models.cut_short", path=path) from error


class PretrainedModule(ModuleFolder, nn.Module):
    """A module that is a folder by itself: built from its config, with its weights in ``model.safetensors``."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.info: dict = {}

    def modules_by_file(self) -> dict[str, nn.Module]:
        return {"model": self}

    @classmethod
    def _read(cls, folder: Path, asked: Path):
        config, info = cls._read_config(folder)
        module = cls._read_module(folder, "model", cls, config).requires_grad_(False)
        module.info = info
        return module


class _NoInitialisation(TorchFunctionMode):
    """Leaves ``nn.init`` out where weights are to be loaded: to draw random numbers for tensors without memory, torch
    would import its compiler, which takes a second."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__module__", None) == "torch.nn.init" or function in (Tensor.normal_, Tensor.uniform_):
            return args[0] if args else kwargs["tensor"]
        return function(*args, **(kwargs or {}))


def _write_tensors(folder: Path, name: str, tensors: Mapping[str, Tensor], half: bool = False) -> None:
    def stored(value: Tensor) -> Tensor:
        value = value.detach().cpu().clone(memory_format=torch.contiguous_format)  # never shared storage
        return value.half() if half and value.is_floating_point() else value

    # In memory first: then a full disk is a plain OSError, and the file can be flushed.
    write_file(folder / f"{name}.safetensors", to_safetensors({key: stored(value) for key, value in tensors.items()}))
