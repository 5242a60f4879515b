"""Files such as people bring, made for tests."""

from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

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
