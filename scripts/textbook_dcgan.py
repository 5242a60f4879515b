"""A textbook DCGAN (Radford et al. 2016) of a folder of pictures, to compare fine-tuning with.

    python scripts/textbook_dcgan.py FOLDER OUT.safetensors --minutes 8

As the paper has it: strided convolutions with batch normalisation but in the generator's last and the discriminator's
first layer, ReLU and tanh, leaky ReLU 0.2, weights of deviation 0.02, Adam at 2e-4 with beta1 0.5, z of 100 uniform
numbers, the non-saturating loss. It knows no captions. Batches are of 16, not 128, for a few dozen pictures.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mmgan.data.folder import Folder
from mmgan.data.loader import Loader

Z, BATCH, RATE, BETAS = 100, 16, 2e-4, (0.5, 0.999)
WIDTH = 64  # channels of the largest map, the paper's 128 for pictures of half its size


def generator(size: int = 32, channels: int = 3, width: int = WIDTH) -> nn.Sequential:
    """z [N, 100, 1, 1] -> pictures [N, channels, size, size] in -1..1; the size is a power of two from 8 on."""
    wide = width * size // 8
    layers = [nn.ConvTranspose2d(Z, wide, 4, 1, 0, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
    while wide > width:
        layers += [nn.ConvTranspose2d(wide, wide // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(wide // 2), nn.ReLU()]
        wide //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(wide, channels, 4, 2, 1), nn.Tanh()).apply(_start)


def discriminator(size: int = 32, channels: int = 3, width: int = WIDTH) -> nn.Sequential:
    """Pictures [N, channels, size, size] -> logits [N, 1, 1, 1]."""
    layers, wide = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)], width
    for _ in range(size.bit_length() - 4):
        layers += [nn.Conv2d(wide, 2 * wide, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * wide), nn.LeakyReLU(0.2)]
        wide *= 2
    return nn.Sequential(*layers, nn.Conv2d(wide, 1, 4, 1, 0)).apply(_start)


def _start(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def noise(count: int, rng: torch.Generator) -> Tensor:
    return torch.rand(count, Z, 1, 1, generator=rng) * 2 - 1


def train(pictures: Tensor, minutes: float, cpu_seconds: float = 0.0, seed: int = 0) -> tuple[nn.Sequential, int]:
    """Trains on pictures [N, C, S, S] until the time is over; returns the generator and its steps.

    Args:
        cpu_seconds: > 0: until this process has used so many, instead of minutes.
    """
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    size, channels = pictures.shape[-1], pictures.shape[1]
    g, d = (make(size, channels).to(memory_format=torch.channels_last) for make in (generator, discriminator))
    for_g, for_d = (torch.optim.Adam(m.parameters(), RATE, BETAS, fused=True) for m in (g, d))
    start, step = time.monotonic(), 0
    while (time.process_time() < cpu_seconds) if cpu_seconds else (time.monotonic() - start < 60 * minutes):
        real = pictures[torch.randint(len(pictures), (BATCH,), generator=rng)]
        fake = g(noise(BATCH, rng))
        loss_d = F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()
        for_d.zero_grad()
        loss_d.backward()
        for_d.step()
        loss_g = F.softplus(-d(fake)).mean()
        for_g.zero_grad()
        loss_g.backward()
        for_g.step()
        step += 1
    return g.eval(), step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, help="a safetensors file of samples [N, 3, 32, 32]")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--cpu-seconds", type=float, default=0.0)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = Folder(options.folder, "all")
    pictures = Loader(data, options.size, 3).images(range(data.num_images))
    g, steps = train(pictures, options.minutes, options.cpu_seconds, options.seed)
    with torch.no_grad():
        samples = g(noise(options.samples, torch.Generator().manual_seed(1)))
    save_file({"samples": samples.contiguous(), "steps": torch.tensor([steps])}, options.out)


if __name__ == "__main__":
    main()
