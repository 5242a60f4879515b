"""What to take of a recording that is longer than a clip."""

from __future__ import annotations

import numpy as np

CLIP_SAMPLES = 16_384  # 1.024 s at 16 kHz, what a model hears at once
MOST_PIECES = 12
QUIET = 0.1  # a piece counts as empty if its root mean square is below this share of the loudest one's


def loudest_part(waveform: np.ndarray, num_samples: int) -> np.ndarray:
    """Float32 [n] -> at most [num_samples]: the first window within 1 % of the largest energy."""
    if len(waveform) <= num_samples:
        return waveform
    energy = np.concatenate([[0.0], np.cumsum(np.square(waveform, dtype=np.float64))])
    starts = np.unique(np.append(np.arange(0, len(waveform) - num_samples, 64), len(waveform) - num_samples))
    windows = energy[starts + num_samples] - energy[starts]
    start = starts[np.argmax(windows >= 0.99 * windows.max())]
    return waveform[start : start + num_samples]


def cut_pieces(waveform: np.ndarray, num_samples: int = CLIP_SAMPLES, most: int = MOST_PIECES) -> list[np.ndarray]:
    """Float32 [n] -> its pieces of [num_samples] one after another, without those in which nothing happens.

    Of more than ``most``, those of the most energy; a last piece shorter than half is left out.
    """
    pieces = [waveform[i : i + num_samples] for i in range(0, len(waveform), num_samples)]
    pieces = [piece for i, piece in enumerate(pieces) if i == 0 or len(piece) >= num_samples // 2]
    loud = [float(np.sqrt(np.square(piece, dtype=np.float64).mean())) if len(piece) else 0.0 for piece in pieces]
    order = sorted(range(len(pieces)), key=lambda i: -loud[i])[:most]
    kept = [i for i in sorted(order) if loud[i] >= QUIET * max(loud, default=0.0)]
    return [pieces[i] for i in kept]
