"""The critics of the vocoder's training, small enough for one CPU core.

Multi-period critics (HiFi-GAN, Kong et al. 2020, arXiv:2010.05646) see every n-th sample side by side; multi-resolution
critics (UnivNet, Jang et al. 2021, arXiv:2106.07889) see log-magnitude spectrograms. Both give scores all over the clip
and the features that lead to them, which feature matching (Larsen et al. 2016) brings together.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

SLOPE = 0.1  # of the leaky ReLU, HiFi-GAN's
PERIODS = (2, 3, 5, 7, 11)
RESOLUTIONS = ((256, 64), (512, 128), (1_024, 256))  # window and hop


class _Convolutions(nn.Module):
    """[B, 1, H, W] -> scores [B, 1, h, w] and the features of each layer."""

    def __init__(self, widths: tuple[int, ...], kernel: tuple[int, int], strides: tuple[tuple[int, int], ...]):
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, kernel, stride, padding))
            for a, b, stride in zip((1, *widths[:-1]), widths, strides, strict=True)
        )
        self.score = weight_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return self.score(x), features


class PeriodCritic(nn.Module):
    """Waveform [B, n] folded to [B, 1, n / period, period]."""

    def __init__(self, period: int):
        super().__init__()
        self.period = period
        self.convolutions = _Convolutions((16, 32, 64, 128, 128), (5, 1), ((3, 1), (3, 1), (3, 1), (3, 1), (1, 1)))

    def forward(self, waveform: Tensor) -> tuple[Tensor, list[Tensor]]:
        waveform = F.pad(waveform[:, None], (0, -waveform.shape[1] % self.period), mode="reflect")
        return self.convolutions(waveform.unflatten(2, (-1, self.period)))


class ResolutionCritic(nn.Module):
    """Waveform [B, n] as log-magnitudes [B, 1, bins, T]; halved along the bins by each layer but the last."""

    def __init__(self, window: int, hop: int):
        super().__init__()
        self.hop = hop
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        self.convolutions = _Convolutions((8, 16, 16, 32, 32), (3, 3), ((2, 1), (2, 1), (2, 1), (2, 1), (1, 1)))

    def forward(self, waveform: Tensor) -> tuple[Tensor, list[Tensor]]:
        spectrum = torch.stft(
            waveform, len(self.window), self.hop, window=self.window, return_complex=True, pad_mode="constant"
        )
        power = (spectrum.real.square() + spectrum.imag.square()) / (self.window.sum() / 2) ** 2
        return self.convolutions((power.clamp(min=1e-8).log() * 0.15 + 1)[:, None])


class Critics(nn.Module):
    """All critics: waveform [B, n] -> a list of (scores, features)."""

    def __init__(self):
        super().__init__()
        self.critics = nn.ModuleList(
            [*(PeriodCritic(period) for period in PERIODS), *(ResolutionCritic(*each) for each in RESOLUTIONS)]
        )

    def forward(self, waveform: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        return [critic(waveform) for critic in self.critics]


def critic_loss(real: list, fake: list) -> Tensor:
    """Least squares (Mao et al. 2017): real scores to 1, fake to 0; the mean over critics."""
    return sum(((1 - a[0]) ** 2).mean() + (b[0] ** 2).mean() for a, b in zip(real, fake, strict=True)) / len(real)


def adversarial_loss(fake: list) -> Tensor:
    """Fake scores to 1; the mean over critics."""
    return sum(((1 - scores) ** 2).mean() for scores, _ in fake) / len(fake)


def feature_loss(real: list, fake: list) -> Tensor:
    """Mean absolute distance of features, in units of the real ones' mean size; the mean over layers."""
    terms = [
        (a.detach() - b).abs().mean() / a.detach().abs().mean().clamp(min=1e-4)
        for (_, reals), (_, fakes) in zip(real, fake, strict=True)
        for a, b in zip(reals, fakes, strict=True)
    ]
    return sum(terms) / len(terms)
