"""log-mel -> waveform in one pass, for clips of any length.

::

    log-mel [B,bands,T] --+--> first guess: magnitudes and phases [B,T+1,bins] -------------+
                          |         | phases                                                |
                          +--> embed of both --> blocks [B,T+1,width] --> head: change of both
                                                                                            |
                                        waveform [B,T*hop] <-- corrections <-- inverse STFT +

Vocos (Siuzdak 2023, arXiv:2306.00814): ConvNeXt blocks at the rate of frames and an inverse transform in place of
upsampling layers, as iSTFTNet has it at the end (Kaneko et al. 2022, arXiv:2203.02395). As in FreeV (Lv et al. 2024,
arXiv:2406.08196) the network begins with the pseudo-inverse of the mel filters and predicts what differs from it. So it
is with the phases: they are those with which our Griffin-Lim begins (single pass spectrogram inversion, Beauregard et
al. 2015). The network scales and turns each bin; a complex factor in place of logarithm and angle was cheaper, and
learned more slowly. A convolution alone cannot sound a steady tone whose
pitch is no multiple of the frame rate: equal frames give equal frames. The first phases run on and hold it.

Overlapping frames disagree, so the waveform's log-mel is not quite the given one. Each correction takes the waveform's
spectrum, raises or lowers the bins by what their bands lack, and inverts it again: a Griffin-Lim iteration that asks
for the mel in place of magnitudes. Training sees the result, so the network learns what is left to do.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..audio.griffin_lim import Overlap, first_phases
from ..audio.mel import CENTER_DB, HALF_RANGE_DB, filterbank, mel_to_magnitude
from ..config import RANGE, AudioConfig
from ..language import Message
from .folder import PretrainedModule


@dataclass(frozen=True)
class VocoderConfig:
    """Sizes of a vocoder, and the log-mel that it reads (whose ``num_samples`` means nothing here)."""

    audio: AudioConfig = field(default_factory=AudioConfig)
    width: int = field(default=192, metadata={RANGE: (16, 1_024)})  # channels between the blocks
    hidden: int = field(default=384, metadata={RANGE: (16, 4_096)})  # channels inside a block
    blocks: int = field(default=5, metadata={RANGE: (1, 32)})
    phase_bins: int = field(default=192, metadata={RANGE: (1, 2_049)})  # lowest bins whose first phases are given
    corrections: int = field(default=3, metadata={RANGE: (0, 16)})


REACH = 7  # frames that a convolution sees
LOUDEST = 1.0  # log of the largest magnitude of a bin, where 0 is a full-scale sine
SILENCE = 1e-7  # a magnitude that is as good as none
HOLES = 0.1  # least magnitude, as a share of that of an even spectrum within the bands
MOST = 3.0  # log of the largest factor by which a correction changes a bin


class Block(nn.Module):
    """ConvNeXt in one dimension (Liu et al. 2022) on [B, T, width]: each channel along time, then across channels."""

    def __init__(self, width: int, hidden: int, scale: float):
        super().__init__()
        # Conv2d with a side of 1: channels last needs no copy then, and it is twice as fast as Conv1d.
        self.along = nn.Conv2d(width, width, (1, REACH), padding=(0, REACH // 2), groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, x: Tensor) -> Tensor:
        y = self.along(x.transpose(1, 2).unsqueeze(2)).squeeze(2).transpose(1, 2)  # [B, T, width]
        return torch.addcmul(x, self.scale, self.down(F.gelu(self.up(self.norm(y)))))


class Vocoder(PretrainedModule):
    """Log-mel [B, bands, T] of :func:`mmgan.audio.mel.log_mel` -> waveform [B, T * hop], for any T from 1.

    ``forward`` is for training; :meth:`vocode` gives sounds that do not depend on their company.

    Raises:
        ValueError: sizes that do not fit together.
    """

    format, noun, section, config_class = "mmgan-vocoder", Message("models.noun_vocoder"), "vocoder", VocoderConfig

    def __init__(self, config: VocoderConfig = VocoderConfig()):
        super().__init__(config)
        audio, bins = config.audio, config.audio.window // 2 + 1
        if audio.window % audio.hop or audio.window < 2 * audio.hop:
            raise ValueError(f"a window of {audio.window} is not twice or more times the hop of {audio.hop}")
        self.phase_bins = min(config.phase_bins, bins)
        self.embed = nn.Linear(REACH * audio.bands + 2 * self.phase_bins, config.width)
        self.norm = nn.LayerNorm(config.width)
        self.blocks = nn.ModuleList(Block(config.width, config.hidden, 1 / config.blocks) for _ in range(config.blocks))
        self.last_norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, 2 * bins)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, mel: Tensor) -> Tensor:
        spectrum, wanted = self.spectrum(mel)
        waveform = self._inverse(spectrum)
        for _ in range(self.config.corrections):
            waveform = self._corrected(waveform, wanted)
        return waveform  # [B, T * hop]

    def spectrum(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """The spectrum before any correction, and what the mel wants.

        Args:
            mel: log-mel [B, bands, T].

        Returns:
            spectrum, complex [B, T+1, bins], in which a full-scale sine is 1.0; natural log-magnitudes [B, T+1, bands].
        """
        mel = torch.cat([mel, mel[..., -1:]], dim=2)  # [B, bands, T+1], with the frame that log_mel drops
        wanted = _log_magnitude(mel, self.config.audio)  # [B, T+1, bands]
        magnitude, phase = self.first_guess(mel, wanted)  # [B, T+1, bins] each
        low = phase[..., : self.phase_bins]
        around = F.pad(mel, (REACH // 2, REACH // 2)).unfold(2, REACH, 1).permute(0, 2, 3, 1).flatten(2)
        x = self.norm(self.embed(torch.cat([around, low.cos(), low.sin()], dim=2)))  # [B, T+1, width]
        for block in self.blocks:
            x = block(x)  # [B, T+1, width]
        change, turn = self.head(self.last_norm(x)).chunk(2, dim=2)  # [B, T+1, bins] each
        magnitude = (magnitude.log() + change).clamp(max=LOUDEST).exp()
        phase = phase + turn
        return torch.complex(magnitude * phase.cos(), magnitude * phase.sin()), wanted

    @torch.no_grad()
    def first_guess(self, mel: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Log-mel [B, bands, T] and its natural log-magnitudes [B, T, bands] -> magnitudes and phases [B, T, bins]."""
        audio = self.config.audio
        magnitude = mel_to_magnitude(mel.float(), audio, rounds=1).transpose(1, 2).contiguous()
        phases = first_phases(magnitude, audio)
        # Least squares leave holes in the spectrum; a bin in one would be hard to raise.
        smooth = wanted.exp() @ _shares(audio, str(mel.device))[1]
        return torch.maximum(magnitude, smooth).clamp_(min=SILENCE), phases

    @torch.no_grad()
    def vocode(self, mel: Tensor) -> Tensor:
        """Log-mel [B, bands, T] -> waveform [B, T * hop] in -1..1, each bit for bit as if computed alone.

        One clip at a time, because the rounding of a matrix product may depend on its number of rows and on where a row
        lies in memory. The hundreds of frames of one clip keep a core busy anyway.
        """
        sounds = [self._vocode_one(one.clone(memory_format=torch.contiguous_format)[None]) for one in mel]
        return torch.cat(sounds) if sounds else mel.new_zeros(0, mel.shape[2] * self.config.audio.hop)

    def _vocode_one(self, mel: Tensor) -> Tensor:
        """What ``forward`` computes, for [1, bands, T], in place: new memory for each step takes a tenth longer."""
        config, device = self.config.audio, str(mel.device)
        audio = dataclasses.replace(config, num_samples=mel.shape[2] * config.hop)
        window, filters, _ = filterbank(config, device)
        share, floor, scale = _shares(config, device)[0], _nepers(audio.floor_db), window.sum() / 2
        spectrum, wanted = self.spectrum(mel)
        spectrum.mul_(scale)
        wanted.clamp_(min=floor)
        magnitude = torch.empty_like(spectrum.real)
        overlap = Overlap(1, audio, magnitude)
        for _ in range(self.config.corrections):
            torch.mul(overlap.add(spectrum).unfold(1, audio.window, audio.hop), window, out=overlap.frames)
            torch.fft.rfft(overlap.frames, out=spectrum)
            torch.square(spectrum.real, out=magnitude).addcmul_(spectrum.imag, spectrum.imag).sqrt_()
            bands = (magnitude @ filters).div_(scale).clamp_(min=math.exp(floor)).log_()
            torch.matmul(torch.sub(wanted, bands, out=bands).clamp_(-MOST, MOST), share, out=magnitude)
            spectrum.mul_(magnitude.exp_())
        waveform = overlap.add(spectrum)[:, audio.window // 2 :][:, : audio.num_samples].clamp(-1, 1)
        return waveform.nan_to_num_(0.0)  # damaged weights give silence, never NaN

    def _corrected(self, waveform: Tensor, wanted: Tensor) -> Tensor:
        """Waveform [B, T * hop] and log-magnitudes wanted in the bands [B, T+1, bands] -> waveform nearer to them."""
        audio, device = self.config.audio, str(waveform.device)
        size, hop, floor = audio.window, audio.hop, _nepers(audio.floor_db)
        filters, (forward, _) = filterbank(audio, device)[1], _windows(audio, device)
        frames = F.pad(waveform, (size // 2, size // 2)).unfold(1, size, hop) * forward  # [B, T+1, window]
        spectrum = torch.fft.rfft(frames)  # [B, T+1, bins]
        magnitude = torch.addcmul(spectrum.real.square() + SILENCE**2, spectrum.imag, spectrum.imag).sqrt()
        lacking = wanted.clamp(min=floor) - (magnitude @ filters).log().clamp(min=floor)  # [B, T+1, bands]
        gain = (lacking.clamp(-MOST, MOST) @ _shares(audio, device)[0]).exp()  # [B, T+1, bins]
        return self._inverse(spectrum * gain)

    def _inverse(self, spectrum: Tensor) -> Tensor:
        """Spectrum [B, T+1, bins], frames centred at 0, hop, ... -> waveform [B, T * hop]: weighted overlap-add."""
        audio, count, device = self.config.audio, spectrum.shape[1], str(spectrum.device)
        frames = torch.fft.irfft(spectrum, n=audio.window) * _windows(audio, device)[1]  # [B, T+1, window]
        inside = slice(audio.window // 2, audio.window // 2 + (count - 1) * audio.hop)
        return _overlap_add(frames, audio.hop)[:, inside] * _overlap_scale(audio, count, device)[:, inside]


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)
def _shares(audio: AudioConfig, device: str) -> tuple[Tensor, Tensor]:
    """Each band's share in the correction of a bin, and in the least magnitude of a bin; [bands, bins] each."""
    filters = filterbank(audio, device)[1]
    share = (filters / filters.sum(1, keepdim=True).clamp(min=1e-6)).T.contiguous()
    return share, HOLES * share / filters.sum(0).clamp(min=1e-3)[:, None]


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)
def _windows(audio: AudioConfig, device: str) -> tuple[Tensor, Tensor]:
    """Windows [window] for the transform, after which a full-scale sine is 1.0 in its bin, and for its inverse."""
    window = filterbank(audio, device)[0]
    return window * (2 / window.sum()), window * (window.sum() / 2)


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)
def _overlap_scale(audio: AudioConfig, count: int, device: str) -> Tensor:
    """[1, samples of ``count`` frames]: the factor that undoes the sum of overlapping windows."""
    window = filterbank(audio, device)[0]
    return 1 / _overlap_add(window.square().expand(1, count, -1), audio.hop).clamp(min=1e-6)


def _nepers(decibel):
    """Decibels -> natural logarithm of the magnitude."""
    return decibel * (math.log(10) / 20)


def _log_magnitude(mel: Tensor, audio: AudioConfig) -> Tensor:
    """Log-mel [B, bands, T] -> natural log of the bands' magnitudes [B, T, bands]; the floor is silence."""
    decibel = (mel.transpose(1, 2) * HALF_RANGE_DB + CENTER_DB).clamp(max=20.0)
    return _nepers(decibel.masked_fill(decibel <= audio.floor_db + 0.5, -200.0))


def _overlap_add(frames: Tensor, hop: int) -> Tensor:
    """[B, T, window] -> [B, (T - 1) * hop + window]."""
    pieces = frames.unflatten(2, (-1, hop))  # [B, T, P, hop]
    rows, frames_, count, _ = pieces.shape
    blocks = pieces.new_zeros(rows, frames_ + count - 1, hop)
    for p in range(count):
        blocks[:, p : p + frames_] += pieces[:, :, p]
    return blocks.flatten(1)
