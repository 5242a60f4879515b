"""Waveform <-> log-mel, and writing sound files.

A waveform is float32 [B, num_samples] in -1..1; a log-mel is float32 [B, bands, T], scaled so that the floor is -1 and
a full-scale sine is about +0.75. Files are read by :mod:`mmgan.data.sounds`.
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

ENOUGH = 8  # Griffin-Lim iterations from good first phases: the judges hear as much as after 12, and less after 6
BLOCK, AROUND = 1 << 20, 2_048  # samples resampled at once, and those to either side that the filter reaches
CENTER_DB, HALF_RANGE_DB = -30.0, 40.0  # a log-mel of -1 .. 1 is -70 .. +10 dB


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)  # whoever asks first, training must be able to use them later
def _filters(config: AudioConfig, device: str) -> tuple[Tensor, Tensor, Tensor]:
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
    window, filters, _ = _filters(config, str(waveform.device))
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
    _, filters, inverse = _filters(config, str(mel.device))
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


@torch.no_grad()
def griffin_lim(mel: Tensor, config: AudioConfig = AudioConfig(), iterations: int | None = None) -> Tensor:
    """Log-mel [B, bands, T] -> waveform [B, num_samples] in -1..1, by fast Griffin-Lim (Perraudin et al. 2013).

    Phases start from single pass spectrogram inversion (Beauregard et al. 2015), so the result depends on nothing but
    the mel. ``iterations`` is the config's ``griffin_lim_iterations`` unless given.
    """
    window, size, hop = _filters(config, str(mel.device))[0], config.window, config.hop
    magnitude = mel_to_magnitude(mel.float(), config).transpose(1, 2) * (window.sum() / 2)  # [B, T, bins]
    magnitude = torch.cat([magnitude, magnitude[:, -1:]], dim=1)  # the frame that log_mel drops
    phases = _first_phases(magnitude, config)
    spectrum = torch.complex(magnitude * phases.cos(), magnitude * phases.sin())  # twice as fast as torch.polar
    # Each iteration writes into the same tensors: for new ones, threads would wait for memory and for each other.
    overlap = _Overlap(len(magnitude), config, magnitude)
    consistent, before, power = torch.empty_like(spectrum), torch.zeros_like(spectrum), torch.empty_like(magnitude)
    for _ in range(config.griffin_lim_iterations if iterations is None else iterations):
        torch.mul(overlap.add(spectrum).unfold(1, size, hop), window, out=overlap.frames)
        torch.fft.rfft(overlap.frames, out=consistent)
        # Momentum 0.99 as torchaudio writes it; real arithmetic, since complex abs and division are four times slower.
        torch.sub(consistent, before, alpha=0.99 / 1.99, out=spectrum)
        torch.square(spectrum.real, out=power).addcmul_(spectrum.imag, spectrum.imag)
        spectrum.mul_(power.add_(1e-16).rsqrt_().mul_(magnitude))
        before, consistent = consistent, before
    return overlap.add(spectrum)[:, size // 2 : size // 2 + config.num_samples].clamp(-1, 1)


@functools.lru_cache(maxsize=8)
def _overlap_scale(config: AudioConfig, device: str) -> Tensor:
    """[samples of all frames]: what overlapping windows are divided by, as a factor; 0 outside the clip."""
    window, size = _filters(config, device)[0], config.window
    frames = config.frames + 1
    total = torch.zeros(size + (frames - 1) * config.hop, device=device, dtype=torch.float32)
    for start in range(0, frames * config.hop, config.hop):
        total[start : start + size] += window.square()
    scale = 1 / total.clamp(min=1e-3)
    scale[: size // 2] = 0
    scale[size // 2 + config.num_samples :] = 0
    return scale


class _Overlap:
    """Adds up overlapping frames: the inverse of a windowed transform. What each iteration needs is made once.

    Attributes:
        frames: [B, T, window], free for others to write into between calls.
    """

    def __init__(self, rows: int, config: AudioConfig, like: Tensor):
        self._window, hop, count = _filters(config, str(like.device))[0], config.hop, config.frames + 1
        self._scale = _overlap_scale(config, str(like.device))
        self.frames = like.new_empty(rows, count, config.window)
        pieces = math.ceil(config.window / hop)
        self._blocks = like.new_empty(rows, count - 1 + pieces, hop)
        self._waveform = self._blocks.flatten(1)[:, : len(self._scale)]
        self._pieces = []
        for piece in range(pieces):  # the last is shorter where the hop does not divide the window
            part = self.frames[:, :, piece * hop : (piece + 1) * hop]
            self._pieces.append((self._blocks[:, piece : piece + count, : part.shape[2]], part))

    def add(self, spectrum: Tensor) -> Tensor:
        """Spectrum [B, T, bins] -> waveform [B, samples of all frames], overwritten by the next call."""
        torch.fft.irfft(spectrum, n=len(self._window), out=self.frames)
        self.frames.mul_(self._window)
        self._blocks.zero_()
        for block, part in self._pieces:
            block.add_(part)
        return self._waveform.mul_(self._scale)


def _first_phases(magnitude: Tensor, config: AudioConfig) -> Tensor:
    """Magnitudes [B, T, bins] -> phases [B, T, bins]: a peak turns at its frequency and takes its neighbours along."""
    count, total = magnitude.shape[-1], magnitude.numel()
    lower = torch.cat([magnitude[..., :1], magnitude[..., :-1]], dim=-1)
    upper = torch.cat([magnitude[..., 1:], magnitude[..., -1:]], dim=-1)
    peak = (magnitude >= lower) & (magnitude > upper)
    peak[..., 0] |= ~peak.any(dim=-1)  # a frame without any peak follows its lowest bin
    # Peaks are few, so what follows is of them alone, all frames one after the other.
    places = peak.flatten().nonzero().squeeze(1)
    bins = places % count
    frames = places - bins
    left, top, right = (each.flatten().index_select(0, places) for each in (lower, magnitude, upper))
    bend = (left - 2 * top + right).clamp_(max=-1e-9)
    frequency = (left - right).mul_(0.5).div_(bend).clamp_(-0.5, 0.5).add_(bins)  # the top of a parabola through three
    # A peak's neighbours end half way to the next peak, or with the frame.
    ends = torch.where(frames[1:] > frames[:-1], frames[1:], (places[:-1] + places[1:]) // 2 + 1)
    ends = torch.cat([ends, ends.new_full((1,), total)])
    nearest = torch.repeat_interleave(ends.diff(prepend=ends.new_zeros(1)), output_size=total)
    turns = frequency.index_select(0, nearest).view_as(magnitude).cumsum(dim=1).mul_(config.hop / config.window)
    # A window centred on its frame turns the sign from bin to bin.
    away = torch.arange(count, device=magnitude.device) - bins.float().index_select(0, nearest).view_as(magnitude)
    turns.add_(away, alpha=0.5)
    return turns.sub_(turns.round()).mul_(2 * math.pi)  # sine and cosine of large angles are slow


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
    if rate == target or not len(waveform):
        return np.asarray(waveform, dtype=np.float32)
    rate = max(25, round(rate / 25) * 25)  # a rate such as 44,101 would need gigabytes of filter; 0.1 % is not heard
    waveform = np.ascontiguousarray(waveform, dtype=np.float32)
    step = rate // math.gcd(rate, target)  # samples after which input and output meet
    block, around = BLOCK // step * step, -(-AROUND // step) * step
    parts = []
    for start in range(0, len(waveform), block):  # all at once would need thirty times the memory of the input
        before = min(start, around)
        part = torch.from_numpy(waveform[start - before : start + block + around])
        part = torchaudio.functional.resample(part, rate, target)
        last = start + block >= len(waveform)
        parts.append(part[before * target // rate : None if last else (before + block) * target // rate])
    return torch.cat(parts).numpy()


def write_wav(target: str | Path | io.IOBase, waveform: np.ndarray, sampling_rate: int) -> None:
    """Float [n] in -1..1 -> 16-bit mono WAV at ``target``, a path or an open binary file."""
    soundfile.write(
        target, np.clip(np.asarray(waveform, dtype=np.float32), -1, 1), sampling_rate, format="WAV", subtype="PCM_16"
    )
