"""Sounds: rows are log-mels [bands, frames] on the scale of :mod:`mmgan.audio.mel`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image
import soundfile
import torch
from torch import Tensor

from ...audio.griffin_lim import vocode
from ...audio.mel import CENTER_DB, HALF_RANGE_DB, log_mel
from ...audio.spectrogram import spectrogram_image
from ...audio.waveform import SOURCE_RATE, fit_length, resample
from ...config import AudioModelConfig, ModelConfig
from ..maps import MapCritic, MapSynthesis
from .augment import Allowed, Plan, augment_mel
from .base import Modality, side_by_side

if TYPE_CHECKING:
    from ...data.base import Dataset, Row


class MelSynthesis(MapSynthesis):
    """w [B, style_dim] -> log-mel [B, bands, T]."""

    def forward(self, w: Tensor) -> Tensor:
        return super().forward(w).squeeze(1)


class MelCritic(MapCritic):
    """Log-mel [B, bands, T] -> features [B, critic_features]."""

    def features(self, x: Tensor) -> Tensor:
        return super().features(x.unsqueeze(1))


class Audio(Modality[AudioModelConfig]):
    # Half precision is exact to 0.0005 in -1..1, 0.02 dB.
    name, config, stored = "audio", AudioModelConfig, torch.float16

    def shape(self, section: AudioModelConfig) -> tuple[int, ...]:
        return section.shape[1:]

    def synthesis(self, model: ModelConfig, section: AudioModelConfig) -> MelSynthesis:
        return MelSynthesis(model, section)

    def critic(self, model: ModelConfig, section: AudioModelConfig) -> MelCritic:
        return MelCritic(model, section)

    def count(self, dataset: Dataset) -> int:
        return dataset.num_sounds

    def place(self, row: Row) -> int | None:
        return row.sound

    def concept(self, dataset: Dataset, index: int) -> str:
        return dataset.sound_concept(index)

    def load(self, dataset: Dataset, indices: Sequence[int], section: AudioModelConfig) -> Tensor:
        sounds = [fitted(dataset.sound(i), section) for i in indices]
        return log_mel(torch.from_numpy(np.stack(sounds)), section)

    def absent(self, section: AudioModelConfig) -> float:
        return (section.floor_db - CENTER_DB) / HALF_RANGE_DB  # silence

    def augment(self, rows: Tensor, plan: Plan, p: float, allowed: Allowed) -> Tensor:
        return augment_mel(rows, plan, p, allowed)

    def maps(self, rows: Tensor) -> Tensor:
        return rows.unsqueeze(1)

    def preview(self, row: Tensor) -> PIL.Image.Image:
        return spectrogram_image(row.numpy(), 1)

    def strip(
        self, rows: Tensor, section: AudioModelConfig, dataset: Dataset | None = None, places: Sequence = ()
    ) -> dict[str, bytes]:
        if dataset is None:
            clips = vocode(rows, section).numpy()
        else:  # real sounds are played as they are
            silence = np.zeros(section.num_samples, np.float32)
            clips = np.stack([silence if i is None else fitted(dataset.sound(i), section) for i in places])
        sound = io.BytesIO()  # FLAC: lossless, half of a WAV, and no padding, so that clip k starts at k clips' time
        samples = clips.reshape(-1).clip(-1, 1)
        soundfile.write(sound, samples, section.sampling_rate, format="FLAC", subtype="PCM_16")
        return {".flac": sound.getvalue(), "-mel.png": side_by_side([self.preview(row) for row in rows])}


def fitted(sound: np.ndarray, section: AudioModelConfig) -> np.ndarray:
    """A dataset's sound, float32 [n] at 16 kHz -> float32 [num_samples] at the section's rate."""
    return fit_length(resample(sound, SOURCE_RATE, section.sampling_rate), section.num_samples)
