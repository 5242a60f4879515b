"""The layers that generator and discriminators are made of. Maps are [B, C, H, W]; a mel is a map of one channel."""

from __future__ import annotations

import functools
import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky ReLU


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU, scaled to keep the variance (the gain that He et al. 2015 put into the weights)."""
    return F.leaky_relu(x, SLOPE).mul_(math.sqrt(2 / (1 + SLOPE**2)))


def _variance_preserving(layer: nn.Conv2d | nn.Linear, gain: float) -> None:
    fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=gain / math.sqrt(fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def linear(inputs: int, outputs: int, gain: float = 1.0, bias: bool = True) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=bias)
    _variance_preserving(layer, gain)
    return layer


def conv(inputs: int, outputs: int, size: int = 3, gain: float = 1.0, bias: bool = True) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias)
    _variance_preserving(layer, gain)
    return layer


class MLP(nn.Module):
    """[B, inputs] -> [B, outputs] through hidden layers with leaky ReLU; the output is linear."""

    def __init__(self, inputs: int, hidden: int, outputs: int, layers: int = 2, gain: float = 1.0):
        super().__init__()
        sizes = [inputs] + [hidden] * (layers - 1)
        self.hidden = nn.ModuleList(linear(a, b) for a, b in itertools.pairwise(sizes))
        self.out = linear(sizes[-1], outputs, gain)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            x = activate(layer(x))
        return self.out(x)


class Film(nn.Module):
    """Feature-wise modulation (Perez et al. 2018) by w [B, style_dim]; starts as the identity.

    The shift of a channel is a plane over the map that may lean. So w can put an edge or a partial anywhere and at any
    angle, without a deep stack of convolutions to move it there (CoordConv, Liu et al. 2018, with learned axes).
    """

    def __init__(self, style_dim: int, channels: int):
        super().__init__()
        self.affine = nn.Linear(style_dim, 4 * channels)
        nn.init.zeros_(self.affine.weight)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        scale, planes = self.affine(w).split([channels, 3 * channels], dim=1)
        shift = _plane_axes(height, width, x.device, x.dtype) @ planes.view(batch, 3, channels).to(
            x.dtype
        )  # [B, H*W, C]
        shift = shift.view(batch, height, width, channels).permute(0, 3, 1, 2)
        return torch.addcmul(shift, x, 1 + scale[:, :, None, None])


@functools.lru_cache(maxsize=64)
def _plane_axes(height: int, width: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """1, height and width of each position, in -2..2, as [H * W, 3]."""
    with torch.inference_mode(False):  # cached, and training cannot use tensors of inference mode
        down = torch.linspace(-2, 2, height, device=device, dtype=dtype)
        across = torch.linspace(-2, 2, width, device=device, dtype=dtype)
        grid = torch.cartesian_prod(down, across)
        return torch.cat([torch.ones_like(grid[:, :1]), grid], dim=1)


class SynthesisStage(nn.Module):
    """[B, inputs, h, w] -> [B, outputs, 2h, 2w] (or the same size): channels, size, then modulated 3x3 convolutions.

    Channels change at the smaller size because a 1x1 convolution there costs a thirty-sixth of a 3x3 after upsampling.
    """

    def __init__(self, inputs: int, outputs: int, style_dim: int, convolutions: int, upsample: bool):
        super().__init__()
        self.upsample = upsample
        self.channels = conv(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()
        self.convs = nn.ModuleList(conv(outputs, outputs) for _ in range(convolutions))
        self.films = nn.ModuleList(Film(style_dim, outputs) for _ in range(convolutions))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x = self.channels(x)
        if self.upsample:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        for index, (convolution, film) in enumerate(zip(self.convs, self.films, strict=True)):
            y = activate(film(convolution(x), w))
            x = y if index == 0 else (x + y) / math.sqrt(2)  # deeper stages are residual
        return x


class CriticStage(nn.Module):
    """[B, inputs, h, w] -> [B, outputs, h/2, w/2] (or the same size): 3x3 convolutions, then size, then channels."""

    def __init__(self, inputs: int, outputs: int, convolutions: int, downsample: bool):
        super().__init__()
        self.downsample = downsample
        self.convs = nn.ModuleList(conv(inputs, inputs) for _ in range(convolutions))
        self.channels = conv(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        for index, convolution in enumerate(self.convs):
            y = activate(convolution(x))
            x = y if index == 0 else (x + y) / math.sqrt(2)
        if self.downsample:
            x = F.avg_pool2d(x, 2)
        return self.channels(x)


def base_size(height: int, width: int, patch: int, stages: int) -> tuple[int, int]:
    """Height and width of the smallest map under ``stages`` sizes that double up to [height, width] / patch.

    Raises:
        ValueError: the sizes do not divide.
    """
    divisor = patch * 2 ** (stages - 1)
    if height % divisor or width % divisor or height < 2 * divisor or width < 2 * divisor:
        raise ValueError(f"{height} x {width} cannot be made from {stages} sizes with patch {patch}.")
    return height // divisor, width // divisor


def unit(x: Tensor) -> Tensor:
    """Rows of unit length."""
    return F.normalize(x, dim=-1)


def standard(embedding: Tensor) -> Tensor:
    """A unit-length embedding [B, n] scaled to about unit variance per number."""
    return embedding * math.sqrt(embedding.shape[-1])
