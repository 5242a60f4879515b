"""Waveform <-> log-mel, and reading and writing sound files.

A waveform is float32 [B, num_samples] in -1..1; a log-mel is float32 [B, bands, T], scaled so that the floor is -1 and
a full-scale sine is about +0.75. Files go through soundfile (torchaudio's loaders need another package).
"""

from __future__ import annotations

import functools
import io
import math
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio
from torch import Tensor

from .config import AudioConfig
from .errors import DataError

ENOUGH = 12  # Griffin-Lim iterations: with phases to start from, as near to the mel as 32 from zero phase
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


def griffin_lim(mel: Tensor, config: AudioConfig = AudioConfig(), iterations: int | None = None) -> Tensor:
    """Log-mel [B, bands, T] -> waveform [B, num_samples] in -1..1, by fast Griffin-Lim (Perraudin et al. 2013).

    Phases start from single pass spectrogram inversion (Beauregard et al. 2015), so the result depends on nothing but
    the mel. ``iterations`` is the config's ``griffin_lim_iterations`` unless given.
    """
    (window, size), hop = _frame(config, str(mel.device)), config.hop
    magnitude = mel_to_magnitude(mel.float(), config).transpose(1, 2) * (window.sum() / 2)  # [B, T, bins]
    magnitude = torch.cat([magnitude, magnitude[:, -1:]], dim=1).contiguous()  # the frame that log_mel drops
    scale = _overlap(config, str(mel.device))
    spectrum, before = torch.polar(magnitude, _first_phases(magnitude, config)), None
    for _ in range(config.griffin_lim_iterations if iterations is None else iterations):
        consistent = torch.fft.rfft(_overlap_add(spectrum, window, hop, scale).unfold(1, size, hop) * window)
        # Momentum 0.99 as torchaudio writes it; real arithmetic, since complex abs and division are four times slower.
        ahead = consistent if before is None else torch.sub(consistent, before, alpha=0.99 / 1.99)
        before = consistent
        power = ahead.real.square() + ahead.imag.square()
        spectrum = ahead * (magnitude * (power + 1e-16).rsqrt())
    waveform = _overlap_add(spectrum, window, hop, scale)[:, size // 2 : size // 2 + config.num_samples]
    return waveform.clamp(-1, 1)


def _frame(config: AudioConfig, device: str) -> tuple[Tensor, int]:
    return _filters(config, device)[0], config.window


@functools.lru_cache(maxsize=8)
def _overlap(config: AudioConfig, device: str) -> Tensor:
    """[samples of all frames]: what overlapping windows are divided by, as a factor; 0 outside the clip."""
    window, size = _frame(config, device)
    frames = config.frames + 1
    total = torch.zeros(size + (frames - 1) * config.hop, device=device)
    for start in range(0, frames * config.hop, config.hop):
        total[start : start + size] += window.square()
    scale = 1 / total.clamp(min=1e-3)
    scale[: size // 2] = 0
    scale[size // 2 + config.num_samples :] = 0
    return scale


def _overlap_add(spectrum: Tensor, window: Tensor, hop: int, scale: Tensor) -> Tensor:
    """Spectrum [B, T, bins] -> waveform [B, samples of all frames] (the inverse of a windowed transform)."""
    frames = torch.fft.irfft(spectrum, n=len(window)) * window  # [B, T, window]
    waveform = frames.new_zeros(len(frames), len(scale))
    whole = len(window) // hop * hop
    blocks = waveform[:, : len(scale) // hop * hop].unflatten(1, (-1, hop))
    for offset in range(0, whole, hop):
        first = offset // hop
        blocks[:, first : first + frames.shape[1]] += frames[:, :, offset : offset + hop]
    if whole < len(window):  # a hop that does not divide the window leaves a shorter last block
        rest = len(window) - whole
        padded = torch.nn.functional.pad(frames[:, :, whole:], (0, hop - rest)).flatten(1)
        waveform[:, whole:] += padded[:, : len(scale) - whole]
    return waveform * scale


def _first_phases(magnitude: Tensor, config: AudioConfig) -> Tensor:
    """Magnitudes [B, T, bins] -> phases [B, T, bins]: a peak turns at its frequency and takes its neighbours along."""
    last = magnitude.shape[-1] - 1
    bins = torch.arange(last + 1, device=magnitude.device).expand_as(magnitude)
    lower = torch.cat([magnitude[..., :1], magnitude[..., :-1]], dim=-1)
    upper = torch.cat([magnitude[..., 1:], magnitude[..., -1:]], dim=-1)
    peak = (magnitude >= lower) & (magnitude > upper)
    bend = (lower - 2 * magnitude + upper).clamp(max=-1e-9)
    shift = (0.5 * (lower - upper) / bend).clamp(-0.5, 0.5)  # a parabola through three bins has its top here
    frequency = bins + torch.where(peak, shift, torch.zeros_like(shift))
    below = torch.where(peak, bins, -1).cummax(dim=-1).values
    above = torch.where(peak, bins, 3 * last).flip(-1).cummin(dim=-1).values.flip(-1)
    nearest = torch.where((below >= 0) & (bins - below <= above - bins), below, above)
    nearest = torch.where(nearest > last, below, nearest).clamp(min=0)  # a frame without any peak: its lowest bin's
    turns = frequency.gather(-1, nearest).cumsum(dim=1) * (config.hop / config.window)
    # A window centred on its frame turns the sign from bin to bin.
    return 2 * math.pi * turns + math.pi * (bins - nearest)


def vocode(mel: Tensor, config: AudioConfig = AudioConfig()) -> Tensor:
    """Log-mel [B, bands, T] -> waveform [B, num_samples]: the one place where sound is made (Griffin-Lim for now)."""
    return griffin_lim(mel, config, min(ENOUGH, config.griffin_lim_iterations))


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
