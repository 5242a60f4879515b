"""What is measured: the pipeline, the trainer, and prompts that no cache has seen."""

from __future__ import annotations

import collections
import functools
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch

from mmgan import Pipeline
from mmgan.config import PRESETS, ModelConfig, TrainingConfig, with_values
from mmgan.data import Dataset, load_dataset
from mmgan.models import Generator
from mmgan.models.checkpoint import Model
from mmgan.text.encoder import TextEncoder
from mmgan.training.trainer import Trainer


@dataclass
class Setup:
    """Names and counts of one run of the benchmarks; what they name is loaded when first asked for.

    ``quick`` checks that everything works, with too few rounds to believe the figures.
    """

    model: str = "digits"
    text_encoder: str | None = None  # None: the one that ships
    data: str = "shapes"  # made on the fly, so nothing has to be downloaded
    quick: bool = False
    presets: dict[str, ModelConfig] = field(default_factory=lambda: dict(PRESETS))
    batch: int = 32
    minutes: float = 10.0  # of the soak
    clients: int = 30

    def count(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    @functools.cached_property
    def encoder(self) -> TextEncoder:
        return TextEncoder.from_pretrained(self.text_encoder)

    @functools.cached_property
    def pipeline(self) -> Pipeline:
        return Pipeline.from_pretrained(self.model, device="cpu", text_encoder=self.encoder)

    @functools.cached_property
    def dataset(self) -> Dataset:
        return load_dataset(self.data)

    @functools.cached_property
    def prompts(self) -> Iterator[str]:
        """Prompts without repetition: each is new to the text encoder's cache."""
        return fresh_prompts()

    def rounds_of_prompts(self, count: int) -> Callable[[str], list[str]]:
        """Gives each way of asking that names itself the same new prompts, one round after the other.

        What comes first would remember them for what comes next, so the text encoder forgets them each time.
        """
        fresh, rounds, asked = fresh_prompts(1), [], collections.Counter()

        def prompts_of(way: str) -> list[str]:
            if asked[way] == len(rounds):
                rounds.append([next(fresh) for _ in range(count)])
            asked[way] += 1
            self.encoder.forget()
            return rounds[asked[way] - 1]

        return prompts_of

    def preset(self, name: str) -> ModelConfig:
        """The preset in the dataset's colours."""
        return self.presets[name].with_channels(self.dataset.image_channels)

    def untrained_pipeline(self, preset: str) -> Pipeline:
        """Weights of chance cost as much time as trained ones, and every preset has them."""
        config = self.preset(preset)
        return Pipeline(Model(Generator(config), folder=Path(preset)), "cpu", self.encoder)

    def trainer(self, preset: str = "tiny", **changes) -> Trainer:
        """A fresh trainer on the dataset, with the defaults that people get."""
        config = with_values(TrainingConfig(model=self.preset(preset)), {"batch_size": self.batch, **changes})
        return Trainer(config, self.dataset, self.encoder)


def fill(trainer: Trainer, steps: int) -> None:
    """Does what happens once per caption, picture and sound (embedding, drawing, spectrum) for the next steps."""
    for step in range(trainer.step_count, trainer.step_count + steps):
        batch = trainer.loader.batch(step)
        trainer.text_encoder.encode(batch.texts + batch.wrong_texts)


def fresh_prompts(seed: int = 0) -> Iterator[str]:
    digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    strokes = ["a thin", "a thick", "a handwritten", "a spoken", "one slanted"]
    leans = ["leaning left", "leaning right", "standing upright", "said quickly", "said slowly"]
    writers = ["a child", "a teacher", "my sister", "someone in a hurry", "a postman", "an old friend", "a robot"]
    places = ["on paper", "in the morning", "on the phone", "at school", "by the window", "for a letter"]
    prompts = [
        f"{stroke} {digit} {lean}, by {writer} {place}"
        for stroke, digit, lean, writer, place in itertools.product(strokes, digits, leans, writers, places)
    ]  # 10,500
    random.Random(seed).shuffle(prompts)
    return iter(prompts)


def parameters(*modules: torch.nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())
