"""Where the digits' files are: ``$MMGAN_DATA/digits``, else the user's cache, else the internet, once.

Four npz files without pickles. ``train60k`` and ``t10k`` hold images uint8 [N, 28, 28] and labels uint8 [N];
``fsdd_train`` (takes 5-49) and ``fsdd_test`` (takes 0-4) hold audio int16 [M, 8000] at 8 kHz, length [M] and label [M].

MNIST: Yann LeCun and Corinna Cortes, from NIST data, commonly stated to be CC BY-SA 3.0.
Free Spoken Digit Dataset: Zohar Jackson and contributors, CC BY-SA 4.0.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
import soundfile

from ...errors import DataError
from ...system.download import DownloadError, fetch
from ...system.locks import file_lock

IMAGE_FILES = {"train": "train60k.npz", "test": "t10k.npz"}
SOUND_FILES = {"train": "fsdd_train.npz", "test": "fsdd_test.npz"}
CLIP_RATE, CLIP_SAMPLES = 8_000, 8_000  # Hz, and one second: the few longer clips lose their fading end
TEST_TAKES = 5  # of each digit and speaker, as the recordings' own README splits them

MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MNIST_FILES = {  # split: images and labels, each with its published MD5
    "train": {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    },
    "test": {
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
}
FSDD_COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
FSDD_URL = f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{FSDD_COMMIT}.zip"
# The server may repack the archive, so its content is checked: the SHA-256 of each split's ``audio``.
# test_published_recordings in tests/data/digits/test_digits.py holds these against the data.
FSDD_SHA256 = {
    "train": "fa44fa95088c75984f9adbc2a83107daf83b316883abdd43215157fc789062aa",
    "test": "2062f7f248771933948bc8ea0b2c5eb2de9c9f858b32ec792c0d73a75111d5fc",
}
UNREADABLE = (  # all that numpy, gzip, zipfile and soundfile raise on damaged files
    OSError, ValueError, KeyError, IndexError, EOFError, AttributeError, TypeError, NotImplementedError, zlib.error,
    zipfile.BadZipFile, soundfile.SoundFileError,
)  # fmt: skip


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/mmgan/digits``, by default ``~/.cache/mmgan/digits``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mmgan" / "digits"


def _folders() -> list[Path]:
    """Where the files may be, the preferred folder first."""
    given = [Path(os.environ["MMGAN_DATA"]) / "digits"] if os.environ.get("MMGAN_DATA") else []
    return [*given, cache_folder()]


def present(split: str = "train") -> bool:
    """Whether the split is on this machine, so that it can be used without the network."""
    names = (IMAGE_FILES[split], SOUND_FILES[split])
    return all(any((folder / name).is_file() for folder in _folders()) for name in names)


def fetch_all() -> list[Path]:
    """All four files, downloaded where they are absent. Raises DataError as :func:`find` does."""
    return [find(name) for name in (*IMAGE_FILES.values(), *SOUND_FILES.values())]


def find(name: str) -> Path:
    """The file ``name`` in ``$MMGAN_DATA/digits`` or the cache, downloaded if it is in neither.

    Raises:
        DataError: it is absent and cannot be downloaded.
    """
    for folder in _folders():
        if (folder / name).is_file():
            return folder / name
    try:
        return download(name, cache_folder())
    except DownloadError as error:
        raise DataError("digits.absent", reason=error.reason) from error


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
        raise DataError("digits.no_split", split=split)
    return names[split]


def _read(path: Path, *keys: str) -> list[np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [arrays[key] for key in keys]
    except UNREADABLE as error:
        raise _broken(path) from error


def _checked_labels(path: Path, labels: np.ndarray, count: int) -> np.ndarray:
    if labels.shape != (count,) or labels.dtype != np.uint8 or set(np.unique(labels)) != set(range(10)):
        raise _broken(path)
    return labels


def _broken(path: Path) -> DataError:
    return DataError("digits.broken", path=path)


def download(name: str, folder: Path) -> Path:
    """Fetches what the npz file ``name`` is made of, packs it into ``folder`` and returns its path.

    Raises:
        DownloadError: no connection, or not the published data.
        DataError: ``folder`` cannot be written.
    """
    raw = folder / "downloads"
    try:
        raw.mkdir(parents=True, exist_ok=True)
        lock = file_lock(folder / "digits.lock")  # of several processes one downloads, the others wait
    except OSError as error:
        raise DataError("digits.cache_closed", path=folder) from error
    with lock:
        if (folder / name).is_file():
            return folder / name
        split = next((split for split, file in IMAGE_FILES.items() if file == name), None)
        if split:
            parts = [
                fetch([m + gz for m in MNIST_MIRRORS], raw / gz, md5=md5) for gz, md5 in MNIST_FILES[split].items()
            ]
            packed = {name: dict(zip(("images", "labels"), map(read_idx, parts), strict=True))}
        else:
            parts = [fetch(FSDD_URL, raw / f"fsdd-{FSDD_COMMIT}.zip")]
            packed = _published_sounds(parts[0])
        for file, arrays in packed.items():
            _write(folder / file, arrays)
        for part in parts:
            part.unlink(missing_ok=True)
        return folder / name


def read_idx(path: Path) -> np.ndarray:
    """A gzipped IDX file of bytes, as MNIST is published -> uint8 array of the shape it states.

    Raises:
        DataError: not such a file, or cut short.
    """
    try:
        with gzip.open(path) as file:
            magic = file.read(4)
            shape = tuple(int.from_bytes(file.read(4), "big") for _ in range(magic[3]))
            if magic[:3] != b"\0\0\x08":
                raise ValueError("not bytes")
            return np.frombuffer(file.read(), np.uint8).reshape(shape)
    except UNREADABLE as error:
        raise _broken(path) from error


def pack_sounds(archive: Path) -> dict[str, dict[str, np.ndarray]]:
    """The recordings' zip, ``.../recordings/{digit}_{speaker}_{take}.wav`` -> the arrays of "train" and of "test".

    Sorted by digit, speaker, take; each clip is cut or padded with silence at its end to 8,000 samples.

    Raises:
        DataError: not a zip, without recordings of both splits, or one of them is not 8 kHz mono.
    """
    clips = {}
    try:
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                match = re.search(r"/recordings/([0-9])_([a-z]+)_([0-9]{1,2})\.wav$", info.filename)
                if match:
                    clips[int(match[1]), match[2], int(match[3])] = _read_clip(file, info)
    except UNREADABLE as error:
        raise _broken(archive) from error
    speakers = sorted({speaker for _, speaker, _ in clips})
    packed = {}
    for split in SOUND_FILES:
        keys = sorted(key for key in clips if (key[2] < TEST_TAKES) == (split == "test"))
        if not keys:
            raise _broken(archive)
        cut = [clips[key][:CLIP_SAMPLES] for key in keys]
        packed[split] = {
            "audio": np.stack([np.pad(clip, (0, CLIP_SAMPLES - len(clip))) for clip in cut]),
            "length": np.array([len(clip) for clip in cut], np.uint16),
            "label": np.array([digit for digit, _, _ in keys], np.uint8),
            "speaker": np.array([speakers.index(speaker) for _, speaker, _ in keys], np.uint8),
            "speaker_names": np.array(speakers),
            "index": np.array([take for _, _, take in keys], np.uint8),
        }
    return packed


def _published_sounds(archive: Path) -> dict[str, dict[str, np.ndarray]]:
    """What :func:`pack_sounds` gives, by file name; an archive with anything else in it is removed."""
    try:
        packed = pack_sounds(archive)
        wrong = [s for s in packed if hashlib.sha256(packed[s]["audio"].tobytes()).hexdigest() != FSDD_SHA256[s]]
        if wrong:
            raise DataError("digits.other_recordings", path=archive)
    except DataError as error:
        archive.unlink(missing_ok=True)
        raise DownloadError("recordings_damaged") from error
    return {SOUND_FILES[split]: arrays for split, arrays in packed.items()}


def _read_clip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    if info.file_size > 1 << 20:
        raise ValueError("far too long for a spoken digit")
    samples, rate = soundfile.read(io.BytesIO(archive.read(info)), dtype="int16")
    if rate != CLIP_RATE or samples.ndim != 1:
        raise ValueError("not 8 kHz mono")
    return samples


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes an npz under another name first, so that a kill leaves no half file."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's stub takes them for an option
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError("digits.cache_full", path=path) from error
