"""What a combination of the shapes dataset looks and sounds like: the rule's numbers, the drawing and the synthesis.

:mod:`mmgan.data.shapes.dataset` states the rule in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from .captions import CANONICAL

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
LOUDNESS = {"large": -12.0, "small": -27.0}  # dB relative to full scale, root mean square where the tone is loudest
COURSES = {"white": "struck", "black": "swelling", "blue": "held", "yellow": "pulsed"}
TUNING_JITTER, LOUDNESS_JITTER, PARTIAL_JITTER = 25.0, 1.0, 1.5  # +-cents, +-dB, +-dB
ONSET_JITTER, STRETCH_JITTER = 0.04, 0.1  # 0..seconds, +-fraction of the time scale of the course


class Combination(NamedTuple):
    """One value of every attribute; ``str()`` is the concept, "large red star on blue"."""

    size: str
    colour: str
    shape: str
    background: str

    def __str__(self) -> str:
        return CANONICAL.format(**self._asdict())


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
    return np.clip(0.5 - swing, 0, 1) * _ramp(onset, 0.02) * (1 - _ramp(0.98, 0.04))


def partials(
    pitch: float,
    ratios: Sequence[float],
    amplitudes: Sequence[float] | np.ndarray,
    phases: Sequence[float] | np.ndarray | None = None,
) -> np.ndarray:
    """A steady tone, float32 [num_samples]: sines at ``pitch`` Hz times ``ratios``; ``phases`` are in turns."""
    tone = np.zeros(NUM_SAMPLES, dtype=np.float32)
    for n, (ratio, amplitude) in enumerate(zip(ratios, amplitudes, strict=True)):
        turns = np.float32(pitch * ratio) * _TIME + np.float32(0 if phases is None else phases[n])
        tone += np.float32(amplitude) * np.sin(np.float32(math.tau) * (turns - np.floor(turns)))
    return tone


def synthesise(combination: Combination, rng: np.random.Generator) -> np.ndarray:
    """A tone of the combination, float32 [num_samples] in -1..1; what the rule leaves open comes from ``rng``."""
    ratios, amplitudes = TIMBRES[combination.shape]
    tuning, loudness, stretch = rng.uniform(-1, 1, 3)
    onset = ONSET_JITTER * rng.random()
    pitch = PITCHES[combination.colour] * 2 ** (tuning * TUNING_JITTER / 1200)
    weights = np.array(amplitudes) * 10 ** (rng.uniform(-PARTIAL_JITTER, PARTIAL_JITTER, len(ratios)) / 20)
    tone = partials(pitch, ratios, weights, rng.random(len(ratios)))
    level = 10 ** ((LOUDNESS[combination.size] + loudness * LOUDNESS_JITTER) / 20)
    tone *= course(COURSES[combination.background], onset, 1 + STRETCH_JITTER * stretch)
    return np.clip(tone * np.float32(level / math.sqrt((weights**2).sum() / 2)), -1, 1)
