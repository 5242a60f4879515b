"""One file, looked at closely: what it is, how it looks or sounds in small, and what a person should know of it."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass

import numpy as np
import soundfile
from PIL import Image

from ..audio import resample
from ..errors import DataError
from .archive import UNREADABLE, open_picture
from .limits import Limits
from .loader import SOURCE_RATE, upright

THUMBNAIL = 112  # pixels of a thumbnail's longer side
PEAKS = 64  # columns of a small waveform
UNKNOWN = 2**63 - 1  # frames, of a FLAC that was written to a pipe
RATES = (2_000, 384_000)  # Hz, of a sound file
SILENT = 1e-4  # peak; 80 dB below full scale
FAINT = 3e-3  # peak; 50 dB below full scale, little more than the noise of a microphone
SHORTEST = 0.05  # seconds; a click
CLIPPED_LEVEL, CLIPPED_RUN, CLIPPED_SHARE = 0.985, 3, 0.002  # so loud, so many in a row, so large a share of the clip
SMALLEST = 8  # pixels of a picture's shorter side
SOUND_SUFFIXES = {"WAV": ".wav", "WAVEX": ".wav", "RF64": ".wav", "FLAC": ".flac", "OGG": ".ogg"}
SIGNS = (  # how files begin that people rename, or that try to pass for something else
    (b"PK\x03\x04", "a zip or an office document"), (b"Rar!", "a RAR archive"), (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"MZ", "a Windows program"), (b"\x7fELF", "a program"), (b"%PDF", "a PDF"), (b"<", "a web page"),
    (b"#!", "a script"),
    (b"\x89PNG", "a PNG picture"), (b"\xff\xd8\xff", "a JPEG picture"), (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"), (b"RIFF", "a WAV sound"), (b"fLaC", "a FLAC sound"),
    (b"OggS", "an OGG sound"), (b"ID3", "an MP3 sound"),
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """What :func:`examine_picture` finds; sizes in pixels, upright."""

    suffix: str  # by what the file is, whatever it was called
    width: int
    height: int
    thumbnail: bytes  # JPEG


@dataclass(frozen=True)
class Sound:
    """What :func:`examine_sound` finds."""

    suffix: str
    seconds: float
    rate: int  # Hz, of the file
    channels: int
    peak: float  # 0..1
    clipped: float  # share of samples in flattened peaks
    peaks: list[int]  # [PEAKS], 0..100: the loudest sample in each column of a small waveform, the loudest of all 100


def examine_picture(data: bytes, limits: Limits = Limits()) -> Picture:
    """Raises DataError where it cannot be used, with a sentence that goes on after the file's name."""
    try:
        image = open_picture(data, limits, draft=THUMBNAIL)
        kind = image.format or "PNG"
        width, height = _full_size(data, image)
        small = upright(image)
    except DataError as error:
        raise DataError(_with_sign(data, str(error), picture=True)) from error
    if (small.width > small.height) != (width > height):
        width, height = height, width  # turned by its EXIF orientation
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    suffix = {"JPEG": ".jpg", "MPO": ".jpg"}.get(kind, f".{kind.lower()}")
    return Picture(suffix, width, height, buffer.getvalue())


def _full_size(data: bytes, image: Image.Image) -> tuple[int, int]:
    """Width and height of the file: a JPEG decoded in draft tells its reduced size."""
    if image.format != "JPEG":
        return image.size
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as header:
        return header.size


def examine_sound(data: bytes, limits: Limits = Limits()) -> tuple[Sound, np.ndarray]:
    """What the file is, and its waveform: mono float32 [n] at 16 kHz. Raises DataError as :func:`examine_picture`."""
    try:
        info = _sound_header(data, limits)
        samples, waveform = _read(data, info.samplerate)
    except DataError as error:
        raise DataError(_with_sign(data, str(error), picture=False)) from error
    level, loud = np.abs(waveform), np.abs(samples).max(axis=1) if samples.size else np.zeros(0)
    peak = float(level.max()) if len(level) else 0.0
    edges = np.linspace(0, len(level), PEAKS + 1).astype(int)
    columns = [float(level[a:b].max()) if b > a else 0.0 for a, b in itertools.pairwise(edges)]
    suffix = ".mp3" if "MPEG" in info.format or "MPEG" in info.subtype else SOUND_SUFFIXES.get(info.format, ".wav")
    sound = Sound(
        suffix, len(waveform) / SOURCE_RATE, info.samplerate, info.channels, peak, _clipped_share(loud),
        [round(100 * column / peak) if peak > SILENT else 0 for column in columns],
    )  # fmt: skip
    return sound, waveform


def decode_sound(data: bytes, limits: Limits = Limits()) -> np.ndarray:
    """WAV, FLAC, OGG or MP3 bytes -> mono float32 [n] at 16 kHz.

    Raises:
        DataError: not a sound, or longer than ``limits`` allow (seen in the header, before decoding).
    """
    return _read(data, _sound_header(data, limits).samplerate)[1]


def _read(data: bytes, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Float32 [n, channels] as in the file, and mono [n'] at 16 kHz."""
    try:
        samples = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0]
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        raise DataError(UNREADABLE["sound"]) from error
    samples = np.nan_to_num(samples)
    return samples, resample(samples.mean(axis=1), rate, SOURCE_RATE)


def _sound_header(data: bytes, limits: Limits):
    try:
        info = soundfile.info(io.BytesIO(data))
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        raise DataError(UNREADABLE["sound"]) from error
    if not RATES[0] <= info.samplerate <= RATES[1]:
        raise DataError(f"the sound has a rate of {info.samplerate:,} Hz; save it again with 16,000 to 48,000 Hz.")
    if info.frames >= UNKNOWN:
        raise DataError("the file does not say how long its sound is; open it in a sound editor and save it again.")
    if info.frames * info.channels > limits.samples or info.frames > limits.seconds * info.samplerate:
        # A header of a few bytes can promise gigabytes.
        raise DataError(f"the sound is longer than {limits.seconds / 60:.0f} minutes; cut it into shorter clips.")
    return info


def _clipped_share(level: np.ndarray) -> float:
    """Share of samples in runs of ``CLIPPED_RUN`` or more at the very top, where a recording was too loud."""
    if not len(level) or level.max() <= 0.95:  # a quiet file may have been clipped earlier; who can tell
        return 0.0
    top = level >= CLIPPED_LEVEL * level.max()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], top.astype(np.int8), [0]])))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= CLIPPED_RUN].sum() / len(level))


def _with_sign(data: bytes, sentence: str, picture: bool) -> str:
    """Says what the file is inside, where that is another kind of thing than its name promises."""
    if not data:
        return "the file is empty; add it again."
    for sign, what in SIGNS:
        if data.startswith(sign):
            if "cannot be read" in sentence and ("picture" if picture else "sound") not in what:
                return f"the file is {what} inside, not what its name says; save it anew as PNG, JPEG, WAV or MP3."
            break
    return sentence
