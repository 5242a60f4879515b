"""A critic that looks through frozen eyes (Projected GAN, Sauer et al. 2021).

The eyes know edges, textures and parts from the first step on, so the critic learns only what is real among them. Their
maps are projected by fixed random 1x1 convolutions and mixed from the coarsest to the finest, so that no scale can be
ignored and the strongest features do not decide alone. Heads are separable convolutions, which is what a CPU can pay.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import MapConfig, ModelConfig
from .critic import Critic
from .image_features import LEARNED_WITH, LEAST_SIDE, enlarged, shipped
from .layers import activate, conv, linear

PROJECTED = 64  # channels of every projected map
LAST_SIDE = 4  # of the maps that are described
SCALES = (10.0, 10.0, 7.0)  # of the features of each stage, as they are on drawings, by which they are divided


class _Separable(nn.Module):
    """[B, C, h, w] -> [B, C, h / 2, w / 2]: each channel alone, then all channels at each place."""

    def __init__(self, channels: int):
        super().__init__()
        self.alone = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        nn.init.normal_(self.alone.weight, std=1 / 3)
        self.across = conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(activate(self.across(self.alone(x))), 2)


class ProjectedMapCritic(Critic):
    """Pictures [B, 1 or 3, S, S] -> features [B, critic_features]."""

    def __init__(self, config: ModelConfig, section: MapConfig):
        super().__init__()
        widths = shipped(LEARNED_WITH, torch.device("cpu")).widths
        generator = torch.Generator().manual_seed(0)
        for number, width in enumerate(widths):
            self.register_buffer(f"project{number}", _orthogonal(PROJECTED, width, generator))
            self.register_buffer(f"mix{number}", _orthogonal(PROJECTED, PROJECTED, generator))
        side = max(LEAST_SIDE, section.shape[1])
        self.heads = nn.ModuleList(
            nn.Sequential(*(_Separable(PROJECTED) for _ in range(int(math.log2(side // 4 // 2**number // LAST_SIDE)))))
            for number in range(len(widths))
        )
        self.describe = linear(len(widths) * PROJECTED * LAST_SIDE**2, config.critic_features)
        self.add_heads(config, section)

    def features(self, x: Tensor) -> Tensor:
        seen = shipped(LEARNED_WITH, x.device)(enlarged(x))
        maps = [each / scale for each, scale in zip(seen, SCALES, strict=True)]
        mixed, described = None, []
        for number in reversed(range(len(maps))):
            y = F.conv2d(maps[number], getattr(self, f"project{number}"))
            if mixed is not None:
                y = (y + F.interpolate(mixed, size=y.shape[-2:], mode="bilinear", align_corners=False)) / math.sqrt(2)
            mixed = F.conv2d(y, getattr(self, f"mix{number}"))
            described.append(F.adaptive_avg_pool2d(self.heads[number](mixed), LAST_SIDE).flatten(1))
        return activate(self.describe(torch.cat(described, dim=1)))


def _orthogonal(outputs: int, inputs: int, generator: torch.Generator) -> Tensor:
    """A fixed random 1x1 convolution [outputs, inputs, 1, 1] that keeps the variance."""
    weight = torch.randn(max(outputs, inputs), min(outputs, inputs), generator=generator)
    weight = torch.linalg.qr(weight)[0]
    weight = weight if outputs >= inputs else weight.T
    return weight[:, :, None, None] * math.sqrt(outputs / inputs if outputs >= inputs else 1.0)
