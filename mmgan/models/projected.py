"""A critic that looks through frozen eyes (Projected GAN, Sauer et al. 2021).

The eyes know edges, textures and parts from the first step on, so the critic learns only what is real among them. Their
maps are projected by fixed random 1x1 convolutions and mixed from the coarsest to the finest, so that no scale can be
ignored and the strongest features do not decide alone. Heads are separable convolutions, which is what a CPU can pay.
"""

from __future__ import annotations

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import MapConfig, ModelConfig
from ..system.resources import PRETRAINED
from .critic import Critic
from .image_features import ImageFeatures
from .layers import activate, conv, linear

EYES = "image-features"  # under pretrained/
SEEN_SIDE = 64  # pixels a side that the eyes look at, at least: of 32 their coarsest map would have two places
PROJECTED = 64  # channels of every projected map
LAST_SIDE = 4  # of the maps that are described
SCALES = (10.0, 10.0, 7.0)  # of the features of each stage, as they are on drawings, by which they are divided


@functools.lru_cache(maxsize=4)
def eyes(device: torch.device) -> ImageFeatures:
    """The shipped features, frozen, one copy for all critics on a device."""
    features = ImageFeatures.from_pretrained(PRETRAINED / EYES).requires_grad_(False)
    return features.to(device=device, memory_format=torch.channels_last)


class _Separable(nn.Module):
    """[B, C, h, w] -> [B, C, h / 2, w / 2]: each channel alone, then all channels at each place."""

    def __init__(self, channels: int):
        super().__init__()
        self.alone = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        nn.init.normal_(self.alone.weight, std=1 / 3)
        nn.init.zeros_(self.alone.bias)
        self.across = conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(activate(self.across(self.alone(x))), 2)


class ProjectedMapCritic(Critic):
    """Pictures [B, 1 or 3, S, S] -> features [B, critic_features]."""

    def __init__(self, config: ModelConfig, section: MapConfig):
        super().__init__()
        widths = eyes(torch.device("cpu")).widths
        generator = torch.Generator().manual_seed(0)
        for number, width in enumerate(widths):
            self.register_buffer(f"project{number}", _orthogonal(PROJECTED, width, generator))
            self.register_buffer(f"mix{number}", _orthogonal(PROJECTED, PROJECTED, generator))
        side = max(SEEN_SIDE, section.shape[1])
        self.heads = nn.ModuleList(
            nn.Sequential(*(_Separable(PROJECTED) for _ in range(int(math.log2(side // 4 // 2**number // LAST_SIDE)))))
            for number in range(len(widths))
        )
        self.describe = linear(len(widths) * PROJECTED * LAST_SIDE**2, config.critic_features)
        self.add_heads(config, section)

    def features(self, x: Tensor) -> Tensor:
        if x.shape[-1] < SEEN_SIDE:
            x = F.interpolate(x, size=(SEEN_SIDE, SEEN_SIDE), mode="bilinear", align_corners=False)
        maps = [seen / scale for seen, scale in zip(eyes(x.device)(x), SCALES, strict=True)]
        mixed, described = None, []
        for number in reversed(range(len(maps))):
            y = F.conv2d(maps[number], getattr(self, f"project{number}"))
            if mixed is not None:
                y = (y + F.interpolate(mixed, size=y.shape[-2:], mode="bilinear", align_corners=False)) / math.sqrt(2)
            mixed = F.conv2d(y, getattr(self, f"mix{number}"))
            described.append(self.heads[number](mixed).flatten(1))
        return activate(self.describe(torch.cat(described, dim=1)))


def _orthogonal(outputs: int, inputs: int, generator: torch.Generator) -> Tensor:
    """A fixed random 1x1 convolution [outputs, inputs, 1, 1] that keeps the variance."""
    weight = torch.randn(max(outputs, inputs), min(outputs, inputs), generator=generator)
    weight = torch.linalg.qr(weight)[0]
    weight = weight if outputs >= inputs else weight.T
    return weight[:, :, None, None] * math.sqrt(outputs / inputs if outputs >= inputs else 1.0)
