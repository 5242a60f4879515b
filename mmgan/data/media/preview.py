"""One file, looked at closely: what it is, how it looks or sounds in small, and what a person should know of it."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import threading
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from ...audio.waveform import SOURCE_RATE
from ...errors import DataError
from ...image.pictures import flattened, upright
from ...language import Message
from ..limits import Limits
from .decoding import SHEET, UNREADABLE, open_picture
from .sounds import Heard, as_flac, hear

THUMBNAIL = 112  # pixels of a thumbnail's longer side
LARGE_PIXELS, STRIP_PIXELS = 8_000_000, 1_000_000
ORIENTATION = 0x0112  # of EXIF
PEAKS = 64  # columns of a small waveform
SILENT = 1e-4  # peak; 80 dB below full scale
FAINT = 3e-3  # peak; 50 dB below full scale, little more than the noise of a microphone
SHORTEST = 0.05  # seconds; a click
CLIPPED_LEVEL, CLIPPED_RUN, CLIPPED_SHARE = 0.985, 3, 0.002  # clipped: so loud, so long, so much
SMALLEST = 8  # pixels of a picture's shorter side
SIGNS = (  # beginnings of files that are often misnamed or pass for something else: kind, and what they are
    (b"PK\x03\x04", "", "zip"), (b"Rar!", "", "rar"), (b"7z\xbc\xaf", "", "7z"), (b"MZ", "", "windows_program"),
    (b"\x7fELF", "", "program"), (b"%PDF", "", "pdf"), (b"<", "", "web_page"), (b"#!AMR", "sound", "amr"),
    (b"#!", "", "script"), (b"\x89PNG", "image", "png"), (b"\xff\xd8\xff", "image", "jpeg"), (b"GIF8", "image", "gif"),
    (b"BM", "image", "bmp"), (b"RIFF", "sound", "wav"), (b"fLaC", "sound", "flac"), (b"OggS", "sound", "ogg"),
    (b"ID3", "sound", "mp3"), (b"\x1aE\xdf\xa3", "sound", "film"),
)  # fmt: skip
HEIF = re.compile(rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1|avi[fs])", re.DOTALL)


_large = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """What :func:`examine_picture` finds; sizes in pixels, upright."""

    suffix: str  # by the content, whatever the file was called
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
    repaired: str = ""  # a key of mmgan.data.media.cleaning.REPAIRS where bad samples were mended
    kept: bytes | None = None  # FLAC of what was heard, where a browser would not play the file as it came


def examine_picture(data: bytes, limits: Limits = Limits()) -> Picture:
    """Raises DataError where it cannot be used, with a sentence that goes on after the file's name."""
    try:
        with _one_large(data):
            image = open_picture(data, limits, draft=THUMBNAIL)
            kind = image.format or "PNG"
            width, height = _full_size(data, image)
            small = _reduced(image)
            del image
    except DataError as error:
        raise DataError(_with_sign(data, error.message, "image")) from error
    if (small.width > small.height) != (width > height):
        width, height = height, width  # turned by its EXIF orientation
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    suffix = {"JPEG": ".jpg", "MPO": ".jpg"}.get(kind, f".{kind.lower()}")
    return Picture(suffix, width, height, buffer.getvalue())


