"""How far a waveform is from another: what training minimises, and what evaluation measures in other windows."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from mmgan.audio.mel import log_mel
from mmgan.config import AudioConfig

TRAINING = ((256, 64), (512, 128), (1_024, 256), (2_048, 512))  # window and hop of each resolution
EVALUATION = ((320, 80), (800, 200), (1_600, 400))  # others, so that no vocoder was trained on what measures it
FLOOR = 1e-4  # of a full-scale sine (-80 dB): what is quieter is as good as silence


@functools.lru_cache(maxsize=16)
def _window(length: int) -> Tensor:
    return torch.hann_window(length)


def _magnitude(waveform: Tensor, length: int, hop: int) -> Tensor:
    window = _window(length)
    spectrum = torch.stft(waveform, length, hop, window=window, return_complex=True, pad_mode="constant")
    power = (spectrum.real.square() + spectrum.imag.square()) / (window.sum() / 2) ** 2
    return power.clamp(min=FLOOR**2).sqrt()


def stft_distance(made: Tensor, real: Tensor, resolutions: tuple = EVALUATION) -> Tensor:
    """Waveforms [B, n] twice -> distance [B] over several resolutions (Yamamoto et al. 2020, eq. 6).

    Spectral convergence plus the mean absolute difference of natural log-magnitudes, and the mean over resolutions.
    """
    total = 0.0
    for length, hop in resolutions:
        a, b = _magnitude(made, length, hop), _magnitude(real, length, hop)
        convergence = (a - b).norm(dim=(1, 2)) / b.norm(dim=(1, 2)).clamp(min=1e-3)
        total = total + convergence + (a.log() - b.log()).abs().mean(dim=(1, 2))
    return total / len(resolutions)


def mel_distance(made: Tensor, real: Tensor) -> Tensor:
    """Waveforms [B, n] twice -> mean absolute difference [B] of their log-mels, in units of 40 dB."""
    config = AudioConfig(num_samples=made.shape[1])
    return (log_mel(made, config) - log_mel(real, config)).abs().mean(dim=(1, 2))
