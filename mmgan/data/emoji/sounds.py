"""ESC-10's recordings, as far as they are here, beside the things that make such sounds.

``$MMGAN_DATA/sounds/esc10.npz`` holds windows of 1.024 s: audio int16 [N, 16384] at 16 kHz, n_valid [N], label [N] into
label_names, and split "train" or "test" by recording. ESC-10: K. J. Piczak, ESC: Dataset for Environmental Sound
Classification, ACM Multimedia 2015; recordings of Freesound, each under CC0, CC BY 3.0 or CC Sampling+ 1.0.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ...errors import DataError

FILE, SAMPLING_RATE = "esc10.npz", 16_000
OF = {  # class: hexcode
    "dog bark": "1F415", "rooster": "1F413", "rain": "1F327", "sea waves": "1F30A", "baby cry": "1F476",
    "clock tick": "1F570", "person sneeze": "1F927", "helicopter": "1F681", "chainsaw": "1FA9A",
    "fire crackling": "1F525",
}  # fmt: skip
UNREADABLE = (OSError, ValueError, KeyError, IndexError, EOFError, zlib.error, zipfile.BadZipFile)


def load_sounds(split: str) -> tuple[np.ndarray, list[str]]:
    """Clips int16 [N, samples] at 16 kHz, silent behind their end, and their things' hexcodes.

    None where the file is absent.

    Raises:
        DataError: the file is broken.
    """
    path = Path(os.environ.get("MMGAN_DATA") or "") / "sounds" / FILE
    if not os.environ.get("MMGAN_DATA") or not path.is_file():
        return np.zeros((0, 0), np.int16), []
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = arrays["label_names"][arrays["label"]]
            chosen = (arrays["split"] == split) & np.isin(names, list(OF))
            clips, valid = arrays["audio"][chosen], arrays["n_valid"][chosen]
            if clips.dtype != np.int16 or clips.ndim != 2 or valid.shape != (len(clips),):
                raise ValueError("other arrays")
    except UNREADABLE as error:
        raise DataError("emoji.broken", path=path) from error
    return np.where(np.arange(clips.shape[1]) < valid[:, None], clips, 0), [OF[name] for name in names[chosen]]
