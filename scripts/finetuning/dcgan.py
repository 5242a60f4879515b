"""A textbook DCGAN, what mmgan is measured against: Radford, Metz and Chintala, "Unsupervised Representation Learning
with Deep Convolutional Generative Adversarial Networks" (2016).

As the paper has it: strided convolutions with batch normalisation but in the generator's last and the discriminator's
first layer, ReLU and tanh, leaky ReLU 0.2, weights of deviation 0.02, Adam at 2e-4 with beta1 0.5, z of 100 uniform
numbers, the non-saturating loss. It knows no captions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Z, RATE, BETAS = 100, 2e-4, (0.5, 0.999)
WIDTH = 64  # channels of the largest map, the paper's 128 for pictures of half its size


def generator(size: int, channels: int, width: int = WIDTH) -> nn.Sequential:
    """z [B, 100, 1, 1] -> pictures [B, channels, size, size] in -1..1; the size is a power of two from 8 on."""
    wide = width * _checked(size) // 8
    layers = [nn.ConvTranspose2d(Z, wide, 4, 1, 0, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
    while wide > width:
        layers += [nn.ConvTranspose2d(wide, wide // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(wide // 2), nn.ReLU()]
        wide //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(wide, channels, 4, 2, 1), nn.Tanh()).apply(_initialise)


def discriminator(size: int, channels: int, width: int = WIDTH) -> nn.Sequential:
    """Pictures [B, channels, size, size] -> logits [B, 1, 1, 1]; the sigmoid is in the loss."""
    layers, wide = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)], width
    for _ in range(_checked(size).bit_length() - 4):
        layers += [nn.Conv2d(wide, 2 * wide, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * wide), nn.LeakyReLU(0.2)]
        wide *= 2
    return nn.Sequential(*layers, nn.Conv2d(wide, 1, 4, 1, 0)).apply(_initialise)


def _checked(size: int) -> int:
    if size < 8 or size & (size - 1):
        raise ValueError(f"A DCGAN of {size} pixels cannot be made; take a power of two from 8.")
    return size


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def noise(count: int, rng: torch.Generator | None = None) -> Tensor:
    """z [count, 100, 1, 1], uniform in -1..1."""
    return torch.rand(count, Z, 1, 1, generator=rng) * 2 - 1


class DCGAN:
    """Generator, discriminator, an Adam for each, and the loop's body, on the CPU.

    Args:
        size: pixels a side.
        channels: of a picture.
    """

    def __init__(self, size: int, channels: int):
        self.generator = generator(size, channels).to(memory_format=torch.channels_last)
        self.discriminator = discriminator(size, channels).to(memory_format=torch.channels_last)
        self._for_g = torch.optim.Adam(self.generator.parameters(), RATE, BETAS, fused=True)
        self._for_d = torch.optim.Adam(self.discriminator.parameters(), RATE, BETAS, fused=True)

    def step(self, real: Tensor, rng: torch.Generator | None = None) -> None:
        """One update of the discriminator, then one of the generator, by pictures [B, channels, size, size]."""
        fake = self.generator(noise(len(real), rng))
        loss = F.softplus(-self.discriminator(real)).mean() + F.softplus(self.discriminator(fake.detach())).mean()
        self._for_d.zero_grad()
        loss.backward()
        self._for_d.step()
        loss = F.softplus(-self.discriminator(fake)).mean()
        self._for_g.zero_grad()
        loss.backward()
        self._for_g.step()
