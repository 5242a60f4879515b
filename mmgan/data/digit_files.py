"""Where the digits' files are: ``$MMGAN_DATA/digits``, else the user's cache, else the internet, once.

Four npz files without pickles. ``train60k`` and ``t10k`` hold images uint8 [N, 28, 28] and labels uint8 [N];
``fsdd_train`` (takes 5-49) and ``fsdd_test`` (takes 0-4) hold audio int16 [M, 8000] at 8 kHz, length [M] and label [M].
"""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ..errors import DataError

IMAGE_FILES = {"train": "train60k.npz", "test": "t10k.npz"}
SOUND_FILES = {"train": "fsdd_train.npz", "test": "fsdd_test.npz"}
CLIP_SAMPLES = (
    8_000  # one second at 8 kHz; 20 of 3,000 clips are longer and are cut, which loses 0.003 % of their energy
)


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/mmgan/digits``, by default ``~/.cache/mmgan/digits``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mmgan" / "digits"


def find(name: str) -> Path:
    """The file ``name`` in ``$MMGAN_DATA/digits`` or the cache, downloaded if it is in neither.

    Raises:
        DataError: absent and not to be had.
    """
    folders = [Path(os.environ["MMGAN_DATA"]) / "digits"] if os.environ.get("MMGAN_DATA") else []
    for folder in (*folders, cache_folder()):
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        "The digits are not on this machine; run this once with internet, "
        "or set MMGAN_DATA to a folder that has digits/."
    )


def load_images(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 [N, 28, 28] and their digits uint8 [N] of split "train" or "test"."""
    path = find(_file(IMAGE_FILES, split))
    images, labels = _read(path, "images", "labels")
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise _broken(path)
    return images, _checked_labels(path, labels, len(images))


def load_sounds(split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clips int16 [M, 8000] at 8 kHz, their valid samples int64 [M] and their digits uint8 [M]."""
    path = find(_file(SOUND_FILES, split))
    audio, lengths, labels = _read(path, "audio", "length", "label")
    if audio.dtype != np.int16 or audio.ndim != 2 or lengths.shape != (len(audio),) or lengths.dtype.kind not in "ui":
        raise _broken(path)
    if not len(audio) or lengths.min() < 1 or lengths.max() > audio.shape[1]:
        raise _broken(path)
    return audio, lengths.astype(np.int64), _checked_labels(path, labels, len(audio))


def _file(names: dict[str, str], split: str) -> str:
    if split not in names:
        raise DataError(f"The digits have no split {split!r}; choose train or test.")
    return names[split]


def _read(path: Path, *keys: str) -> list[np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [arrays[key] for key in keys]
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        AttributeError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise _broken(path) from error


def _checked_labels(path: Path, labels: np.ndarray, count: int) -> np.ndarray:
    if labels.shape != (count,) or labels.dtype != np.uint8 or set(np.unique(labels)) != set(range(10)):
        raise _broken(path)
    return labels


def _broken(path: Path) -> DataError:
    return DataError(f"{path} is broken; delete it, and it will be fetched again.")
