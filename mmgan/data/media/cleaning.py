"""Samples as files hold them -> samples to learn from. Every sound passes here, wherever it comes from."""

from __future__ import annotations

import numpy as np

from ...errors import DataError
from ...language import Message
from .decoding import UNREADABLE

# What was mended; each sentence goes on after the file's name.
REPAIRS = {kind: Message(f"media.repaired_{kind}") for kind in ("broken", "scaled", "offset")}
OVER = 2.0  # no decoder overshoots so far: the scale is another one, or the sample is broken
FEW = 1_000  # of so many samples one may be broken; more, and the scale is another one
SCALES = (2.0**15, 2.0**23, 2.0**31)  # full scale of whole numbers
NARROW = 2.0**-16  # peak of 16-bit numbers in 32 bits
OFFSET = 0.02  # of full scale; both mean and median must exceed it, since one-sided sounds have such a mean
LEAST = 2_000  # samples; fewer may be part of one slow wave
LOOK = 100_000  # samples by which all are judged
TINY = 1e-20  # smaller numbers soon become denormal, which is slow
CANCELLED = 0.1  # energy of a mix as a share of the loudest channel's; below, the channels cancel out


def clean(samples: np.ndarray) -> tuple[np.ndarray, str]:
    """Finite, centred and within -1..1, with nothing changed in samples that are so.

    Args:
        samples: float32 [n, channels], which may be overwritten.

    Returns:
        The samples, and which of ``REPAIRS`` a person should know of ("" for none).

    Raises:
        DataError: most of the samples are no numbers.
    """
    if not samples.size:
        return samples, ""
    samples = samples if samples.flags.writeable else samples.copy()
    repaired = _replace_broken(samples)
    repaired = _scale(samples) or repaired
    mean = samples.mean(axis=0, dtype=np.float64)
    middle = np.median(samples[:: 1 + len(samples) // LOOK], axis=0)
    moved = (len(samples) > LEAST) & (np.minimum(abs(mean), abs(middle)) > OFFSET) & (mean * middle > 0)
    if moved.any():
        samples -= np.where(moved, mean, 0).astype(np.float32)
        repaired = repaired or "offset"
    peak = _peak(samples)
    if peak > 1:  # MP3 decoders overshoot a little, which needs no mention
        samples /= np.float32(peak)
    elif peak < TINY:
        samples[:] = 0
    return samples, repaired


def mono(samples: np.ndarray) -> np.ndarray:
    """Float32 [n, channels] -> [n]: the mean, or the loudest channel where the channels cancel each other out."""
    if samples.shape[1] == 1 or not len(samples):
        return samples[:, 0] if samples.shape[1] else np.zeros(0, np.float32)
    mix = samples.mean(axis=1)
    energy = np.array([np.dot(channel, channel) for channel in samples.T])
    loudest = int(energy.argmax())
    return samples[:, loudest].copy() if np.dot(mix, mix) < CANCELLED * energy[loudest] else mix


def _peak(samples: np.ndarray) -> float:
    return float(max(samples.max(), -samples.min()))


def _replace_broken(samples: np.ndarray) -> str:
    """Infinities and a few far outliers become as loud as the loudest other number, NaN becomes silence."""
    repaired = ""
    if not (np.isfinite(samples.max()) and np.isfinite(samples.min())):
        finite = np.isfinite(samples)
        if finite.mean() < 0.5:
            raise DataError(UNREADABLE["sound"])
        loudest = float(np.abs(samples[finite]).max())
        np.nan_to_num(samples, copy=False, nan=0.0, posinf=loudest, neginf=-loudest)
        repaired = "broken"
    if _peak(samples) > OVER:
        level = np.abs(samples)
        far = level > OVER
        bound = float(level[~far].max(initial=0.0))
        if far.sum() <= max(1, samples.size // FEW) and bound > 0 and not _whole(samples[~far]):
            np.clip(samples, -bound, bound, out=samples)
            repaired = "broken"
    return repaired


def _scale(samples: np.ndarray) -> str:
    """Scales down floats that hold whole numbers of 16, 24 or 32 bits, and scales up 16-bit numbers in 32 bits."""
    peak = _peak(samples)
    if peak > OVER:
        full = next((scale for scale in SCALES if peak <= scale), peak) if _whole(samples) else peak
    elif 2.0**-23 <= peak <= NARROW and _whole(samples * 2.0**31) and not _whole(samples * 2.0**23):
        full = NARROW
    else:
        return ""
    samples /= np.float32(full)
    return "scaled"


def _whole(samples: np.ndarray) -> bool:
    """Whether the numbers are whole."""
    some = samples.reshape(-1)[:: 1 + samples.size // LOOK]
    some = some[some != 0]
    return len(some) > 0 and float((some == np.round(some)).mean()) > 0.99
