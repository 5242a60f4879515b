"""The shapes dataset: drawn pictures and synthesised tones that say the same thing by a stated rule.

A combination is a size, a colour, a shape and a background other than the colour; "large red star on blue" is its
concept. The picture shows it, and so does the tone:

========== ============================ ==========================================================================
attribute  in the tone                  rule
========== ============================ ==========================================================================
shape      timbre (partials)            circle: a pure tone; square: a square wave's odd partials; triangle: three
                                        partials; star: ten partials, bright; heart: a fifth; ring: a struck bar
colour     pitch (pentatonic on A)      red A3, orange D4, yellow G4, green C5, blue E5, purple A5 (220 to 880 Hz)
size       loudness                     large is loud; small is 15 dB quieter
background course (envelope)            white is struck and dies away; black swells; blue is held; yellow comes in
                                        pulses, four a second
========== ============================ ==========================================================================

What else varies is private to each modality: position, rotation, exact size and exact colours of the picture; tuning,
onset, course, phases, loudness and balance of partials of the tone. All of it follows from the index in the bank, so
that item i is always the same and nothing is stored.

Training draws small shapes, stars, white backgrounds, and shapes that can exchange colours with their background more
often than others (``EMPHASIS``, ``SWAP_EMPHASIS``).

Held out: one in six of the (shape, colour, size) triples is never in the train split, on any background, and the test
split has nothing else. With shapes and colours numbered as in ``SHAPES`` and ``COLOURS``, a shape s is never seen small
in colour s + 1 nor large in colour s + 4 (modulo six). Every pair of values still occurs in training.

:mod:`mmgan.data.shapes.measure` reads the attributes back from pixels and from a waveform.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
from PIL import Image

from ...errors import DataError
from ..base import Dataset, Prompt, Row
from .captions import ALL_PHRASINGS, ATTRIBUTES, FULL, FULL_CHINESE, Phrasing, draw_phrasing
from .render import BACKGROUNDS, COLOURS, SHAPES, SIZES, Combination, draw_picture, synthesise

NUM_ITEMS = {"train": 8192, "test": 1056}  # pictures, and sounds, in the bank of a split
# How often rows show a value, against 1 for the others. Small shapes have few pixels and the smallest corners: drawn
# as often as others, small stars were lumps long after everything else was right. White sounds as a struck tone, the
# envelope that stayed unclear for longest.
EMPHASIS = {"small": 2.0, "star": 2.0, "square": 1.3, "white": 1.5}
SWAP_EMPHASIS = 3.0  # of captions that swap the colours of shape and background: the same words are hard

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
    combination = Combination(words[0], words[1], words[2], words[4]) if len(words) == 5 else None
    if combination not in _POSITIONS or str(combination) != concept:
        raise DataError("shapes.no_concept", concept=concept)
    return combination


_POSITIONS = {combination: index for index, combination in enumerate(ALL_COMBINATIONS)}
_NUMBERS = {phrasing: index for index, phrasing in enumerate(ALL_PHRASINGS)}


class Shapes(Dataset):
    """Shapes and their tones; see the module's text for the rule.

    Raises:
        DataError: a split other than "train" (the seen combinations) or "test" (the held-out ones).
    """

    name = "shapes"
    image_channels = 3

    def __init__(self, split: str = "train"):
        if split not in NUM_ITEMS:
            raise DataError("shapes.no_split", split=split)
        self.split = split
        self.combinations = seen_combinations() if split == "train" else held_out_combinations()
        self._numbers = {combination: number for number, combination in enumerate(self.combinations)}
        self._by_three = _neighbours(self.combinations)
        weights = [math.prod(EMPHASIS.get(value, 1.0) for value in c) for c in self.combinations]
        swaps = [SWAP_EMPHASIS if _swapped(c) in self._numbers else 1.0 for c in self.combinations]
        self._shares = np.multiply(weights, swaps) / np.dot(weights, swaps)

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
        numbers = rng.choice(len(self.combinations), size=(count + 1) // 2, p=self._shares).repeat(2)[:count]  # twins
        return [self._row(int(number), rng) for number in numbers]

    def _row(self, number: int, rng: np.random.Generator) -> Row:
        combination = self.combinations[number]
        phrasing = draw_phrasing(rng)
        wrong = self._wrong(combination, phrasing, rng)
        items = range(number, NUM_ITEMS[self.split], len(self.combinations))
        image, sound = (items[rng.integers(len(items))] for _ in range(2))
        return Row(_caption(phrasing, combination), _caption(phrasing, wrong), image, sound, str(combination))

    def _wrong(self, combination: Combination, phrasing: Phrasing, rng: np.random.Generator) -> Combination:
        """A combination that differs in something the phrasing mentions, half the time in that alone.

        Where shape and background can change colours, half the time they do: the two captions have the same words, so
        nothing else teaches a critic to read who has which. Only from this split: if held-out combinations were named
        as wrong, a critic would learn never to accept them.
        """
        swapped = _swapped(combination)
        if swapped in self._numbers and {"colour", "background"} <= set(phrasing.mentions) and rng.random() < 0.5:
            return swapped
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
            raise DataError("shapes.no_prompts", which=which)
        others = FULL[1:] + FULL_CHINESE
        prompts = []
        for combination in groups[which]:
            other = others[7 * _POSITIONS[combination] % len(others)]
            for phrasing in (FULL[0], other):
                prompts.append(Prompt(phrasing.fill(combination._asdict()), str(combination)))
        return prompts

    @property
    def examples(self) -> list[str]:
        """A few prompts for a person to start from; the large orange star is of a combination never trained on."""
        return [
            "a large red star on blue", "a small green circle on white", "a huge yellow heart on black",
            "a tiny purple ring on white", "a large orange star on black", "a big blue square on yellow",
            "白色背景上的大红色星星", "draw a small orange triangle on blue",
        ]  # fmt: skip


def _caption(phrasing: Phrasing, combination: Combination) -> str:
    """One caption for each phrasing of each combination: every synonym occurs, and each text is encoded only once."""
    number = _NUMBERS.get(phrasing, len(phrasing.text))  # requests are too many to number; any will do
    return phrasing.fill(combination._asdict(), choice=_POSITIONS[combination] + number)


def _swapped(combination: Combination) -> Combination:
    """Shape and background with each other's colour, which need be none of the combinations."""
    return combination._replace(colour=combination.background, background=combination.colour)


def _without(combination: Combination, attribute: str) -> tuple[str, ...]:
    return tuple(value for name, value in zip(ATTRIBUTES, combination, strict=True) if name != attribute)


def _neighbours(combinations: list[Combination]) -> dict[str, dict[tuple[str, ...], list[Combination]]]:
    """Attribute -> the values of the other three -> the combinations that have those."""
    groups: dict = {name: defaultdict(list) for name in ATTRIBUTES}
    for combination, name in itertools.product(combinations, ATTRIBUTES):
        groups[name][_without(combination, name)].append(combination)
    return groups
