"""A model on disk, and the state of its optimisers.

::

    config.json                   see :mod:`mmgan.hub.pretrained`
    generator.safetensors         the generator's moving average (EMA), which is what samples
    discriminator.safetensors     optional: the discriminators, so that others can fine-tune
    training.json, *.safetensors  optional, of a run: what an exact resume needs
    README.md                     the card
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from ..config import ModelConfig
from ..errors import CheckpointError
from . import Discriminators, Generator
from .card import card_text
from .folder import ModuleFolder
from .model_folder import ModelFolder

MAX_EXAMPLES, MAX_ON_CARD = 50, 8


@dataclass
class Model(ModelFolder, ModuleFolder):
    """What a model folder holds, ready to use."""

    generator: Generator  # the one that samples (the EMA)
    discriminators: Discriminators | None = None
    info: dict = field(default_factory=dict)  # name, dataset, examples (a list of prompts), steps, text_encoder, ...
    folder: Path = Path()

    @property
    def config(self) -> ModelConfig:
        return self.generator.config

    @property
    def name(self) -> str:
        """What the model calls itself, else its folder's name."""
        name = self.info.get("name")
        return name if isinstance(name, str) and name else self.folder.name

    @property
    def examples(self) -> list[str]:
        """Prompts to offer to people; from ``info["examples"]``."""
        examples = self.info.get("examples")
        return [e for e in examples if isinstance(e, str)][:MAX_EXAMPLES] if isinstance(examples, list) else []

    @property
    def prompts(self) -> list[str]:
        """A few prompts for the card."""
        return (self.examples or ["a picture and a sound"])[:MAX_ON_CARD]

    def card(self) -> str:
        return card_text(self.info, self.prompts)

    def modules_by_file(self) -> dict[str, nn.Module]:
        modules = {"generator": self.generator, "discriminator": self.discriminators}
        return {name: module for name, module in modules.items() if module is not None}

    @classmethod
    def from_pretrained(
        cls, source: str | Path, device: str | torch.device = "cpu", with_discriminators: bool = False
    ) -> Model:
        """Loads a model by name, folder or Hub id, in float32 whatever it was stored in.

        ``discriminators`` is None without ``with_discriminators``, and where the folder has none.

        Raises:
            CheckpointError: see :meth:`mmgan.hub.pretrained.Pretrained.from_pretrained`.
        """
        model = super().from_pretrained(source, with_discriminators=with_discriminators)
        for module in model.modules_by_file().values():
            module.to(device)
        return model

    @classmethod
    def _read(cls, folder: Path, asked: Path, with_discriminators: bool = False) -> Model:
        config, info = cls._read_config(folder)
        generator = cls._read_module(folder, "generator", Generator, config)
        discriminators = None
        if with_discriminators and (folder / "discriminator.safetensors").exists():
            discriminators = cls._read_module(folder, "discriminator", Discriminators, config)
        return cls(generator, discriminators, info, asked)


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
            raise CheckpointError("models.optimiser_misfit", name=key)
        if value.dim():
            value = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
        state.setdefault(index[id(parameter)], {})[what] = value.clone()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
