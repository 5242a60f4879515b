"""The textbook DCGAN: its shapes, where it normalises, and that it learns."""

import pytest
import torch

from scripts.finetuning.dcgan import DCGAN, discriminator, generator, noise


@pytest.mark.parametrize("size, channels", [(8, 1), (16, 3), (32, 3), (64, 1)])
def test_of_any_size(size, channels):
    g, d = generator(size, channels, 8), discriminator(size, channels, 8)
    made = g(noise(2, torch.Generator()))
    assert made.shape == (2, channels, size, size) and bool((made.abs() <= 1).all())
    assert d(made).shape == (2, 1, 1, 1)
    norms = [[isinstance(m, torch.nn.BatchNorm2d) for m in net].count(True) for net in (g, d)]
    assert norms == [size.bit_length() - 3, size.bit_length() - 4]  # none at the picture's side


@pytest.mark.parametrize("size", [0, 4, 24])
def test_of_no_size(size):
    with pytest.raises(ValueError, match="power of two"):
        generator(size, 3)
    with pytest.raises(ValueError, match="power of two"):
        discriminator(size, 3)


def test_it_learns():
    torch.manual_seed(0)
    dcgan, real = DCGAN(8, 1), torch.ones(16, 1, 8, 8)
    for _ in range(60):
        dcgan.step(real)
    assert dcgan.generator(noise(16)).mean() > 0.3
