"""Files such as people bring, made for tests."""

import io
import posixpath
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from mmgan.data.folder.reading import Layout, read_layout
from mmgan.data.limits import Limits

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def picture(path: Path, colour="red", size=(16, 16), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path, **options)


def sound(path: Path, pitch=440.0, seconds=0.2, rate=16_000, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)
    soundfile.write(path, np.stack([wave] * channels, axis=1), rate)


def draw(dataset, count=200):
    return dataset.rows(np.random.default_rng(0), count)


def write_metadata(folder: Path, text: str, encoding="utf-8", name="metadata.csv"):
    (folder / name).write_bytes(text.encode(encoding))


ENCODED = {  # a file of PyAV: its container, codec and rate
    "m4a": ("ipod", "aac", 44_100), "mp4": ("mp4", "aac", 48_000), "mov": ("mov", "aac", 44_100),
    "alac.m4a": ("ipod", "alac", 44_100), "aac": ("adts", "aac", 44_100), "3gp": ("3gp", "aac", 16_000),
    "amr.3gp": ("3gp", "libopencore_amrnb", 8_000), "amr": ("amr", "libopencore_amrnb", 8_000),
    "webm": ("webm", "libopus", 48_000), "mka": ("matroska", "libopus", 48_000), "mkv": ("matroska", "aac", 44_100),
    "wma": ("asf", "wmav2", 44_100), "opus": ("ogg", "libopus", 48_000), "alac.caf": ("caf", "alac", 44_100),
    "float.mka": ("matroska", "pcm_f32le", 44_100),
}  # fmt: skip


def tone(rate: int, seconds=1.2, level=0.5, pitch=440.0) -> np.ndarray:
    """Float32 [n]."""
    return (level * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encoded(kind: str, samples=None, picture=False, channels=1) -> bytes:
    """A tone, or ``samples`` [n], as a phone or an editor writes it, by a key of ``ENCODED``; with a film around it."""
    import av

    container, codec, rate = ENCODED[kind]
    layout = {1: "mono", 2: "stereo"}[channels]
    samples = tone(rate) if samples is None else np.asarray(samples, np.float32)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        film = file.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p") if picture else None
        stream = file.add_stream(codec, rate=rate, layout=layout)
        stream.bit_rate = {"libopencore_amrnb": 12_200}.get(codec, 64_000)
        stream.codec_context.open()
        if film:
            for _ in range(10):
                frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 99, np.uint8), format="rgb24")
                file.mux(film.encode(frame))
            file.mux(film.encode(None))
        shape = stream.codec_context.format
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(format=shape, layout=layout, rate=rate, frame_size=size)
        frame = av.AudioFrame.from_ndarray(np.repeat(samples, channels)[None], format="flt", layout=layout)
        frame.sample_rate = rate
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def pcm(samples, rate=16_000, kind="WAV", subtype=None) -> bytes:
    """Samples [n] or [n, channels] as libsndfile writes them."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


class Bytes:
    """Files that are names and bytes only, as what opens folders and zips gives them."""

    def __init__(self, files: dict, limits=Limits(), title=""):
        self.files = {name: data.encode() if isinstance(data, str) else data for name, data in files.items()}
        self.names, self.limits, self.title = sorted(self.files), limits, title

    def size(self, name: str) -> int:
        return len(self.files[name])

    def read(self, name: str) -> bytes:
        return self.files[name]


def layout_of(files: dict, encoding=None, limits=Limits(), title="") -> Layout:
    """The layout of files of which the pictures and sounds are empty."""
    return read_layout(Bytes(files, limits, title), encoding)


def captions_in(layout: Layout) -> dict:
    """Name of a picture or sound -> its caption; a list where it has several."""
    found = {}
    for entry in layout.entries:
        for name in (entry.image, entry.sound):
            if name:
                found.setdefault(name, []).append(entry.text)
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in found.items()}


def in_table(
    table: str | bytes, names=("1.png", "2.png", "3.png"), name="metadata.csv", **options
) -> tuple[dict, list]:
    """Captions by file, and what is said, of a table beside these files."""
    folder = posixpath.dirname(name)
    files = {posixpath.join(folder, file): b"" for file in names} | {name: table}
    layout = layout_of(files, **options)
    return captions_in(layout), [(problem.file, problem.sentence) for problem in layout.problems]
