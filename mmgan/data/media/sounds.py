"""Reading sounds of every kind that phones and editors write, whatever their names say, within stated limits.

libsndfile reads what it can, after wrong lengths in headers are corrected. The rest (m4a, 3GP, AMR, WebM,
WMA, the sound of a film) goes to PyAV, in a process of its own (:mod:`mmgan.data.media.av_reader`); without that
package a sentence names it. All of it is cleaned in one place (:mod:`mmgan.data.media.cleaning`).
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ...audio.waveform import SOURCE_RATE, resample
from ...errors import DataError
from ...language import Message
from ..limits import Limits
from .cleaning import clean, mono
from .decoding import UNREADABLE
from .mp3 import first_frame, with_count

RATES = (2_000, 384_000)  # Hz, of a sound file
UNKNOWN = 2**63 - 1  # frames that a FLAC written to a pipe claims to have
READER = Path(__file__).with_name("av_reader.py")
TOO_LONG = 3  # the exit status of a reader that met the limit
PATIENCE = 180.0  # seconds for one sound; a reader ends itself sooner, but the machine may be busy
RAISED = (soundfile.SoundFileError, OSError, ValueError, TypeError, RuntimeError)  # by libsndfile on damaged files
PLAYED = {  # by browsers: libsndfile's formats and subtypes
    **{(kind, f"PCM_{bits}"): ".wav" for kind in ("WAV", "WAVEX") for bits in ("U8", "16", "24", "32")},
    **{(kind, "FLOAT"): ".wav" for kind in ("WAV", "WAVEX")},
    **{("FLAC", f"PCM_{bits}"): ".flac" for bits in ("S8", "16", "24")},
    ("OGG", "VORBIS"): ".ogg", ("OGG", "OPUS"): ".ogg", ("MP3", "MPEG_LAYER_III"): ".mp3",
}  # fmt: skip
NEEDS_AV, NO_LENGTH = Message("media.needs_av"), Message("media.no_length")
NO_SOUND = Message("media.film_without_sound")
PIECE = 1 << 20  # bytes read from a reader at a time
WORTH = 1_000  # bytes; a larger file is more than a header


@dataclass(frozen=True)
class Heard:
    """A sound as it is in its file, cleaned."""

    samples: np.ndarray  # float32 [n, channels] in -1..1
    rate: int  # Hz
    suffix: str  # of its file where every browser plays it as it is, else ""
    repaired: str  # a key of mmgan.data.media.cleaning.REPAIRS, or ""

    def waveform(self) -> np.ndarray:
        """Mono float32 [n] in -1..1 at 16 kHz."""
        return np.clip(resample(mono(self.samples), self.rate, SOURCE_RATE), -1, 1)


def hear(data: bytes, limits: Limits = Limits()) -> Heard:
    """The bytes of a sound file -> its samples.

    Raises:
        DataError: not a sound, longer than ``limits`` allow (seen in the header where it says so, else while decoding),
            or of a kind for which a package is missing.
    """
    try:
        samples, rate, suffix = _with_libsndfile(data, limits)
    except RAISED as error:
        if isinstance(error, DataError) and error.message != NO_LENGTH:
            raise
        (samples, rate), suffix = _with_av(data, limits, isinstance(error, DataError)), ""
    if not len(samples) and len(data) > WORTH:  # the header claims to be empty, but there is more
        with contextlib.suppress(DataError):
            (samples, rate), suffix = _with_av(data, limits, True), ""
    samples, repaired = clean(samples)
    return Heard(samples, rate, "" if repaired else suffix, repaired)


def as_flac(heard: Heard) -> tuple[bytes, str]:
    """A file of 16 bits that every browser plays, and its suffix: FLAC, or WAV for what FLAC cannot hold."""
    samples = heard.samples if heard.samples.shape[1] <= 8 else mono(heard.samples)
    for kind in ("FLAC", "WAV"):
        buffer = io.BytesIO()
        with contextlib.suppress(soundfile.SoundFileError):
            soundfile.write(buffer, samples, heard.rate, format=kind, subtype="PCM_16")
            return buffer.getvalue(), f".{kind.lower()}"
    raise DataError(UNREADABLE["sound"])


def container(data: bytes) -> str:
    """Which family of sounds or films that PyAV reads the bytes belong to, or ""."""
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mp4"
    signs = {b"\x1aE\xdf\xa3": "matroska", b"0&\xb2u\x8ef\xcf\x11": "asf", b"#!AMR": "amr", b"caff": "caf"}
    if data[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "aac"
    return next((name for sign, name in signs.items() if data.startswith(sign)), "")


# libsndfile -----------------------------------------------------------------------------------------------------------


def _with_libsndfile(data: bytes, limits: Limits) -> tuple[np.ndarray, int, str]:
    """Samples [n, channels], Hz, suffix. Raises one of ``RAISED`` where it cannot, DataError where it must not."""
    whole = _with_length(data)
    try:
        samples, rate, suffix = _read(whole, limits)
    except RAISED as error:
        start = 0 if isinstance(error, DataError) or container(data) else first_frame(data)
        if not start:
            raise
        whole = data[start:]
        samples, rate, suffix = _read(whole, limits)
    if suffix == ".mp3":  # without a header that tells its length libsndfile guesses it by the first frame
        counted, length = with_count(whole)
        if length > len(samples):
            samples, rate, _ = _read(counted, limits)
    return samples, rate, suffix if whole is data else ""


def _read(data: bytes, limits: Limits) -> tuple[np.ndarray, int, str]:
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        rate, channels, frames = file.samplerate, file.channels, file.frames
        if not RATES[0] <= rate <= RATES[1]:
            raise DataError(_bad_rate(rate))
        if frames >= UNKNOWN:
            raise DataError("media.no_length")
        if frames * channels > limits.samples or frames > limits.seconds * rate:
            raise DataError(_too_long(limits))  # a header of a few bytes can promise gigabytes
        try:
            samples = file.read(dtype="float32", always_2d=True)
        except RAISED as error:  # it knows the format and the file is damaged: no other decoder will do better
            raise DataError(UNREADABLE["sound"]) from error
        return samples, rate, PLAYED.get((file.format, file.subtype), "")


def _with_length(data: bytes) -> bytes:
    """A WAV or AU whose header gives no length, as streaming programs leave it: its sound reaches to the end."""
    if data[:4] == b".snd" and data[8:12] == bytes(4):
        return data[:8] + b"\xff" * 4 + data[12:]
    if data[:4] == b"RF64" and data[12:16] == b"ds64" and data[28:36] == bytes(8):
        return b"RIFF" + data[4:]
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return data
    place = 12
    while place + 8 < len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if name == b"data":
            follows = re.match(rb"[A-Za-z]{3}[A-Za-z ]", data[place + 8 : place + 12])  # the next chunk: it is empty
            if size or follows:
                return data
            rest = len(data) - place - 8
            riff, now = ((len(data) - 8).to_bytes(4, "little"), rest.to_bytes(4, "little"))
            return b"".join((b"RIFF", riff, data[8 : place + 4], now, data[place + 8 :]))
        place += 8 + size + size % 2
    return data


# PyAV -----------------------------------------------------------------------------------------------------------------


def _with_av(data: bytes, limits: Limits, known: bool) -> tuple[np.ndarray, int]:
    """Samples [n, channels] and Hz. ``known``: it is a sound for certain, only its length is not."""
    if importlib.util.find_spec("av") is None:
        raise DataError(NO_LENGTH if known else NEEDS_AV if container(data) else UNREADABLE["sound"])
    try:
        line, samples, status = _run_reader(data, limits)
        head = json.loads(line)
        why = "long" if status == TOO_LONG else head.get("error") or (status and "unreadable")
        rate, channels = int(head["rate"]), int(head.get("channels", 1))
    except (OSError, ValueError, KeyError, AttributeError) as error:  # the reader crashed or hung, alone
        raise DataError(UNREADABLE["sound"]) from error
    if why:
        said = {"absent": NEEDS_AV, "long": _too_long(limits), "no_sound": NO_SOUND, "rate": _bad_rate(rate)}
        raise DataError(said.get(why, UNREADABLE["sound"]))
    return samples[: len(samples) // channels * channels].reshape(-1, channels), rate


def _run_reader(data: bytes, limits: Limits) -> tuple[bytes, np.ndarray, int]:
    """A reader's first line, its samples (float32 [n * channels]) and its exit status."""
    arguments, most = [limits.samples, limits.seconds, *RATES], 4 * (limits.samples + 1_024)
    received = bytearray()
    with subprocess.Popen(
        [sys.executable, str(READER), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    ) as process:  # fmt: skip
        over = threading.Timer(PATIENCE, process.kill)
        feeder = threading.Thread(target=_feed, args=(process.stdin, data), daemon=True)
        over.start()
        feeder.start()
        output = process.stdout
        assert output is not None  # a pipe
        try:
            line = output.readline()
            while len(received) < most and (chunk := output.read(PIECE)):
                received += chunk
        finally:
            output.close()  # so that a reader that writes more than it may ends
            process.wait()
            over.cancel()
            feeder.join()
    samples = np.frombuffer(received, "<f4", min(most, len(received)) // 4)
    return line, samples.astype(np.float32, copy=False), process.returncode


def _feed(pipe, data: bytes) -> None:
    with contextlib.suppress(OSError), pipe:  # the reader may end before it has read everything
        pipe.write(data)


def _bad_rate(rate: int) -> Message:
    return Message("media.bad_rate", rate=rate)


def _too_long(limits: Limits) -> Message:
    return Message("media.sound_too_long", minutes=limits.seconds / 60)
