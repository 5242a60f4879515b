"""Waveforms as arrays: their length, loudness and sampling rate, and writing them as WAV.

Files of any kind are read by :mod:`mmgan.data.media.sounds`.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio

BLOCK, AROUND = 1 << 20, 2_048  # samples resampled at once; samples beyond either end that the filter reaches

SOURCE_RATE = 16_000  # Hz, of every sound that a dataset gives


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
