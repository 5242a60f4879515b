"""How the shapes dataset is spoken of: phrasings, synonyms and partial captions, in English and Chinese.

A phrasing is a format string over the four attributes. One that leaves attributes out is true of every combination that
agrees with what it does mention; a wrong caption must therefore differ in something that is mentioned.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

ATTRIBUTES = ("size", "colour", "shape", "background")
CANONICAL = "{size} {colour} {shape} on {background}"

ENGLISH_FULL = (
    "a {size} {colour} {shape} on {background}",
    "a {size} {colour} {shape} on a {background} background",
    "a {size}, {colour} {shape} against {background}",
    "the {size} {colour} {shape} on {background}",
    "one {size} {colour} {shape} on a {background} background",
    "{shape}, {colour}, {size}, {background} background",
    "{colour} {shape}, {size}, {background} background",
    "{size} {shape}, {colour} on {background}",
    "a {colour} {shape}, {size}, on {background}",
    "a {size} {shape} in {colour} on {background}",
    "a {size} {shape}, coloured {colour}, on {background}",
    "a {shape} that is {size} and {colour}, on {background}",
    "a {shape}, {size} and {colour}, in front of {background}",
    "the {shape} is {size} and {colour}, the background is {background}",
    "draw a {size} {colour} {shape} on {background}",
    "draw me a {size} {colour} {shape} on a {background} background",
    "paint a {size} {shape} in {colour} on a {background} background",
    "show me a {size} {colour} {shape} on {background}",
    "I want a {size} {colour} {shape} on a {background} background",
    "please make a {size} {colour} {shape} on {background}",
    "a picture of a {size} {colour} {shape} on {background}",
    "an image of a {size} {colour} {shape} on a {background} background",
    "a drawing of a {size} {colour} {shape} on {background}",
    "there is a {size} {colour} {shape} on a {background} background",
    "on a {background} background, a {size} {colour} {shape}",
    "on {background}, a {size} {colour} {shape}",
    "{background} background with a {size} {colour} {shape}",
    "a {background} picture with a {size} {colour} {shape} in it",
    "the sound of a {size} {colour} {shape} on {background}",
    "a {size} {colour} {shape} on {background}, and how it sounds",
)
ENGLISH_PART = (
    "a {size} {colour} {shape}",
    "{size} {colour} {shape}",
    "draw a {size} {colour} {shape}",
    "a {colour} {shape} on {background}",
    "a {colour} {shape} on a {background} background",
    "a {size} {shape} on {background}",
    "a {colour} {shape}",
    "draw a {colour} {shape}",
    "a {size} {shape}",
    "a {shape} on a {background} background",
    "something {size} and {colour} on {background}",
    "something {size} and {colour}",
    "something {colour} on {background}",
    "a {shape}",
    "the sound of a {shape}",
)
CHINESE_FULL = (
    "{background}背景上的{size}{colour}{shape}",
    "{background}背景上的一个{size}{colour}{shape}",
    "一个{size}{colour}{shape}，{background}背景",
    "{size}的{colour}{shape}，背景是{background}",
    "画一个{size}{colour}{shape}，{background}背景",
    "请画{background}背景上的一个{size}{colour}{shape}",
    "一张{size}{colour}{shape}的图片，背景是{background}",
    "在{background}背景上，有一个{size}{colour}{shape}",
    "{shape}，{colour}，{size}，{background}背景",
    "{background}背景，{colour}的{size}{shape}",
)
CHINESE_PART = (
    "{size}{colour}{shape}",
    "一个{size}{colour}{shape}",
    "{background}背景上的{colour}{shape}",
    "一个{colour}的{shape}",
    "画一个{colour}{shape}",
    "一个{size}{shape}",
    "{shape}",
)

# Parts of requests for all four attributes; {z} is "one" or nothing. The requests in
# scripts/text_encoder/compare.py are left out.
CHINESE_OPENERS = (
    "", "", "", "请画", "画", "帮我画", "请帮我画", "给我", "给我看", "让我看看", "我想看", "我想要", "来",
    "能不能画", "可以给我看", "麻烦你画", "老师让我画", "生成", "做",
)  # fmt: skip
CHINESE_DESCRIPTIONS = (
    "{z}{size}{colour}{shape}，{background}背景", "{z}{size}的{colour}{shape}，{background}的背景",
    "{z}{size}{colour}的{shape}，背景要{background}", "{z}{colour}{shape}，{size}的，背景用{background}",
    "{z}{colour}的{size}{shape}，放在{background}上", "在{background}背景上的{z}{size}{colour}{shape}",
    "{background}背景上{z}{size}的{colour}{shape}", "{background}底上的{z}{size}{colour}{shape}",
    "{background}背景里的{z}{colour}{size}{shape}", "{background}纸上的{z}{size}{colour}{shape}",
    "{z}{size}{shape}，{colour}的，底色是{background}", "{z}{shape}，{size}，颜色是{colour}，背景是{background}",
    "{z}{background}背景的图，上面是{size}的{colour}{shape}",
)  # fmt: skip
CHINESE_ENDINGS = ("", "", "", "", "吧", "，谢谢", "，好吗", "可以吗", "的图片")
ENGLISH_OPENERS = (
    "can you draw", "could you make", "would you draw", "draw us", "give me", "let me see", "I would like",
    "I'd like to see", "we want", "make me", "my teacher asked for", "here is", "imagine", "what about",
)  # fmt: skip
ENGLISH_DESCRIPTIONS = tuple(text for text in ENGLISH_FULL if text.startswith("a {"))
ENGLISH_ENDINGS = ("", "", "", "", ", please", ", thanks", ", with its sound")

ENGLISH_WORDS: dict[str, dict[str, tuple[str, ...]]] = {  # the first word of each is the attribute's own value
    "size": {"large": ("large", "big", "huge"), "small": ("small", "tiny", "little")},
    "colour": {"purple": ("purple", "violet")},
    "shape": {"circle": ("circle", "disc"), "ring": ("ring", "hoop")},
    "background": {},
}
_CHINESE_COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("红色",),
    "orange": ("橙色",),
    "yellow": ("黄色",),
    "green": ("绿色",),
    "blue": ("蓝色",),
    "purple": ("紫色",),
    "white": ("白色",),
    "black": ("黑色",),
}
CHINESE_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "size": {"large": ("大", "巨大"), "small": ("小", "微小")},
    "colour": _CHINESE_COLOURS,
    "shape": {
        "circle": ("圆形", "圆"),
        "square": ("正方形", "方块"),
        "triangle": ("三角形",),
        "star": ("星星", "五角星"),
        "heart": ("心形", "爱心"),
        "ring": ("圆环",),
    },
    "background": _CHINESE_COLOURS,
}


@dataclass(frozen=True)
class Phrasing:
    """A format string over some of the four attributes, in English or Chinese."""

    text: str
    chinese: bool = False

    @cached_property
    def mentions(self) -> tuple[str, ...]:
        """The attributes that it names, in the order of ``ATTRIBUTES``."""
        return tuple(name for name in ATTRIBUTES if f"{{{name}}}" in self.text)

    def words(self, attribute: str, value: str) -> tuple[str, ...]:
        """The words for one value of an attribute, the plainest first."""
        return (CHINESE_WORDS if self.chinese else ENGLISH_WORDS)[attribute].get(value, (value,))

    def fill(self, values: Mapping[str, str], choice: int = 0) -> str:
        """The caption of a combination, in the plainest words or, by ``choice`` (0, 1, 2, ...), with other synonyms."""
        chosen = {}
        for name in self.mentions:
            words = self.words(name, values[name])
            choice, place = divmod(choice, len(words))
            chosen[name] = words[place]
        return with_article(self.text.format(**chosen))


def with_article(text: str) -> str:
    """The text with "an" where a vowel follows."""
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


FULL = (Phrasing(CANONICAL), *map(Phrasing, ENGLISH_FULL))
PART = tuple(map(Phrasing, ENGLISH_PART))
FULL_CHINESE = tuple(Phrasing(text, True) for text in CHINESE_FULL)
PART_CHINESE = tuple(Phrasing(text, True) for text in CHINESE_PART)
# These are filled with every combination; requests are too many for that.
ALL_PHRASINGS = FULL + PART + FULL_CHINESE + PART_CHINESE
# Requests put together; an opener or ending listed twice is twice as frequent.
ASKED = tuple(
    Phrasing(f"{opener} {description}{ending}")
    for opener, description, ending in itertools.product(ENGLISH_OPENERS, ENGLISH_DESCRIPTIONS, ENGLISH_ENDINGS)
)
ASKED_CHINESE = tuple(
    Phrasing(opener + description.replace("{z}", one) + ending, True)
    for opener, description, one, ending in itertools.product(
        CHINESE_OPENERS, CHINESE_DESCRIPTIONS, ("", "一个"), CHINESE_ENDINGS
    )
)
# How often a training caption is of each kind: mostly all four attributes, so that every row teaches every attribute.
SHARES = (
    (0.20, FULL[:1]), (0.37, FULL[1:]), (0.15, PART), (0.08, FULL_CHINESE), (0.04, PART_CHINESE),
    (0.06, ASKED), (0.10, ASKED_CHINESE),
)  # fmt: skip
_BOUNDS = np.cumsum([share for share, _ in SHARES])[:-1]


def draw_phrasing(rng: np.random.Generator) -> Phrasing:
    """A phrasing at random, by ``SHARES``."""
    group = SHARES[np.searchsorted(_BOUNDS, rng.random(), side="right")][1]
    return group[rng.integers(len(group))]
