"""Captions of emoji: names and keywords in English and Chinese, with the words for styles, colours and two things."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .colours import COLOURS, Colour

# The art styles: the tar's name -> words for it, English and Chinese.
STYLES = {
    "fluent3d": (("3d", "3D rendered", "three-dimensional", "glossy 3d"), ("立体", "三维")),
    "fluentflat": (("flat", "flat design", "simple flat"), ("扁平", "平面")),
    "noto": (("noto", "android style", "shaded cartoon", "cartoon"), ("安卓风格", "卡通")),
    "twemoji": (("twemoji", "twitter style", "sticker"), ("推特风格", "贴纸")),
}
PLAIN = (
    "{n}", "{a}", "a picture of {a}", "an emoji of {a}", "draw {a}", "{n} emoji", "the {n}", "an icon of {a}",
    "show me {a}", "an image of {a}", "I want {a}", "{a}, please", "a drawing of {a}", "paint {a}",
)  # fmt: skip
STYLED = ("{a_s}", "{n}, {s}", "{s} {n} emoji", "{a} in {s} style", "a {s} picture of {a}", "{n} drawn {s}", "{s} {n}")
CHINESE = ("{n}", "一个{n}", "{n}的图片", "画一个{n}", "{n}表情", "给我看{n}", "请画{n}")
CHINESE_STYLED = ("{s}{n}", "{s}的{n}", "{n}，{s}", "一个{s}的{n}")
TWO = ("{a} and {b}", "{a} with {b}", "{a} next to {b}", "{m} and {n}", "{a} beside {b}", "draw {a} and {b}")
CHINESE_TWO = ("{m}和{n}", "{m}与{n}", "一个{m}和一个{n}", "{m}旁边有{n}")

# Kept out of training, for the evaluation.
HELD_OUT = ("please make {a}", "I would like to see {a}", "could you paint {a}?", "{a} on white")
HELD_OUT_CHINESE = ("我想看{n}",)
HELD_OUT_STYLED = ("make {a}, {s}", "I would like {a_s}")
HELD_OUT_TWO = ("please show {a} together with {b}", "I would like {a} and {b}")


@dataclass(frozen=True)
class Concept:
    """One thing. Keywords and names are as emojibase gives them."""

    hexcode: str
    english: str
    chinese: str
    keywords: tuple[str, ...] = ()
    chinese_keywords: tuple[str, ...] = ()
    group: str = ""
    held_out: bool = False


def article(name: str) -> str:
    """The name with "a" or "an" before it, as its first letter suggests."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def phrase(pattern: str, name: str, style: str = "", other: str = "") -> str:
    """A pattern with a name, a style's word and a second name put in."""
    styled = f"{style} {name}"
    return pattern.format(n=other or name, m=name, a=article(name), b=article(other), s=style, a_s=article(styled))


def plain(concept: Concept) -> Iterator[str]:
    """Captions that leave the style open."""
    yield from (phrase(pattern, concept.english) for pattern in PLAIN)
    yield from (phrase(pattern, concept.chinese) for pattern in CHINESE)


def with_keywords(concept: Concept, draw: random.Random) -> Iterator[str]:
    """Captions that add keywords to the name."""
    words = [word for word in concept.keywords if word != concept.english]
    yield from (f"{word}, {concept.english}" for word in draw.sample(words, min(3, len(words))))
    if len(words) >= 2:
        yield f"{' '.join(draw.sample(words, 2))} {concept.english}"
    chinese = [word for word in concept.chinese_keywords if word != concept.chinese]
    yield from (f"{word}，{concept.chinese}" for word in draw.sample(chinese, min(2, len(chinese))))


def styled(concept: Concept, style: str, draw: random.Random) -> Iterator[str]:
    """A few captions that name the style."""
    english, chinese = STYLES[style]
    for pattern in draw.sample(STYLED, 4):
        yield phrase(pattern, concept.english, draw.choice(english))
    yield phrase(draw.choice(CHINESE_STYLED), concept.chinese, draw.choice(chinese))


def in_colour(name: str, colour: Colour) -> str:
    """The English name with the colour's word, in place of one that it has."""
    other = "|".join([*COLOURS, "white", "light blue", "gray"])
    replaced, count = re.subn(rf"\b(?:{other})\b", colour.english, name, count=1)
    return replaced if count else f"{colour.english} {name}"


def coloured(concept: Concept, colour: Colour, draw: random.Random) -> Iterator[str]:
    """A few captions that name the colour."""
    name = in_colour(concept.english, colour)
    yield from (phrase(pattern, name) for pattern in draw.sample(PLAIN, 2))
    if not any(known.chinese[0] in concept.chinese for known in COLOURS.values()) and "白" not in concept.chinese:
        yield phrase(draw.choice(CHINESE), f"{colour.chinese}的{concept.chinese}")


def two(first: Concept, second: Concept, draw: random.Random) -> str:
    """A caption that names two things, in either order."""
    pair = [first, second]
    draw.shuffle(pair)
    if draw.random() < 0.2:
        return phrase(draw.choice(CHINESE_TWO), pair[0].chinese, other=pair[1].chinese)
    return phrase(draw.choice(TWO), pair[0].english, other=pair[1].english)
