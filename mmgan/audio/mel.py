"""Waveform -> log-mel, and back to magnitudes.

A waveform is float32 [B, num_samples] in -1..1; a log-mel is float32 [B, bands, T], scaled so that the floor is -1 and
a full-scale sine is about +0.75. Phases are found by :mod:`mmgan.audio.griffin_lim`.
"""

from __future__ import annotations

import functools

import torch
import torchaudio
from torch import Tensor

from ..config import AudioConfig

CENTER_DB, HALF_RANGE_DB = -30.0, 40.0  # a log-mel of -1 .. 1 is -70 .. +10 dB


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)  # the first caller may be in inference mode; training must be able to use them later
def filterbank(config: AudioConfig, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Hann window [window], mel filters [bins, bands] and their pseudo-inverse [bands, bins]."""
    window = torch.hann_window(config.window, dtype=torch.float32)
    filters = torchaudio.functional.melscale_fbanks(
        config.window // 2 + 1, config.f_min, min(config.f_max, config.sampling_rate / 2), config.bands,
        config.sampling_rate, norm=None, mel_scale="htk",
    )  # fmt: skip
    filters = filters.float()  # whatever the default of the caller is
    return window.to(device), filters.to(device), torch.linalg.pinv(filters).to(device)


def log_mel(waveform: Tensor, config: AudioConfig = AudioConfig()) -> Tensor:
    """[B, num_samples] in -1..1 -> log-mel [B, bands, T], T = num_samples // hop."""
    window, filters, _ = filterbank(config, str(waveform.device))
    spectrum = torch.stft(
        waveform, config.window, config.hop, window=window, return_complex=True, center=True, pad_mode="constant"
    )
    magnitude = spectrum.abs()[..., : config.frames] / (window.sum() / 2)  # a full-scale sine is 1.0 in its bin
    decibel = 20 * (filters.T @ magnitude).clamp(min=10 ** (config.floor_db / 20)).log10()
    return (decibel - CENTER_DB) / HALF_RANGE_DB


def mel_to_magnitude(mel: Tensor, config: AudioConfig = AudioConfig(), rounds: int = 2) -> Tensor:
    """Log-mel [B, bands, T] -> magnitudes [B, bins, T] whose log-mel it is, as nearly as non-negative bins allow.

    The pseudo-inverse, then multiplicative updates for non-negative least squares (Lee and Seung 2001, eq. 4). In each
    round the first has the exponent 3 and overshoots, and a plain one settles: two rounds come as near as eight plain
    updates.
    """
    _, filters, inverse = filterbank(config, str(mel.device))
    decibel = (mel * HALF_RANGE_DB + CENTER_DB).clamp(max=20.0).transpose(1, 2)  # frame by frame, as the spectra are
    target = 10 ** (decibel / 20)
    target = torch.where(decibel <= config.floor_db + 0.5, torch.zeros_like(target), target)  # the floor is silence
    magnitude = (target @ inverse).clamp(min=1e-6)
    numerator = target @ filters.T

    def update() -> Tensor:
        return (magnitude @ filters @ filters.T).clamp_(min=1e-8).reciprocal_().mul_(numerator)

    for _ in range(rounds):
        magnitude.mul_(update().pow_(3))
        magnitude.mul_(update())
    return magnitude.transpose(1, 2)
