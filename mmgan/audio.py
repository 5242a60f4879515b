"""Waveform <-> log-mel, and reading and writing sound files.

A waveform is float32 [B, num_samples] in -1..1; a log-mel is float32 [B, bands, T], scaled so that the floor is -1 and
a full-scale sine is about +0.75. Files go through soundfile (torchaudio's loaders need another package).
"""

from __future__ import annotations

import functools
import io
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio
from torch import Tensor

from .config import AudioConfig
from .errors import DataError

CENTER_DB, HALF_RANGE_DB = -30.0, 40.0  # a log-mel of -1 .. 1 is -70 .. +10 dB


@functools.lru_cache(maxsize=8)
def _filters(config: AudioConfig, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Hann window [window], mel filters [bins, bands] and their pseudo-inverse [bands, bins]."""
    window = torch.hann_window(config.window)
    filters = torchaudio.functional.melscale_fbanks(
        config.window // 2 + 1, config.f_min, min(config.f_max, config.sampling_rate / 2), config.bands,
        config.sampling_rate, norm=None, mel_scale="htk",
    )  # fmt: skip
    return window.to(device), filters.to(device), torch.linalg.pinv(filters).to(device)


def log_mel(waveform: Tensor, config: AudioConfig = AudioConfig()) -> Tensor:
    """[B, num_samples] in -1..1 -> log-mel [B, bands, T], T = num_samples // hop."""
    window, filters, _ = _filters(config, str(waveform.device))
    spectrum = torch.stft(
        waveform, config.window, config.hop, window=window, return_complex=True, center=True, pad_mode="constant"
    )
    magnitude = spectrum.abs()[..., : config.frames] / (window.sum() / 2)  # a full-scale sine is 1.0 in its bin
    decibel = 20 * (filters.T @ magnitude).clamp(min=10 ** (config.floor_db / 20)).log10()
    return (decibel - CENTER_DB) / HALF_RANGE_DB


def mel_to_magnitude(mel: Tensor, config: AudioConfig = AudioConfig(), steps: int = 8) -> Tensor:
    """Log-mel [B, bands, T] -> magnitudes [B, bins, T] whose log-mel it is, as nearly as non-negative bins allow.

    The pseudo-inverse, then multiplicative updates for non-negative least squares (Lee and Seung 2001, eq. 4).
    """
    _, filters, inverse = _filters(config, str(mel.device))
    decibel = (mel * HALF_RANGE_DB + CENTER_DB).clamp(max=20.0)
    target = 10 ** (decibel / 20)
    target = torch.where(decibel <= config.floor_db + 0.5, torch.zeros_like(target), target)  # the floor is silence
    magnitude = (inverse.T @ target).clamp(min=1e-6)
    numerator = filters @ target
    for _ in range(steps):
        magnitude = magnitude * numerator / (filters @ (filters.T @ magnitude)).clamp(min=1e-8)
    return magnitude


def griffin_lim(mel: Tensor, config: AudioConfig = AudioConfig()) -> Tensor:
    """Log-mel [B, bands, T] -> waveform [B, num_samples] in -1..1, by fast Griffin-Lim (Perraudin et al. 2013).

    Starts from zero phase, so the result depends on nothing but the mel.
    """
    window, _, _ = _filters(config, str(mel.device))
    magnitude = mel_to_magnitude(mel.float(), config) * (window.sum() / 2)
    magnitude = torch.cat([magnitude, magnitude[..., -1:]], dim=-1)  # the frame at num_samples, which log_mel drops
    waveform = torchaudio.functional.griffinlim(
        magnitude, window, config.window, config.hop, config.window, power=1.0, n_iter=config.griffin_lim_iterations,
        momentum=0.99, length=config.num_samples, rand_init=False,
    )  # fmt: skip
    return waveform.clamp(-1, 1)


def vocode(mel: Tensor, config: AudioConfig = AudioConfig()) -> Tensor:
    """Log-mel [B, bands, T] -> waveform [B, num_samples]: the one place where sound is made (Griffin-Lim for now)."""
    return griffin_lim(mel, config)


def fit_length(waveform: np.ndarray, num_samples: int) -> np.ndarray:
    """Float32 [n] -> [num_samples]: cut at the end, or padded with silence there."""
    waveform = np.asarray(waveform, dtype=np.float32)[:num_samples]
    return np.pad(waveform, (0, num_samples - len(waveform)))


def normalise_loudness(waveform: np.ndarray, peak: float = 0.9) -> np.ndarray:
    """Float32 [n] without its mean, scaled so that the largest sample is ``peak``; silence stays silence."""
    waveform = np.asarray(waveform, dtype=np.float32)
    waveform = waveform - waveform.mean() if waveform.size else waveform
    largest = float(np.abs(waveform).max()) if waveform.size else 0.0
    return waveform * np.float32(peak / largest) if largest > 1e-5 else waveform


def resample(waveform: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Float32 [n] at ``rate`` Hz -> [n * target / rate] at ``target`` Hz (windowed sinc)."""
    if rate == target:
        return np.asarray(waveform, dtype=np.float32)
    rate = max(25, round(rate / 25) * 25)  # a rate such as 44,101 would need gigabytes of filter; 0.1 % is not heard
    return torchaudio.functional.resample(
        torch.from_numpy(np.ascontiguousarray(waveform, dtype=np.float32)), rate, target
    ).numpy()


def read_sound(
    source: str | Path | io.IOBase, config: AudioConfig = AudioConfig(), max_seconds: float = 600.0
) -> np.ndarray:
    """A WAV, FLAC, OGG or MP3 file of any rate and channels -> mono float32 [n] at ``config.sampling_rate``.

    Raises:
        DataError: not a sound file, or longer than ``max_seconds``.
    """
    name = Path(source).name if isinstance(source, (str, Path)) else "the sound"
    try:
        with soundfile.SoundFile(source) as file:
            if file.frames > max_seconds * file.samplerate:
                raise DataError(f"{name} is longer than {max_seconds:.0f} s; cut it into shorter clips.")
            rate, samples = file.samplerate, file.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} cannot be read as sound; save it again as WAV, FLAC, OGG or MP3.") from error
    return resample(np.nan_to_num(samples.mean(axis=1)), rate, config.sampling_rate)


def write_wav(target: str | Path | io.IOBase, waveform: np.ndarray, sampling_rate: int) -> None:
    """Float [n] in -1..1 -> 16-bit mono WAV at ``target``, a path or an open binary file."""
    soundfile.write(
        target, np.clip(np.asarray(waveform, dtype=np.float32), -1, 1), sampling_rate, format="WAV", subtype="PCM_16"
    )
