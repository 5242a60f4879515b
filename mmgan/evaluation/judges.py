"""Judges: small classifiers that measure what a picture shows or what a sound says. They never train a generator.

``scripts/train_judges.py`` trains them on the digits' train split; they ship as ``pretrained/judge-digits-image`` and
``pretrained/judge-digits-audio``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from ..audio import log_mel, normalise_loudness
from ..config import CHOICES, LIMIT, AudioConfig, from_dict, to_dict
from ..data.loader import picture_to_array
from ..errors import CheckpointError
from ..resources import PRETRAINED, incomplete

IMAGE_SIZE = 32  # pixels a side that a picture judge sees


@dataclass(frozen=True)
class JudgeConfig:
    """Sizes of a judge and the labels it tells apart."""

    modality: str = field(default="image", metadata={CHOICES: ("image", "audio")})
    labels: tuple[str, ...] = field(default=tuple("0123456789"))  # concepts, in the order of the logits
    size: int = field(default=32, metadata={LIMIT: (16, 128)})  # pixels, or bands and frames, a side of the input
    widths: tuple[int, ...] = field(default=(24, 48, 96, 128), metadata={LIMIT: (4, 512)})  # channels at 32, 16, 8, 4
    features: int = field(default=64, metadata={LIMIT: (8, 512)})  # numbers by which distances are measured


class Judge(nn.Module):
    """A convolutional classifier of pictures [N, 1, 32, 32] or log-mels [N, 64, 64], both around -1..1."""

    def __init__(self, config: JudgeConfig = JudgeConfig()):
        super().__init__()
        self.config = config
        layers, channels = [], 1
        for index, width in enumerate(config.widths):
            stride = config.size // 32 if index == 0 else 1  # the first layer brings every input to 32x32
            layers += [
                nn.Conv2d(channels, width, 3, stride, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            channels = width
        self.convolutions = nn.Sequential(*layers)
        side = 32 // 2 ** len(config.widths)
        self.describe = nn.Linear(channels * side * side, config.features)
        self.classify = nn.Linear(config.features, len(config.labels))

    def features(self, x: Tensor) -> Tensor:
        """[N, 1, H, W] or [N, H, W] -> the penultimate layer [N, features], in which distances are measured."""
        x = x[:, None] if x.dim() == 3 else x
        x = self.convolutions(x.to(memory_format=torch.channels_last)).flatten(1)
        return F.relu(self.describe(F.dropout(x, 0.2, self.training)))

    def logits(self, x: Tensor) -> Tensor:
        """[N, 1, H, W] or [N, H, W] -> [N, labels]."""
        return self.classify(self.features(x))

    forward = logits

    @torch.no_grad()
    def judge(self, x: Tensor, batch: int = 500) -> tuple[list[str], Tensor]:
        """Inputs [N, ...] -> their labels and their features [N, features], without gradients and in small batches."""
        features = torch.cat([self.features(part) for part in x.split(batch)])
        return [self.config.labels[i] for i in self.classify(features).argmax(1).tolist()], features

    def predict(self, x: Tensor) -> list[str]:
        """Inputs [N, ...] -> one label each."""
        return self.judge(x)[0]

    def save(self, folder: str | Path) -> None:
        """Writes config.json and model.safetensors (half precision)."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(to_dict(self.config), indent=2) + "\n")
        save_file({k: v.half().contiguous() for k, v in self._floats().items()}, folder / "model.safetensors")

    def _floats(self) -> dict[str, Tensor]:
        return {k: v for k, v in self.state_dict().items() if v.is_floating_point()}

    @classmethod
    def from_pretrained(cls, name: str | Path) -> Judge:
        """A judge by its name under ``pretrained/`` or from a folder, ready to judge.

        Raises:
            CheckpointError: nothing there, truncated, or not a judge.
        """
        folder = Path(name) if Path(name).is_dir() else PRETRAINED / name
        try:
            values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            weights = load_file(folder / "model.safetensors")
        except FileNotFoundError as error:
            if folder.parent == PRETRAINED:
                raise CheckpointError(incomplete(f"pretrained/{name}")) from error
            raise CheckpointError(
                f"There is no judge in {folder}; make it with `python scripts/train_judges.py`."
            ) from error
        except (OSError, ValueError, SafetensorError) as error:
            raise CheckpointError(f"The judge in {folder} is damaged; take it from a fresh copy of mmgan.") from error
        config = from_dict(JudgeConfig, values, "the judge's config.json")
        if config.size % 32 or len(config.widths) > 5:
            raise CheckpointError(f"The judge in {folder} has sizes that do not fit together; take a fresh copy of it.")
        judge = cls(config)
        expected = {k: v.shape for k, v in judge._floats().items()}
        if {k: v.shape for k, v in weights.items()} != expected:
            raise CheckpointError(f"The judge in {folder} does not match its config.json; take a fresh copy of it.")
        judge.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
        return judge.eval().requires_grad_(False)


def picture_input(pictures: Sequence[Image.Image | np.ndarray]) -> Tensor:
    """Grey or RGB pictures of any size (PIL, or uint8 [H, W] or [H, W, 3]) -> float32 [N, 1, 32, 32] in -1..1.

    Fitted as for training (:func:`mmgan.data.loader.picture_to_array`): a 28x28 digit is padded, not enlarged.
    """
    if not len(pictures):
        return torch.zeros(0, 1, IMAGE_SIZE, IMAGE_SIZE)
    images = (p if isinstance(p, Image.Image) else Image.fromarray(p) for p in pictures)
    return torch.from_numpy(np.stack([picture_to_array(i, IMAGE_SIZE, 1) for i in images])).float() / 127.5 - 1


def tensor_input(images: Tensor) -> Tensor:
    """Pictures as the networks have them, float [N, 1 or 3, H, W] in -1..1 -> [N, 1, 32, 32] as a judge sees them."""
    grey = images.float().mean(1, keepdim=True).clamp(-1, 1)
    return grey if grey.shape[-1] == IMAGE_SIZE else F.interpolate(grey, (IMAGE_SIZE, IMAGE_SIZE), mode="area")


def sound_input(waveforms: np.ndarray, config: AudioConfig = AudioConfig()) -> Tensor:
    """Waveforms float [N, num_samples] -> log-mels [N, 64, 64] at equal loudness: a judge hears what people hear."""
    level = (
        np.stack([normalise_loudness(w) for w in waveforms]) if len(waveforms) else np.zeros((0, config.num_samples))
    )
    parts = torch.from_numpy(level.astype(np.float32)).split(200)
    return torch.cat([log_mel(part, config) for part in parts])
