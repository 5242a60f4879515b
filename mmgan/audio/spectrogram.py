"""A log-mel as a picture: time to the right, pitch upwards, brighter is louder."""

from __future__ import annotations

import numpy as np
from PIL import Image

# Nine stops of matplotlib's "magma" (Smith and van der Walt 2015, CC0): equal steps of loudness look equally large.
STOPS = ("000004", "1d1147", "51127c", "832681", "b73779", "e65164", "fc8961", "fec287", "fcfdbf")
QUIETEST, LOUDEST = -1.0, 0.75  # the floor, and a full-scale sine, on the scale of mmgan.audio.mel


def _table() -> np.ndarray:
    """uint8 [256, 3]: the stops, interpolated."""
    stops = np.array([[int(stop[i : i + 2], 16) for i in (0, 2, 4)] for stop in STOPS])
    place = np.linspace(0, len(STOPS) - 1, 256)
    return (
        np.stack([np.interp(place, np.arange(len(STOPS)), stops[:, c]) for c in range(3)], 1).round().astype(np.uint8)
    )


COLOURS = _table()


def spectrogram_image(mel: np.ndarray, scale: int = 2, palette: bool = False) -> Image.Image:
    """Log-mel [bands, T] (array or tensor) -> RGB picture of ``T * scale`` by ``bands * scale`` pixels.

    With ``palette`` the picture has the same colours in mode P, of which a PNG is written three times as fast.
    """
    level = (np.asarray(mel, dtype=np.float32) - QUIETEST) / (LOUDEST - QUIETEST)
    level = np.nan_to_num(level, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    picture = Image.fromarray((level[::-1] * 255).round().astype(np.uint8))
    picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    picture.putpalette(COLOURS.tobytes())
    return picture if palette else picture.convert("RGB")
