"""Judges: small classifiers that measure what a picture shows or what a sound says. They never train a generator.

``scripts/judges/train.py`` trains them on the digits' train split; they ship as ``pretrained/judge-digits-image`` and
``pretrained/judge-digits-audio``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ..audio.mel import log_mel
from ..audio.waveform import normalise_loudness
from ..config import CHOICES, RANGE, AudioConfig
from ..image.pictures import picture_to_array
from ..language import Message
from ..models.folder import PretrainedModule

IMAGE_SIZE = 32  # pixels a side that a picture judge sees

# While a training runs: (images [B, C, H, W] in -1..1, log-mels [B, bands, T], concepts) -> what :func:`shares` gives.
LiveJudge = Callable[[Tensor, Tensor, Sequence[str]], dict[str, float]]


@dataclass(frozen=True)
class JudgeConfig:
    """Sizes of a judge and the labels it tells apart."""

    modality: str = field(default="image", metadata={CHOICES: ("image", "audio")})
    labels: tuple[str, ...] = field(default=tuple("0123456789"))  # concepts, in the order of the logits
    size: int = field(default=32, metadata={RANGE: (16, 128)})  # pixels, or bands and frames, a side of the input
    widths: tuple[int, ...] = field(default=(24, 48, 96, 128), metadata={RANGE: (4, 512)})  # channels at 32, 16, 8, 4
    features: int = field(default=64, metadata={RANGE: (8, 512)})  # numbers by which distances are measured


class Judge(PretrainedModule):
    """A convolutional classifier of pictures [N, 1, 32, 32] or log-mels [N, 64, 64], both around -1..1."""

    format, noun, section, config_class = "mmgan-judge", Message("models.noun_judge"), "judge", JudgeConfig
    ships = "judge-digits-image", "judge-digits-audio"

    def __init__(self, config: JudgeConfig = JudgeConfig()):
        super().__init__(config)
        if config.size % 32 or len(config.widths) > 5:
            raise ValueError(f"{len(config.widths)} halvings of {config.size} do not fit")
        layers, channels = [], 1
        for index, width in enumerate(config.widths):
            stride = config.size // 32 if index == 0 else 1  # the first layer brings every input to 32x32
            norm = nn.BatchNorm2d(width)
            norm.num_batches_tracked = None  # nothing reads it, so files need not hold it
            layers += [
                nn.Conv2d(channels, width, 3, stride, 1, bias=False),
                norm,
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


def picture_input(pictures: Sequence[Image.Image | np.ndarray]) -> Tensor:
    """Grey or RGB pictures of any size (PIL, or uint8 [H, W] or [H, W, 3]) -> float32 [N, 1, 32, 32] in -1..1.

    Fitted as for training (:func:`mmgan.data.loader.picture_to_array`): a 28x28 digit is padded, not enlarged.
    """
    if not len(pictures):
        return torch.zeros(0, 1, IMAGE_SIZE, IMAGE_SIZE)
    images = (p if isinstance(p, Image.Image) else Image.fromarray(p) for p in pictures)
    return torch.from_numpy(np.stack([picture_to_array(i, IMAGE_SIZE, 1) for i in images])).float() / 127.5 - 1


def tensor_input(images: Tensor) -> Tensor:
    """Pictures as the networks have them, float [N, 1 or 3, H, W] in -1..1 -> a judge's input [N, 1, 32, 32]."""
    grey = images.float().mean(1, keepdim=True).clamp(-1, 1)
    return grey if grey.shape[-1] == IMAGE_SIZE else F.interpolate(grey, (IMAGE_SIZE, IMAGE_SIZE), mode="area")


def sound_input(waveforms: np.ndarray, config: AudioConfig = AudioConfig()) -> Tensor:
    """Waveforms float [N, num_samples] -> log-mels [N, 64, 64] at equal loudness: a judge hears what people hear."""
    level = (
        np.stack([normalise_loudness(w) for w in waveforms]) if len(waveforms) else np.zeros((0, config.num_samples))
    )
    parts = torch.from_numpy(level.astype(np.float32)).split(200)
    return torch.cat([log_mel(part, config) for part in parts])


def shares(seen: Sequence[str], heard: Sequence[str], concepts: Sequence[str]) -> dict[str, float]:
    """Shares (0..1) of right pictures, sounds and pairs: ``image_accuracy``, ``audio_accuracy``, ``both``."""
    image = np.array([a == b for a, b in zip(seen, concepts, strict=True)])
    audio = np.array([a == b for a, b in zip(heard, concepts, strict=True)])
    return {
        "image_accuracy": float(image.mean()),
        "audio_accuracy": float(audio.mean()),
        "both": float((image & audio).mean()),
    }
