"""The emoji: pictures of named things in four art styles, and what can be asked for beside them.

A row asks for a thing by its name or keywords, in English or Chinese; or for a thing in a style; or in a colour; or for
two things. The bank of pictures has all of these, each a function of its index:

=============== ================================================================================================
plain           every style's picture of every thing of the split
coloured        every plain picture in each of :data:`~mmgan.data.emoji.colours.COLOURS`
two things      pairs of things of the split, each pair in four styles
=============== ================================================================================================

The test split has the 64 things whose pictures no training sees, plain or beside others. Where ESC-10's recordings are
on this machine (:mod:`mmgan.data.emoji.sounds`), ten of the things have sounds as well.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...errors import DataError
from ..base import Dataset, Prompt, Row
from . import asking, captions
from .captions import STYLES
from .colours import COLOURS, has_colour, main_hue, recoloured
from .files import decoded, load_concepts, packed_pictures
from .showing import together
from .sounds import load_sounds

SPLITS = {"train": False, "test": True}  # name: whether it has the things held out
KINDS = {asking.PLAIN: 0.5, asking.STYLE: 0.25, asking.COLOUR: 0.13, asking.TWO: 0.12}  # shares of the rows
PAIRS = {"train": 5_000, "test": 100}
SOUNDING_SHARE = 0.1  # of the rows are of things with sounds, where there are any
NEAR_SHARE = 0.5  # of the wrong captions name a thing of the same group
HUE_SIDE = 64  # pixels of the picture whose main hue is looked for
COLOUR_WORDS = tuple(COLOURS)


@dataclass(frozen=True)
class Picture:
    """A plain picture: the place of its concept, its style, and its file."""

    concept: int
    style: str
    packed: bytes


class Emoji(Dataset):
    """Emoji; see the module's text.

    Attributes:
        known: all concepts, of both splits, in emoji order.
        things: places of this split's concepts among them.
        pictures: the plain pictures, first of one style, then of the next.

    Raises:
        DataError: a split other than "train" or "test"; files absent or broken.
    """

    name = "emoji"
    image_channels = 3

    def __init__(self, split: str = "train"):
        if split not in SPLITS:
            raise DataError("emoji.no_split", split=split)
        self.split = split
        self.known = load_concepts()
        self.things = [place for place, concept in enumerate(self.known) if concept.held_out == SPLITS[split]]
        places = {self.known[place].hexcode: place for place in self.things}
        self.pictures = [
            Picture(places[code], style, packed)
            for style in STYLES
            for code, packed in packed_pictures(style)
            if code in places
        ]
        self.of: dict[int, list[int]] = {}  # a concept's pictures
        for index, picture in enumerate(self.pictures):
            self.of.setdefault(picture.concept, []).append(index)
        self.things = [place for place in self.things if place in self.of]
        self._hues: dict[int, int | None] = {}
        self._load_sounds()

    def _load_sounds(self) -> None:
        places = {concept.hexcode: place for place, concept in enumerate(self.known)}
        self._clips, codes = load_sounds(self.split)
        heard = [index for index, code in enumerate(codes) if code in places and self._may_sound(places[code])]
        self._clips, self._clip_of = self._clips[heard], [places[codes[index]] for index in heard]
        self.sounding: dict[int, list[int]] = {}  # a concept's sounds
        for index, place in enumerate(self._clip_of):
            self.sounding.setdefault(place, []).append(index)

    def _may_sound(self, place: int) -> bool:
        """Sounds of a held-out thing are not for training; the test split has other recordings of any thing."""
        return self.split == "test" or not self.known[place].held_out

    # ---------------------------------------------------------------------------------------------------- the banks

    @property
    def num_images(self) -> int:
        return len(self.pictures) * (1 + len(COLOURS)) + len(self.pairs) * len(STYLES)

    @property
    def num_sounds(self) -> int:
        return len(self._clips)

    @functools.cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of things of the split, drawn once."""
        draw = random.Random(f"pairs of {self.split}")
        most = PAIRS[self.split] if len(self.things) > 1 else 0
        drawn = (draw.sample(self.things, 2) for _ in range(most))
        return sorted({(min(pair), max(pair)) for pair in drawn})

    def plain(self, index: int) -> Image.Image:
        """Plain picture ``index``, RGB, 128 x 128."""
        return decoded(self.pictures[index].packed, self.pictures[index].style)

    def hue(self, index: int) -> int | None:
        """The main hue of plain picture ``index`` (:func:`~mmgan.data.emoji.colours.main_hue`)."""
        if index not in self._hues:
            small = self.plain(index).resize((HUE_SIDE, HUE_SIDE), Image.Resampling.BOX)
            self._hues[index] = main_hue(small)
        return self._hues[index]

    def coloured(self, index: int, colour: str) -> int:
        """Where the bank has plain picture ``index`` in a colour."""
        return len(self.pictures) + index * len(COLOURS) + COLOUR_WORDS.index(colour)

    def paired(self, pair: int, style: int) -> int:
        """Where the bank has a pair of things, by the pair's place and the style's."""
        return len(self.pictures) * (1 + len(COLOURS)) + pair * len(STYLES) + style

    def image(self, index: int) -> Image.Image:
        kind, which, how = self._where(index)
        if kind == asking.TWO:
            return together(*(self.plain(self._in_style(place, how)) for place in self.pairs[which]))
        picture = self.plain(which)
        if kind == asking.COLOUR:
            colour, hue = COLOURS[COLOUR_WORDS[how]], self.hue(which)
            if hue is not None and not has_colour(hue, colour):
                return recoloured(picture, hue, colour)
        return picture

    def _where(self, index: int) -> tuple[str, int, int]:
        """What picture ``index`` is: its kind; which plain picture or pair; in which colour or style."""
        if not 0 <= index < self.num_images:
            raise IndexError(f"emoji {self.split} has no picture {index}")
        if index < len(self.pictures):
            return asking.PLAIN, index, 0
        index -= len(self.pictures)
        if index < len(self.pictures) * len(COLOURS):
            return asking.COLOUR, *divmod(index, len(COLOURS))
        return asking.TWO, *divmod(index - len(self.pictures) * len(COLOURS), len(STYLES))

    def _in_style(self, place: int, style: int) -> int:
        """A thing's picture in that style, or in the first that it has."""
        name = tuple(STYLES)[style]
        return next((index for index in self.of[place] if self.pictures[index].style == name), self.of[place][0])

    def sound(self, index: int) -> np.ndarray:
        return self._clips[index].astype(np.float32) / 32768

    def image_concept(self, index: int) -> str:
        kind, which, how = self._where(index)
        if kind == asking.TWO:
            return asking.name(self.known, *self.pairs[which])
        return asking.name(
            self.known, self.pictures[which].concept, colour=COLOUR_WORDS[how] if kind == asking.COLOUR else ""
        )

    def sound_concept(self, index: int) -> str:
        return self.known[self._clip_of[index]].english

    @functools.cached_property
    def concepts(self) -> list[str]:
        """The things by themselves, in each colour, and in pairs."""
        alone = [asking.name(self.known, place) for place in {*self.things, *self.sounding}]
        coloured = [asking.name(self.known, place, colour=word) for place in self.things for word in COLOURS]
        return sorted({*alone, *coloured, *(asking.name(self.known, *pair) for pair in self.pairs)})

    # ------------------------------------------------------------------------------------------------------ captions

    @functools.cached_property
    def _names(self) -> set[str]:
        return {concept.english for concept in self.known}

    @functools.cached_property
    def _by_group(self) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = {}
        for place in self.things:
            groups.setdefault(self.known[place].group, []).append(place)
        return groups

    @functools.cached_property
    def _with_sounds(self) -> list[int]:
        return [place for place in self.things if place in self.sounding]

    def colours_of(self, place: int) -> list[str]:
        """The colours that a thing can be asked for in: none where fewer than half of its pictures have a main hue."""
        hues = [self.hue(index) for index in self.of[place]]
        if 2 * sum(hue is not None for hue in hues) < len(hues):
            return []
        return asking.may_have(self.known[place], self._names)

    def rows(self, rng: np.random.Generator, count: int) -> list[Row]:
        """Twins are of one thing, in the same colour or beside the same other thing; their styles may differ."""
        rows = []
        for seed in rng.integers(2**63, size=(count + 1) // 2):
            draw = random.Random(int(seed))
            kind = draw.choices(list(KINDS), list(KINDS.values()))[0]
            sounds = self._with_sounds and kind in (asking.PLAIN, asking.STYLE) and draw.random() < SOUNDING_SHARE
            place = draw.choice(self._with_sounds if sounds else self.things)
            words = self.colours_of(place) if kind == asking.COLOUR else []
            if kind == asking.TWO and self.pairs:
                pair = draw.randrange(len(self.pairs))
                rows += [self._two(pair, style, draw) for style in draw.sample(range(len(STYLES)), 2)]
            elif words:
                word = draw.choice(words)
                bright = [index for index in self.of[place] if self.hue(index) is not None]
                rows += [self._coloured(place, word, index, draw) for index in _two_of(bright, draw)]
            else:
                rows += [self._single(place, kind, index, draw) for index in _two_of(self.of[place], draw)]
        return rows[:count]

    def _single(self, place: int, kind: str, index: int, draw: random.Random) -> Row:
        concept, style = self.known[place], self.pictures[index].style
        other = self._other(place, draw)
        if kind == asking.STYLE:
            text = draw.choice(list(captions.styled(concept, style, draw)))
            if draw.random() < 0.5:
                wrong = captions.styled(concept, draw.choice([name for name in STYLES if name != style]), draw)
            else:
                wrong = captions.styled(self.known[other], style, draw)
        else:
            text = draw.choice([*captions.plain(concept), *captions.with_keywords(concept, draw)])
            wrong = captions.plain(self.known[other])
        sounds = self.sounding.get(place)
        sound = draw.choice(sounds) if sounds else None
        return Row(text, draw.choice(list(wrong)), index, sound, concept.english)

    def _coloured(self, place: int, word: str, index: int, draw: random.Random) -> Row:
        concept = self.known[place]
        text = draw.choice(list(captions.coloured(concept, COLOURS[word], draw)))
        if draw.random() < 0.5:
            wrong = concept, draw.choice([other for other in COLOURS if other != word])
        else:
            wrong = self.known[self._other(place, draw)], word
        wrong_text = draw.choice(list(captions.coloured(wrong[0], COLOURS[wrong[1]], draw)))
        return Row(text, wrong_text, self.coloured(index, word), None, asking.name(self.known, place, colour=word))

    def _two(self, pair: int, style: int, draw: random.Random) -> Row:
        first, second = self.pairs[pair]
        kept = draw.choice((first, second))
        other = self._other(kept, draw)
        while other in (first, second) and len(self.things) > 2:
            other = draw.choice(self.things)
        text = captions.two(self.known[first], self.known[second], draw)
        wrong = captions.two(self.known[kept], self.known[other], draw)
        return Row(text, wrong, self.paired(pair, style), None, asking.name(self.known, first, second))

    def _other(self, place: int, draw: random.Random) -> int:
        """Another thing of the split, half the time of the same group."""
        near = self._by_group[self.known[place].group]
        among = near if len(near) > 1 and draw.random() < NEAR_SHARE else self.things
        return next((other for other in draw.sample(among, min(2, len(among))) if other != place), place)

    # ------------------------------------------------------------------------------------------------------- prompts

    @functools.cached_property
    def asked(self) -> list[asking.Asked]:
        """What :meth:`prompts` ask for, in their order. Those in colours are of this split's things alone."""
        return asking.prompts(
            self.known, lambda place: place in self.of and bool(self.colours_of(place)), self._with_sounds
        )

    def prompts(self) -> list[Prompt]:
        """Things seen, in styles, in colours, in pairs, and things held out, in phrasings that training never uses."""
        return [Prompt(a.text, asking.name(self.known, a.first, a.second, a.colour)) for a in self.asked]

    @property
    def examples(self) -> list[str]:
        """A few prompts for a person to start from; no emoji is a purple dog, nor an apple beside a rocket."""
        return [
            "a red apple", "fox", "a purple dog", "an apple next to a rocket", "flat design octopus", "一只猫",
            "a 3D rendered rocket", "蓝色的蝴蝶", "a green heart", "twitter style pizza", "a picture of a castle",
            "火山",
        ]  # fmt: skip


def _two_of(items: list[int], draw: random.Random) -> list[int]:
    """Two different ones, the same twice where there is but one."""
    return draw.sample(items, 2) if len(items) > 1 else items * 2
