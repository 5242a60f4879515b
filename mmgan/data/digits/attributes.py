"""Measured properties of handwritten and spoken digits: stroke thickness, slant, speaking time.

They make the captions of :mod:`mmgan.data.digits.dataset` true, and they measure whether a generated digit does what
its prompt said. Pictures are white ink on black, as in MNIST.
"""

from __future__ import annotations

import numpy as np

FRAME_SECONDS = 0.01
ACTIVE_DB = 35.0  # a frame up to this far below the loudest one is speech; quieter is background
FAINT = 1 / 16  # of full ink: below, a pixel is background (generated pictures are never exactly black)
_CHUNK = 4_096  # pictures measured at once, so that 60,000 need no gigabyte


def _in_chunks(measure, images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    parts = [measure(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _ink(images: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W] -> float32 [N, H, W], 0 background .. 1 ink."""
    ink = images.astype(np.float32) / 255
    return ((ink - FAINT) / (1 - FAINT)).clip(0, 1)


def measure_thickness(images: np.ndarray) -> np.ndarray:
    """Mean stroke thickness of uint8 [N, H, W] -> float32 [N], in pixels; an empty picture measures 0.

    A stroke of length L and thickness t covers L * t and has an outline of 2 * L, so twice the area over the outline is
    t. Both are taken over all grey levels at once: the area is the sum of the ink, the outline its total variation
    (coarea formula; Rudin, Osher and Fatemi 1992), so that no threshold has to be chosen. It ranks MNIST as the
    skeleton-based thickness of Morpho-MNIST (Castro et al., JMLR 2019) does; tests/data/digits/test_digits.py compares
    them.
    """

    def measure(chunk):
        ink = np.pad(_ink(chunk), ((0, 0), (0, 1), (0, 1)))
        across = ink[:, :-1, 1:] - ink[:, :-1, :-1]
        down = ink[:, 1:, :-1] - ink[:, :-1, :-1]
        outline = np.sqrt(across**2 + down**2).sum(axis=(1, 2))
        return (2 * ink.sum(axis=(1, 2)) / np.maximum(outline, 1e-6)).astype(np.float32)

    return _in_chunks(measure, images)


def measure_slant(images: np.ndarray) -> np.ndarray:
    """Slant of uint8 [N, H, W] -> float32 [N], in radians from the vertical, positive = leaning right.

    ``atan(-u11 / u02)`` of the central intensity moments, as in Morpho-MNIST (Castro et al., JMLR 2019); an empty
    picture measures 0.
    """

    def measure(chunk):
        ink = _ink(chunk).astype(np.float64)
        rows, columns = ink.sum(axis=2), ink.sum(axis=1)  # [N, H], [N, W]
        mass = np.maximum(rows.sum(axis=1, keepdims=True), 1e-6)
        y = np.arange(ink.shape[1]) - (rows @ np.arange(ink.shape[1]))[:, None] / mass  # [N, H] from the centre
        x = np.arange(ink.shape[2]) - (columns @ np.arange(ink.shape[2]))[:, None] / mass  # [N, W]
        u11 = np.einsum("ny,ny->n", y, np.einsum("nyx,nx->ny", ink, x))
        u02 = (rows * y**2).sum(axis=1)
        return np.arctan2(-u11, np.maximum(u02, 1e-6)).astype(np.float32)

    return _in_chunks(measure, images)


def measure_duration(waveforms: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Speaking time of float [N, samples] (padded with silence) -> float32 [N], in seconds.

    From the first to the last frame of 10 ms whose level is within 35 dB of the clip's loudest; silence measures 0.
    """
    waveforms = np.asarray(waveforms, dtype=np.float32)
    frame = round(FRAME_SECONDS * sampling_rate)
    frames = waveforms[:, : waveforms.shape[1] // frame * frame].reshape(len(waveforms), -1, frame)
    power = (frames**2).mean(axis=2)  # [N, frames]
    loudest = power.max(axis=1, keepdims=True)
    active = (power >= loudest * 10 ** (-ACTIVE_DB / 10)) & (loudest > 1e-10)
    first, last = active.argmax(axis=1), active.shape[1] - 1 - active[:, ::-1].argmax(axis=1)
    return np.where(active.any(axis=1), (last - first + 1) * FRAME_SECONDS, 0).astype(np.float32)
