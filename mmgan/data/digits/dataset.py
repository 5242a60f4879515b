"""The digits: MNIST's handwriting and the Free Spoken Digit Dataset's voices, captioned by measurement.

A picture and a sound of the same digit are paired at random at every draw: they are not from the same person.
Loudness and pitch are never captioned, for in these recordings they tell who speaks.
"""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image

from ...audio.waveform import normalise_loudness, resample
from ..base import Dataset, Prompt, Row
from . import captions
from .attributes import measure_duration, measure_slant, measure_thickness
from .files import load_images, load_sounds

DETAILED_SHARE = 0.55  # of the rows that have attributes, so many name them: about half of all rows
OTHER_DIGIT_SHARE = 0.7  # of the wrong captions name another digit; the others contradict the attributes
QUARTILES = (25, 75)  # of a digit's own pictures or sounds: below is thin, left or fast, above thick, right or slow
LEAN_RADIANS = np.radians(4)  # leaning left or right means at least this; upright at most
SOURCE_RATE, SAMPLING_RATE = 8_000, 16_000  # Hz, of the recordings and of what is given


class Digits(Dataset):
    """60,000 pictures and 2,700 sounds ("train"), or 10,000 and 300 others ("test"; the six speakers are the same).

    Attributes:
        images: uint8 [N, 28, 28], 0 background .. 255 ink.
        labels: uint8 [N], the pictures' digits.
        sound_labels: uint8 [M], the sounds' digits.

    Raises:
        DataError: the files are absent and cannot be downloaded, or one is broken.
    """

    name = "digits"
    image_channels = 1

    def __init__(self, split: str = "train"):
        self.split = split
        self.images, self.labels = load_images(split)
        self._audio, self._lengths, self.sound_labels = load_sounds(split)
        self._images_of = [np.flatnonzero(self.labels == digit) for digit in range(10)]
        self._sounds_of = [np.flatnonzero(self.sound_labels == digit) for digit in range(10)]

    @property
    def num_images(self) -> int:
        return len(self.images)

    @property
    def num_sounds(self) -> int:
        return len(self._audio)

    @property
    def concepts(self) -> list[str]:
        return [str(digit) for digit in range(10)]

    def image(self, index: int) -> Image.Image:
        return Image.fromarray(self.images[index])

    def sound(self, index: int) -> np.ndarray:
        """Sound ``index`` without its DC offset and at the common loudness, for speakers differ by 21 dB."""
        clip = self._audio[index, : self._lengths[index]].astype(np.float32) / 32768
        return normalise_loudness(resample(clip - clip.mean(), SOURCE_RATE, SAMPLING_RATE))

    def image_concept(self, index: int) -> str:
        return str(self.labels[index])

    def sound_concept(self, index: int) -> str:
        return str(self.sound_labels[index])

    @functools.cached_property
    def thickness(self) -> np.ndarray:
        """Stroke thickness of every picture, float32 [N], pixels."""
        return measure_thickness(self.images)

    @functools.cached_property
    def slant(self) -> np.ndarray:
        """Slant of every picture, float32 [N], radians, positive = leaning right."""
        return measure_slant(self.images)

    @functools.cached_property
    def duration(self) -> np.ndarray:
        """Speaking time of every sound, float32 [M], seconds."""
        clips = self._audio.astype(np.float32) / 32768
        valid = np.arange(clips.shape[1]) < self._lengths[:, None]
        return measure_duration(np.where(valid, clips - (clips.sum(1) / self._lengths)[:, None], 0), SOURCE_RATE)

    @functools.cached_property
    def stroke_names(self) -> np.ndarray:
        """ "thin", "thick" or "" for every picture, by its digit's own quartiles."""
        low, high = _outer_quarters(self.thickness, self.labels)
        return np.select([low, high], captions.STROKE, "")

    @functools.cached_property
    def lean_names(self) -> np.ndarray:
        """ "left", "right", "upright" or "" for every picture: among its digit's most slanted, and truly leaning so."""
        low, high = _outer_quarters(self.slant, self.labels)
        conditions = [
            low & (self.slant < -LEAN_RADIANS),
            high & (self.slant > LEAN_RADIANS),
            abs(self.slant) < LEAN_RADIANS,
        ]
        return np.select(conditions, captions.LEAN, "")

    @functools.cached_property
    def speed_names(self) -> np.ndarray:
        """ "slow", "fast" or "" for every sound, by its digit's own quartiles."""
        low, high = _outer_quarters(self.duration, self.sound_labels)
        return np.select([high, low], captions.SPEED, "")

    def rows(self, rng: np.random.Generator, count: int) -> list[Row]:
        draws = rng.random((count, 8))
        draws[1::2, 0] = draws[: count // 2 * 2 : 2, 0]  # twins: the same digit
        return [self._row(*draw) for draw in draws]

    def _row(self, digit, image, sound, phrasing, numeral, detailed, wrong, which) -> Row:
        """One row from eight numbers in 0..1, each of which decides what its name says."""
        digit = int(digit * 10)
        image, sound = _choose(self._images_of[digit], image), _choose(self._sounds_of[digit], sound)
        names: tuple[str, ...] = ()
        if detailed < DETAILED_SHARE:
            known = [
                name for name in (self.stroke_names[image], self.lean_names[image], self.speed_names[sound]) if name
            ]
            names = tuple(str(name) for name in _subset(known, detailed / DETAILED_SHARE))
        phrase = _choose(captions.DETAILED_PHRASINGS if names else captions.PHRASINGS, phrasing)
        text = captions.caption(phrase, digit, numeral < 0.5, names)
        if wrong < OTHER_DIGIT_SHARE or not names:
            wrong_text = captions.caption(phrase, (digit + 1 + int(which * 9)) % 10, numeral < 0.5, names)
        else:
            wrong_text = captions.caption(phrase, digit, numeral < 0.5, captions.contradict(names))
        return Row(text, wrong_text, int(image), int(sound), str(digit))

    def prompts(self) -> list[Prompt]:
        """Five phrasings of each digit; the last three, one of them Chinese, occur in no training caption."""
        return [Prompt(text, str(digit)) for text, digit in captions.evaluation_prompts()]

    @property
    def examples(self) -> list[str]:
        """A few prompts for a person to start from: plain ones, each attribute, and Chinese."""
        return [
            "a handwritten seven", "a thin three leaning left", "a thick eight", "draw a 4 for me",
            "a nine, spoken slowly", "a six leaning right", "数字五", "一个细的二",
        ]  # fmt: skip


def _choose(items, uniform: float):
    return items[int(uniform * len(items))]


def _subset(names: list[str], uniform: float) -> list[str]:
    """One or two of the names (at most two), each such choice equally likely, in their order."""
    choices = [[name] for name in names]
    choices += [[a, b] for i, a in enumerate(names) for b in names[i + 1 :]]
    return _choose(choices, uniform) if choices else []


def _outer_quarters(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which values lie below and above the quartiles of their own digit: bool [N], bool [N]."""
    limits = np.stack([np.percentile(values[labels == digit], QUARTILES) for digit in range(10)])
    return values < limits[labels, 0], values > limits[labels, 1]