def _reduced(image: Image.Image) -> Image.Image:
    """As :func:`~mmgan.data.loader.upright`, at a size that is no smaller than a thumbnail's.

    It is flattened in strips, since a copy of a large picture takes hundreds of megabytes.
    """
    factor = min(max(image.size) // (2 * THUMBNAIL), min(image.size))
    if factor < 2:
        return upright(image)
    height = factor * max(1, STRIP_PIXELS // (image.width * factor))
    small: Image.Image | None = None
    for top in range(0, image.height, height):
        strip = image.crop((0, top, image.width, min(image.height, top + height)))
        strip = flattened(strip).reduce(factor)
        small = small or Image.new(strip.mode, (strip.width, -(-image.height // factor)))
        small.paste(strip, (0, top // factor))
    assert small is not None  # no picture is without rows
    with contextlib.suppress(Exception):  # a damaged tag raises anything
        small.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
        small = ImageOps.exif_transpose(small)
    return small


@contextlib.contextmanager
def _one_large(data: bytes):
    """Only one large picture is decoded at a time: two would take twice the memory."""
    try:
        with Image.open(io.BytesIO(data)) as header:
            large = header.width * header.height > LARGE_PIXELS
    except Exception:  # whoever opens it next reports it
        large = False
    with _large if large else contextlib.nullcontext():
        yield


def decode_picture(data: bytes, limits: Limits = Limits(), draft: int | None = None) -> Image.Image:
    """A picture to learn from: upright, mode L or RGB; ``draft`` as :func:`open_picture` has it."""
    try:
        image = open_picture(data, limits, draft)
        sheet = image.info.get(SHEET[0]) == SHEET[1]
        image = upright(image)
    except DataError as error:
        raise DataError(_with_sign(data, error.message, "image")) from error
    if sheet:
        raise DataError("media.sample_sheet")
    return image


def _full_size(data: bytes, image: Image.Image) -> tuple[int, int]:
    """Width and height of the file: a JPEG decoded in draft tells its reduced size."""
    if image.format not in ("JPEG", "MPO"):  # MPO: several JPEGs in one file, as phones write portraits
        return image.size
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as header:
        return header.size


def examine_sound(data: bytes, limits: Limits = Limits()) -> tuple[Sound, np.ndarray]:
    """What the file is, and its waveform: mono float32 [n] at 16 kHz. Raises DataError as :func:`examine_picture`."""
    heard = hear_file(data, limits)
    waveform = heard.waveform()
    level, loud = np.abs(waveform), np.maximum(heard.samples.max(axis=1), -heard.samples.min(axis=1))
    peak = float(level.max()) if len(level) else 0.0
    edges = np.linspace(0, len(level), PEAKS + 1).astype(int)
    columns = [float(level[a:b].max()) if b > a else 0.0 for a, b in itertools.pairwise(edges)]
    kept, suffix = (None, heard.suffix) if heard.suffix else as_flac(heard)
    sound = Sound(
        suffix, len(waveform) / SOURCE_RATE, heard.rate, heard.samples.shape[1], peak, _clipped_share(loud),
        [round(100 * column / peak) if peak > SILENT else 0 for column in columns], heard.repaired, kept,
    )  # fmt: skip
    return sound, waveform


def decode_sound(data: bytes, limits: Limits = Limits()) -> np.ndarray:
    """The bytes of a sound file -> mono float32 [n] at 16 kHz. Raises DataError as :func:`examine_picture`."""
    return hear_file(data, limits).waveform()


def hear_file(data: bytes, limits: Limits = Limits()) -> Heard:
    """:func:`mmgan.data.media.sounds.hear`, but the error for another kind of file names that kind."""
    try:
        if any(data.startswith(sign) and len(sign) > 2 and kind != "sound" for sign, kind, _ in SIGNS):
            raise DataError(UNREADABLE["sound"])  # before a decoder finds a sound in it by chance
        return hear(data, limits)
    except DataError as error:
        raise DataError(_with_sign(data, error.message, "sound")) from error


def _clipped_share(level: np.ndarray) -> float:
    """Share of samples in runs of ``CLIPPED_RUN`` or more at the very top, where a recording was too loud."""
    if not len(level) or level.max() <= 0.95:  # a quiet file may have been clipped before; that cannot be seen
        return 0.0
    top = level >= CLIPPED_LEVEL * level.max()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], top.astype(np.int8), [0]])))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= CLIPPED_RUN].sum() / len(level))


def _with_sign(data: bytes, message: Message, kind: str) -> Message:
    """Says what the file is inside, where that is another kind of thing than the "image" or "sound" of its name."""
    if not data:
        return Message("media.empty")
    if kind == "image" and HEIF.match(data):
        return Message("media.heic")
    inside, what = next((known for sign, *known in SIGNS if data.startswith(sign)), ("", ""))
    if what and inside != kind and message == UNREADABLE[kind]:
        return Message("media.something_else", what=Message(f"media.is_{what}"))
    return message
