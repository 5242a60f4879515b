"""Networks of modalities whose rows are maps [B, channels, height, width]: synthesis and critic of 3x3 convolutions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import MapConfig, ModelConfig
from .critic import Critic
from .layers import CriticStage, SynthesisStage, activate, base_size, conv, linear


class MapSynthesis(nn.Module):
    """w [B, style_dim] -> map [B, channels, height, width], linear at the end: tanh saturated without normalisation."""

    def __init__(self, config: ModelConfig, section: MapConfig):
        super().__init__()
        channels, height, width = section.shape
        widths, self.patch = section.widths, section.patch
        self.base = base_size(height, width, self.patch, len(widths))
        self.start = linear(config.style_dim, widths[0] * self.base[0] * self.base[1])
        inputs = (widths[0], *widths[:-1])
        self.stages = nn.ModuleList(
            SynthesisStage(a, b, config.style_dim, config.convolutions, upsample=index > 0)
            for index, (a, b) in enumerate(zip(inputs, widths, strict=True))
        )
        self.out = conv(widths[-1], channels * self.patch**2, gain=0.5)
        # The pixels of a patch start equal (Aitken et al. 2017); else a chequerboard has to be unlearned.
        with torch.no_grad():
            self.out.weight.copy_(self.out.weight[:: self.patch**2].repeat_interleave(self.patch**2, dim=0))

    def forward(self, w: Tensor) -> Tensor:
        x = activate(self.start(w)).unflatten(1, (-1, *self.base))  # [B, widths[0], h, w]
        x = x.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            x = stage(x, w)  # [B, widths[i], h * 2^i, w * 2^i]
        return F.pixel_shuffle(self.out(x), self.patch)  # [B, channels, height, width]


class MapCritic(Critic):
    """Map [B, channels, height, width] -> features [B, critic_features]."""

    def __init__(self, config: ModelConfig, section: MapConfig):
        super().__init__()
        channels, height, width = section.shape
        self.patch = section.patch
        base = base_size(height, width, self.patch, len(section.widths))
        widths = section.widths[::-1]  # largest map first
        outputs = (*widths[1:], widths[-1])
        self.stem = conv(channels * self.patch**2, widths[0])
        self.stages = nn.ModuleList(
            CriticStage(a, b, config.convolutions, downsample=index < len(widths) - 1)
            for index, (a, b) in enumerate(zip(widths, outputs, strict=True))
        )
        self.describe = linear(widths[-1] * base[0] * base[1], config.critic_features)
        self.add_heads(config, section)

    def features(self, x: Tensor) -> Tensor:
        x = F.pixel_unshuffle(x, self.patch).contiguous(memory_format=torch.channels_last)
        x = activate(self.stem(x))
        for stage in self.stages:
            x = stage(x)
        return activate(self.describe(x.flatten(1)))

    def early(self, stages: int) -> list[nn.Module]:
        return [self.stem, *list(self.stages)[: min(stages, len(self.stages) // 2)]]
