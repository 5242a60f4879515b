"""A textbook DCGAN to compare with: Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks" (2015), with the sizes and the training loop usual in tutorials."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

NOISE, WIDTH = 100, 64


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def _widths(size: int) -> list[int]:
    """Channels from 4x4 up to half of ``size`` pixels: 256, 128, 64 for 32 pixels."""
    doublings = (size // 4).bit_length() - 1
    if size < 8 or size != 4 * 2**doublings:
        raise ValueError(f"A DCGAN of {size} pixels cannot be made; take a power of two from 8.")
    return [WIDTH * 2**k for k in reversed(range(doublings))]


def generator(size: int, channels: int) -> nn.Sequential:
    """Noise [B, 100, 1, 1] -> picture [B, channels, size, size] in -1..1."""
    widths = _widths(size)
    layers: list[nn.Module] = [nn.ConvTranspose2d(NOISE, widths[0], 4, 1, 0, bias=False)]
    for inputs, outputs in zip(widths, [*widths[1:], channels], strict=True):
        layers += [
            nn.BatchNorm2d(inputs), nn.ReLU(True), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False),
        ]  # fmt: skip
    return nn.Sequential(*layers, nn.Tanh()).apply(_initialise)


def discriminator(size: int, channels: int) -> nn.Sequential:
    """Picture [B, channels, size, size] -> logit [B, 1, 1, 1]; the sigmoid is in the loss."""
    widths = _widths(size)[::-1]
    layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for inputs, outputs in itertools.pairwise(widths):
        layers += [
            nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, True),
        ]  # fmt: skip
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False)).apply(_initialise)


class DCGAN:
    """Generator, discriminator, an Adam for each, and the loop's body."""

    def __init__(self, size: int, channels: int, device: str | torch.device = "cpu"):
        self.generator = generator(size, channels).to(device)
        self.discriminator = discriminator(size, channels).to(device)
        self.optimizer_g = torch.optim.Adam(self.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.optimizer_d = torch.optim.Adam(self.discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.loss = nn.BCEWithLogitsLoss()

    def step(self, real: Tensor) -> tuple[float, float]:
        """One update of the discriminator, then one of the generator; real [B, channels, size, size] -> both losses."""
        self.optimizer_d.zero_grad()
        judged = self.discriminator(real)
        on_real = self.loss(judged, torch.ones_like(judged))
        on_real.backward()
        fake = self.generator(torch.randn(len(real), NOISE, 1, 1, device=real.device))
        judged = self.discriminator(fake.detach())
        on_fake = self.loss(judged, torch.zeros_like(judged))
        on_fake.backward()
        self.optimizer_d.step()

        self.optimizer_g.zero_grad()
        judged = self.discriminator(fake)
        wish = self.loss(judged, torch.ones_like(judged))
        wish.backward()
        self.optimizer_g.step()
        return (on_real + on_fake).item(), wish.item()
