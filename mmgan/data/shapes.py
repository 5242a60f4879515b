"""The shapes dataset: drawn pictures and synthesised tones that say the same thing by a stated rule.

A combination is a size, a colour, a shape and a background other than the colour; "large red star on blue" is its
concept. The picture shows it, and so does the tone:

========== ============================ ==========================================================================
attribute  in the tone                  rule
========== ============================ ==========================================================================
shape      timbre (partials)            circle: a pure tone; square: a square wave's odd partials; triangle: three
                                        partials; star: ten partials, bright; heart: a fifth; ring: a struck bar
colour     pitch (pentatonic on A)      red A3, orange D4, yellow G4, green C5, blue E5, purple A5 (220 to 880 Hz)
size       loudness                     large is loud; small is 12 dB quieter
background course (envelope)            white is struck and dies away; black swells; blue is held; yellow comes in
                                        four pulses
========== ============================ ==========================================================================

What else varies is private to each modality: position, rotation, exact size and exact colours of the picture; tuning,
onset, course, phases, loudness and balance of partials of the tone. All of it follows from the index in the bank, so
that item i is always the same and nothing is stored.

Held out: one in six of the (shape, colour, size) triples is never in the train split, on any background, and the test
split has nothing else. With shapes and colours numbered as in ``SHAPES`` and ``COLOURS``, a shape s is never seen small
in colour s + 1 nor large in colour s + 4 (modulo six). Every pair of values still occurs in training.

:mod:`mmgan.data.shapes_measure` reads the attributes back from pixels and from a waveform.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from ..errors import DataError
from .base import Dataset, Prompt, Row
from .shapes_captions import ALL_PHRASINGS, ATTRIBUTES, CANONICAL, FULL, FULL_CHINESE, Phrasing, draw_phrasing

SIZES = {"large": 0.31, "small": 0.155}  # radius, as a fraction of the picture's side
COLOURS = {
    "red": (222, 32, 44),
    "orange": (250, 132, 16),
    "yellow": (255, 222, 36),
    "green": (28, 158, 62),
    "blue": (36, 84, 222),
    "purple": (166, 54, 196),
}
SHAPES = ("circle", "square", "triangle", "star", "heart", "ring")
BACKGROUNDS = {"white": (244, 244, 244), "black": (14, 14, 16), "blue": COLOURS["blue"], "yellow": COLOURS["yellow"]}

PICTURE_SIZE = 128  # pixels a side; drawn at SUPERSAMPLING times that
SUPERSAMPLING = 3
SIZE_JITTER, ROTATION_JITTER, COLOUR_JITTER = 0.06, 20.0, 12  # +-fraction, +-degrees, +-levels of 255
MARGIN = 0.03  # of the picture's side, left free around the shape
RING_HOLE = 0.55  # inner over outer radius

SAMPLING_RATE, NUM_SAMPLES = 16_000, 16_384
PITCHES = {"red": 220.0, "orange": 293.66, "yellow": 392.0, "green": 523.25, "blue": 659.26, "purple": 880.0}  # Hz
TIMBRES = {  # shape -> (multiples of the pitch, amplitudes)
    "circle": ((1.0,), (1.0,)),
    "square": ((1.0, 3.0, 5.0, 7.0), (1.0, 1 / 3, 1 / 5, 1 / 7)),
    "triangle": ((1.0, 2.0, 3.0), (1.0, 0.8, 0.6)),
    "star": (tuple(map(float, range(1, 11))), tuple(n**-0.6 for n in range(1, 11))),
    "heart": ((1.0, 1.5), (1.0, 0.9)),
    "ring": ((1.0, 2.756, 5.404), (1.0, 0.7, 0.5)),  # the modes of a free bar
}
LOUDNESS = {"large": -14.0, "small": -26.0}  # dB relative to full scale, root mean square where the tone is loudest
COURSES = {"white": "struck", "black": "swelling", "blue": "held", "yellow": "pulsed"}
TUNING_JITTER, LOUDNESS_JITTER, PARTIAL_JITTER, ONSET_JITTER = 25.0, 1.0, 1.5, 0.04  # +-cents, +-dB, +-dB, 0..seconds

NUM_ITEMS = {"train": 8192, "test": 1056}  # pictures, and sounds, in the bank of a split


class Combination(NamedTuple):
    """One value of every attribute; ``str()`` is the concept, "large red star on blue"."""

    size: str
    colour: str
    shape: str
    background: str

    def __str__(self) -> str:
        return CANONICAL.format(**self._asdict())


ALL_COMBINATIONS = tuple(
    Combination(*values) for values in itertools.product(SIZES, COLOURS, SHAPES, BACKGROUNDS) if values[1] != values[3]
)


def is_held_out(combination: Combination) -> bool:
    """Whether the train split never shows this combination."""
    step = (list(COLOURS).index(combination.colour) - SHAPES.index(combination.shape)) % len(COLOURS)
    return step == {"small": 1, "large": 4}[combination.size]


def seen_combinations() -> list[Combination]:
    """The combinations of the train split."""
    return [combination for combination in ALL_COMBINATIONS if not is_held_out(combination)]


def held_out_combinations() -> list[Combination]:
    """The combinations of the test split, none of which training ever shows."""
    return [combination for combination in ALL_COMBINATIONS if is_held_out(combination)]


def parse_concept(concept: str) -> Combination:
    """The combination of a concept as written by ``str(combination)``.

    Raises:
        DataError: the text is not one of the concepts.
    """
    words = concept.split()
    combination = Combination(*words[:3], words[4]) if len(words) == 5 else None
    if combination not in _POSITIONS or str(combination) != concept:
        raise DataError(f'{concept!r} is not a concept of shapes; write it like "large red star on blue".')
    return combination


_POSITIONS = {combination: index for index, combination in enumerate(ALL_COMBINATIONS)}


def _heart_outline() -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    x = 16 * np.sin(angles) ** 3
    y = -(13 * np.cos(angles) - 5 * np.cos(2 * angles) - 2 * np.cos(3 * angles) - np.cos(4 * angles))
    return [(float(a), float(b)) for a, b in zip(x / 15.5, (y - 2.5) / 15.5, strict=True)]


def _star_outline() -> list[tuple[float, float]]:
    radii = [1.3 if n % 2 == 0 else 0.56 for n in range(10)]
    return [(r * math.sin(n * math.pi / 5), -r * math.cos(n * math.pi / 5)) for n, r in enumerate(radii)]


OUTLINES = {  # in units of the radius, y downwards; the circle and the ring are drawn as ellipses
    "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "triangle": [(1.3 * math.sin(n * math.tau / 3), -1.3 * math.cos(n * math.tau / 3)) for n in range(3)],
    "star": _star_outline(),
    "heart": _heart_outline(),
}
ROUND_RADII = {"circle": 1.0, "ring": 1.08}


def draw_mask(shape: str, radius: float, x: float, y: float, degrees: float, side: int = PICTURE_SIZE) -> Image.Image:
    """The shape in white on black, mode L, ``side`` pixels square, antialiased.

    ``radius``, ``x`` and ``y`` are fractions of the side; ``degrees`` turns the shape clockwise.
    """
    scale = side * SUPERSAMPLING
    mask = Image.new("L", (scale, scale))
    draw = ImageDraw.Draw(mask)
    if shape in OUTLINES:
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        points = [(x + radius * (u * cos - v * sin), y + radius * (u * sin + v * cos)) for u, v in OUTLINES[shape]]
        draw.polygon([(u * scale, v * scale) for u, v in points], fill=255)
    else:
        outer = radius * ROUND_RADII[shape]
        for r, fill in ((outer, 255), (outer * RING_HOLE, 0))[: 2 if shape == "ring" else 1]:
            draw.ellipse([(x - r) * scale, (y - r) * scale, (x + r) * scale, (y + r) * scale], fill=fill)
    return mask.reduce(SUPERSAMPLING)


def draw_picture(combination: Combination, rng: np.random.Generator, side: int = PICTURE_SIZE) -> Image.Image:
    """A picture of the combination, RGB, ``side`` pixels square; what the caption leaves open comes from ``rng``."""
    size, turn, across, down = rng.uniform(-1, 1, 4)
    tints = rng.uniform(-COLOUR_JITTER, COLOUR_JITTER, (2, 3))
    radius, degrees = SIZES[combination.size] * (1 + SIZE_JITTER * size), ROTATION_JITTER * turn
    reach = radius * (
        1.3 if combination.shape in ("triangle", "star") else 1.24 if combination.shape == "square" else 1.1
    )
    room = max(0.0, 0.5 - MARGIN - reach)
    mask = draw_mask(combination.shape, radius, 0.5 + room * across, 0.5 + room * down, degrees, side)
    paper = np.clip(np.round(BACKGROUNDS[combination.background] + tints[0]), 0, 255).astype(int)
    ink = np.clip(np.round(COLOURS[combination.colour] + tints[1]), 0, 255).astype(int)
    picture = Image.new("RGB", (side, side), tuple(paper.tolist()))
    picture.paste(tuple(ink.tolist()), mask=mask)
    return picture


_TIME = np.arange(NUM_SAMPLES, dtype=np.float32) / SAMPLING_RATE


def _ramp(start: float, length: float) -> np.ndarray:
    """Float32 [num_samples]: 0 before ``start`` seconds, then half a cosine up to 1 within ``length`` seconds."""
    progress = np.clip((_TIME - np.float32(start)) / np.float32(length), 0, 1)
    return progress * progress * (3 - 2 * progress)


def course(name: str, onset: float, stretch: float) -> np.ndarray:
    """The envelope of a tone, float32 [num_samples] in 0..1; ``stretch`` near 1 slows it down or speeds it up."""
    if name == "struck":
        return _ramp(onset, 0.01) * np.exp(-np.maximum(_TIME - np.float32(onset), 0) / np.float32(0.2 * stretch))
    if name == "swelling":
        return _ramp(onset, 0.75 * stretch) * (1 - _ramp(0.88, 0.12))
    if name == "held":
        return _ramp(onset, 0.05) * (1 - _ramp(0.93 * min(stretch, 1.0), 0.06))
    swing = np.cos(np.float32(math.tau) * (_TIME - np.float32(onset)) / np.float32(0.25 * stretch))
    return np.clip(0.5 - 1.0 * swing, 0, 1) * _ramp(onset, 0.02)


def synthesise(combination: Combination, rng: np.random.Generator) -> np.ndarray:
    """A tone of the combination, float32 [num_samples] in -1..1; what the rule leaves open comes from ``rng``."""
    ratios, amplitudes = TIMBRES[combination.shape]
    tuning, loudness, stretch = rng.uniform(-1, 1, 3)
    onset = ONSET_JITTER * rng.random()
    pitch = PITCHES[combination.colour] * 2 ** (tuning * TUNING_JITTER / 1200)
    weights = np.array(amplitudes) * 10 ** (rng.uniform(-PARTIAL_JITTER, PARTIAL_JITTER, len(ratios)) / 20)
    phases = rng.random(len(ratios))
    tone = np.zeros(NUM_SAMPLES, dtype=np.float32)
    for ratio, weight, phase in zip(ratios, weights, phases, strict=True):
        turns = np.float32(pitch * ratio) * _TIME + np.float32(phase)
        tone += np.float32(weight) * np.sin(np.float32(math.tau) * (turns - np.floor(turns)))
    level = 10 ** ((LOUDNESS[combination.size] + loudness * LOUDNESS_JITTER) / 20)
    tone *= course(COURSES[combination.background], onset, 1 + 0.1 * stretch)
    return np.clip(tone * np.float32(level / math.sqrt((weights**2).sum() / 2)), -1, 1)


class Shapes(Dataset):
    """Shapes and their tones; see the module's text for the rule.

    Raises:
        DataError: a split other than "train" (the seen combinations) or "test" (the held-out ones).
    """

    name = "shapes"
    image_channels = 3

    def __init__(self, split: str = "train"):
        if split not in NUM_ITEMS:
            raise DataError(f'shapes has no split {split!r}; choose "train" or "test".')
        self.split = split
        self.combinations = seen_combinations() if split == "train" else held_out_combinations()
        self._numbers = {combination: number for number, combination in enumerate(self.combinations)}
        self._by_three = _neighbours(self.combinations)

    @property
    def num_images(self) -> int:
        return NUM_ITEMS[self.split]

    @property
    def num_sounds(self) -> int:
        return NUM_ITEMS[self.split]

    @property
    def concepts(self) -> list[str]:
        return sorted(map(str, self.combinations))

    def combination(self, index: int) -> Combination:
        """What picture ``index`` and sound ``index`` show; the banks go round the combinations in order."""
        if not 0 <= index < NUM_ITEMS[self.split]:
            raise IndexError(f"shapes {self.split} has no item {index}")
        return self.combinations[index % len(self.combinations)]

    def image_concept(self, index: int) -> str:
        return str(self.combination(index))

    def sound_concept(self, index: int) -> str:
        return str(self.combination(index))

    def image(self, index: int) -> Image.Image:
        return draw_picture(self.combination(index), self._jitter(index, "image"))

    def sound(self, index: int) -> np.ndarray:
        return synthesise(self.combination(index), self._jitter(index, "sound"))

    def _jitter(self, index: int, modality: str) -> np.random.Generator:
        return np.random.default_rng([index, modality == "sound", self.split == "test"])

    def rows(self, rng: np.random.Generator, count: int) -> list[Row]:
        return [self._row(rng) for _ in range(count)]

    def _row(self, rng: np.random.Generator) -> Row:
        number = int(rng.integers(len(self.combinations)))
        combination = self.combinations[number]
        phrasing = draw_phrasing(rng)
        wrong = self._wrong(combination, phrasing, rng)
        items = range(number, NUM_ITEMS[self.split], len(self.combinations))
        image, sound = (items[rng.integers(len(items))] for _ in range(2))
        text, wrong_text = phrasing.fill(combination._asdict(), rng), phrasing.fill(wrong._asdict(), rng)
        return Row(text, wrong_text, image, sound, str(combination))

    def _wrong(self, combination: Combination, phrasing: Phrasing, rng: np.random.Generator) -> Combination:
        """A combination that differs in something the phrasing mentions, half the time in that alone.

        Only from this split: if held-out combinations were named as wrong, a critic would learn never to accept them.
        """
        if rng.random() < 0.5:
            attribute = phrasing.mentions[rng.integers(len(phrasing.mentions))]
            near = self._by_three[attribute][_without(combination, attribute)]
            near = [other for other in near if other != combination]
            if near:
                return near[rng.integers(len(near))]
        while True:
            other = self.combinations[rng.integers(len(self.combinations))]
            if any(getattr(other, name) != getattr(combination, name) for name in phrasing.mentions):
                return other

    def prompts(self, which: str | None = None) -> list[Prompt]:
        """For each combination the canonical phrasing and one other, all naming every attribute.

        Args:
            which: "seen", "held-out", or None for both, whatever the split.
        """
        groups = {"seen": seen_combinations(), "held-out": held_out_combinations(), None: list(ALL_COMBINATIONS)}
        if which not in groups:
            raise DataError(f'shapes has no prompts {which!r}; choose "seen", "held-out" or None for both.')
        others = FULL[1:] + FULL_CHINESE
        prompts = []
        for combination in groups[which]:
            other = others[7 * _POSITIONS[combination] % len(others)]
            for phrasing in (FULL[0], other):
                prompts.append(Prompt(phrasing.fill(combination._asdict()), str(combination)))
        return prompts


def _without(combination: Combination, attribute: str) -> tuple[str, ...]:
    return tuple(value for name, value in zip(ATTRIBUTES, combination, strict=True) if name != attribute)


def _neighbours(combinations: list[Combination]) -> dict[str, dict[tuple[str, ...], list[Combination]]]:
    """Attribute -> the values of the other three -> the combinations that have those."""
    groups: dict = {name: defaultdict(list) for name in ATTRIBUTES}
    for combination, name in itertools.product(combinations, ATTRIBUTES):
        groups[name][_without(combination, name)].append(combination)
    return groups


def all_captions(limit: int | None = None, seed: int = 0) -> list[tuple[str, str | None]]:
    """Distinct captions of every combination, phrasing and synonym, for training a text encoder on these words.

    Args:
        limit: how many to return, drawn at random by ``seed``; None returns all, in a fixed order.

    Returns:
        (caption, None) in English, or (caption, a plain English caption that says the same) in Chinese.
    """
    captions = {}
    for phrasing, combination in itertools.product(ALL_PHRASINGS, ALL_COMBINATIONS):
        values = combination._asdict()
        english = phrasing.english(values) if phrasing.chinese else None
        captions.update((caption, english) for caption in phrasing.fill_all(values))
    pairs = list(captions.items())
    if limit is None or limit >= len(pairs):
        return pairs
    return [pairs[i] for i in np.random.default_rng(seed).choice(len(pairs), limit, replace=False)]
