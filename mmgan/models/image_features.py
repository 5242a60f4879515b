"""Features of a network that learned to name a million photographs (EfficientNet-Lite; Tan and Le 2019).

Its weights are frozen. Critics that look through them know edges, textures and parts from the first step (Projected
GAN, Sauer et al. 2021), distances between its features are nearer to what people call alike than those between pixels
(Zhang et al. 2018), and evaluation may look through another one than training did (Kynkäänniemi et al. 2023).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import RANGE
from ..language import Message
from ..system.resources import PRETRAINED
from .folder import PretrainedModule

LEARNED_WITH, JUDGED_WITH = "image-features", "image-judge"  # under pretrained/: two networks, for the two uses
LEAST_SIDE = 64  # pixels that the eyes look at: in 32, their coarsest map would have two places a side


@dataclass(frozen=True)
class ImageFeaturesConfig:
    """Sizes of an EfficientNet-Lite's trunk. The defaults are those of Lite0; ``channels`` may end earlier."""

    channels: tuple[int, ...] = field(default=(16, 24, 40, 80, 112, 192, 320), metadata={RANGE: (8, 512)})
    repeats: tuple[int, ...] = field(default=(1, 2, 2, 3, 3, 4, 1), metadata={RANGE: (1, 8)})
    kernels: tuple[int, ...] = field(default=(3, 3, 5, 3, 5, 5, 3), metadata={RANGE: (3, 5)})
    strides: tuple[int, ...] = field(default=(1, 2, 2, 2, 1, 2, 1), metadata={RANGE: (1, 2)})
    stem: int = field(default=32, metadata={RANGE: (8, 64)})
    # After which groups of blocks a stage ends, each half as large as the one before: Projected GAN's four.
    stages: tuple[int, ...] = field(default=(2, 3, 5, 7), metadata={RANGE: (1, 7)})


class _Same(nn.Conv2d):
    """A convolution padded as TensorFlow's "SAME", with which the weights were trained: at stride 2 more at the end."""

    def forward(self, x: Tensor) -> Tensor:
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        if stride == 1:
            return F.conv2d(x, self.weight, self.bias, padding=kernel // 2, groups=self.groups)
        pads = []
        for side in (x.shape[-1], x.shape[-2]):
            total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, stride, groups=self.groups)


class _Block(nn.Module):
    """An inverted residual (MobileNetV2, Sandler et al. 2018): wider, each channel alone, narrower again."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, widen: int):
        super().__init__()
        wide = inputs * widen
        self.expand = nn.Conv2d(inputs, wide, 1) if widen > 1 else None
        self.depthwise = _Same(wide, wide, kernel, stride, groups=wide)
        self.project = nn.Conv2d(wide, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.residual else y


class ImageFeatures(PretrainedModule):
    """Pictures [B, 1 or 3, H, W] in -1..1 -> a feature map for each stage. Batch norms are part of the convolutions."""

    format, noun, config_class = "mmgan-image-features", Message("models.noun_features"), ImageFeaturesConfig

    def __init__(self, config: ImageFeaturesConfig = ImageFeaturesConfig()):
        super().__init__(config)
        if not all(kernel % 2 for kernel in config.kernels):
            raise ValueError(f"kernels of {config.kernels} are not all odd")
        self.stem = _Same(3, config.stem, 3, 2)
        groups, inputs = [], config.stem
        parts = zip(config.channels, config.repeats, config.kernels, config.strides, strict=True)
        for index, (outputs, repeats, kernel, stride) in enumerate(parts):
            blocks = []
            for repeat in range(repeats):
                blocks.append(_Block(inputs, outputs, kernel, stride if repeat == 0 else 1, 6 if index else 1))
                inputs = outputs
            groups.append(nn.Sequential(*blocks))
        self.groups = nn.ModuleList(groups)

    @property
    def widths(self) -> list[int]:
        """Channels of each stage's map."""
        return [self.config.channels[end - 1] for end in self.config.stages if end <= len(self.groups)]

    def forward(self, image: Tensor) -> list[Tensor]:
        """The maps [B, widths[i], H / 4, W / 4], then 8, 16 and 32 times smaller than the picture.

        Gradients reach the picture and not the weights, once :meth:`torch.nn.Module.requires_grad_` turned those off.
        """
        x = image.expand(-1, 3, -1, -1) * (127.5 / 128) + 0.5 / 128  # the scale of its training: (0..255 - 127) / 128
        x = F.relu6(self.stem(x.contiguous(memory_format=torch.channels_last)))
        maps = []
        for number, group in enumerate(self.groups, 1):
            x = group(x)
            if number in self.config.stages:
                maps.append(x)
        return maps

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Perceptual distance [B] of pictures [B, C, H, W]: of directions at each place, the mean over stages.

        Features are made unit vectors over channels, as in LPIPS (Zhang et al. 2018) without its learned weights.
        """
        return apart(self.directions(a), self.directions(b))

    def directions(self, image: Tensor) -> list[Tensor]:
        """The maps as unit vectors at each place."""
        return [F.normalize(each, dim=1) for each in self(enlarged(image))]

    def describe(self, image: Tensor) -> Tensor:
        """Pictures [B, C, H, W] -> [B, F]: the mean of each map as a unit vector, and of the last map's quarters."""
        maps = self(enlarged(image))
        means = [m.mean((2, 3)) for m in maps] + [F.adaptive_avg_pool2d(maps[-1], 2).flatten(1)]
        return torch.cat([F.normalize(each, dim=1) for each in means], dim=1)


def apart(one: list[Tensor], two: list[Tensor]) -> Tensor:
    """Distance [B] of pictures whose :meth:`ImageFeatures.directions` these are, 0 to 4, the mean over stages."""
    return torch.stack([(a - b).square().sum(1).mean((1, 2)) for a, b in zip(one, two, strict=True)]).mean(0)


def enlarged(image: Tensor) -> Tensor:
    """Pictures [B, C, H, W], those smaller than ``LEAST_SIDE`` made as large."""
    if image.shape[-1] >= LEAST_SIDE:
        return image
    return F.interpolate(image, size=(LEAST_SIDE, LEAST_SIDE), mode="bilinear", align_corners=False)


@functools.lru_cache(maxsize=4)
def shipped(name: str, device: torch.device) -> ImageFeatures:
    """The features ``LEARNED_WITH`` or ``JUDGED_WITH``, frozen, one copy for whoever looks on that device."""
    features = ImageFeatures.from_pretrained(PRETRAINED / name).requires_grad_(False)
    layout: dict[str, Any] = {"device": device, "memory_format": torch.channels_last}
    return features.to(**layout)
