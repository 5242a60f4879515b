"""Starts a training from a model that has learned already, whatever its colours, critics and size."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace
from pathlib import Path

from torch import Tensor

from ..config import ModelConfig, with_values
from ..data import Dataset
from ..language import Message
from ..models import Discriminators, Generator
from ..models.checkpoint import Model
from .trainer import Trainer

FROZEN_STAGES = 1  # of each critic, after its stem (FreezeD, Mo et al. 2020)
GREY, RGB = 1, 3
MEASURED = 32  # pictures whose size is measured


@dataclass
class Base:
    """A model to start from, fitted to a dataset.

    ``notes`` say what the person might not expect; ``critics`` is None where the base ships none.
    """

    name: str
    config: ModelConfig
    generator: dict[str, Tensor]
    critics: dict[str, Tensor] | None
    notes: list[Message] = field(default_factory=list)


def load_base(source: str, dataset: Dataset) -> Base:
    """Loads a model by name, folder or Hub id and fits it to the dataset's colours.

    Raises:
        CheckpointError: see :meth:`mmgan.models.checkpoint.Model.from_pretrained`.
    """
    model = Model.from_pretrained(source, with_discriminators=True)
    base = fit(model, dataset.image_channels if dataset.num_images else None)
    base.name = Path(source).name if Path(source).is_dir() else str(source)  # its path is nobody else's business
    base.notes += _size_notes(model.config, dataset)
    if base.critics is None:
        base.notes.append(Message("finetune.no_critics"))
    for kind, count in (("image", dataset.num_images), ("audio", dataset.num_sounds)):
        if not count:
            base.notes.append(Message(f"finetune.no_{kind}"))
    return base


def fit(model: Model, channels: int | None) -> Base:
    """The model's weights for pictures of so many channels; None: there are none.

    From grey to colour, the last layer of the generator and the first of the critic are copied for each colour; the
    other way, their means and sums are taken. The fitted model makes the same pictures in grey, and judges grey
    pictures as before.
    """
    generator = dict(model.generator.state_dict())
    critics = None if model.discriminators is None else dict(model.discriminators.state_dict())
    config, notes = model.config, []
    before = config.image.channels if "image" in config.modalities else None
    if (before, channels) == (GREY, RGB):
        config = config.with_channels(RGB)
        for name in ("image.out.weight", "image.out.bias"):
            # [patch^2, ...] -> [3 patch^2, ...], the order that pixel_shuffle reads.
            generator[name] = generator[name].repeat(RGB, *[1] * (generator[name].dim() - 1))
        if critics is not None:
            critics["image.stem.weight"] = critics["image.stem.weight"].repeat(1, RGB, 1, 1) / RGB
        notes.append(Message("finetune.base_grey"))
    elif (before, channels) == (RGB, GREY):
        config = config.with_channels(GREY)
        for name in ("image.out.weight", "image.out.bias"):
            generator[name] = generator[name].unflatten(0, (RGB, -1)).mean(0)
        if critics is not None:
            critics["image.stem.weight"] = critics["image.stem.weight"].unflatten(1, (RGB, -1)).sum(1)
        notes.append(Message("finetune.data_grey"))
    return Base(model.info.get("name", ""), config, generator, critics, notes)


def with_image_critic(base: Base, kind: str) -> Base:
    """The same base with an image critic of another kind, which starts from random weights; the other critics stay."""
    if "image" not in base.config.modalities or base.config.image.critic == kind:
        return base
    config = with_values(base.config, {"image.critic": kind})
    critics = None
    if base.critics is not None:
        fresh = Discriminators(config).state_dict()
        critics = {name: fresh[name] if name.startswith("image.") else base.critics[name] for name in fresh}
    return replace(base, config=config, critics=critics)


def start_from(trainer: Trainer, base: Base) -> None:
    """Gives the trainer's networks and average the base's weights, and freezes the critics' early layers."""
    trainer.generator.load_state_dict(base.generator)
    trainer.ema.load_state_dict(base.generator)
    if base.critics is not None:
        trainer.discriminators.load_state_dict(base.critics)
        freeze_early(trainer.discriminators)


def freeze_early(critics: Discriminators, stages: int = FROZEN_STAGES) -> int:
    """Stops the stems and first stages of all critics from learning; returns how many tensors that are.

    What edges and onsets look like holds for any data, and a few dozen rows would unlearn it (FreezeD, Mo et al. 2020).
    At least half of a critic goes on learning.
    """
    frozen = 0
    for critic in critics.critics().values():
        for module in critic.early(stages):
            for parameter in module.parameters():
                parameter.requires_grad_(False)
                frozen += 1
    return frozen


def base_modules(base: Base) -> tuple[Generator, Discriminators | None]:
    """The base as it was, ready to sample and to describe what it sees; not to be trained."""
    generator = Generator(base.config)
    generator.load_state_dict(base.generator)
    critics = None
    if base.critics is not None:
        critics = Discriminators(base.config)
        critics.load_state_dict(base.critics)
        critics.eval().requires_grad_(False)
    return generator.eval().requires_grad_(False), critics


def _size_notes(config: ModelConfig, dataset: Dataset) -> list[Message]:
    """Says that the base's resolution stays, where the pictures have more."""
    count = min(dataset.num_images, MEASURED)
    if not count or "image" not in config.modalities:
        return []
    side = statistics.median(min(dataset.image(i * dataset.num_images // count).size) for i in range(count))
    size = config.image.size
    if side < 1.5 * size:
        return []
    return [Message("finetune.base_size", width=size, height=size)]
