"""Which augmentations leave captions true: a mirrored seven is no seven, and a brightened dark wall is not dark."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...language import Message
from ...models.modalities.augment import Allowed

COLOURS = (
    "red orange yellow green blue purple violet pink brown black white grey gray gold golden silver beige cyan magenta "
    "turquoise navy crimson scarlet teal maroon dark light bright pale dim colourful colorful night day sunny",
    "红橙黄绿蓝紫粉棕褐黑白灰金银色深浅亮暗夜",
)
PLACES = (
    "left right top bottom upper lower corner above below beside centre center middle edge leaning facing east west",
    "左右上下角旁中边东西",
)
# What is read, or has a hand: letters, numbers, signs, clocks.
READABLE = (
    "text letter letters word words digit digits number numbers numeral numerals sign signs writing written "
    "handwritten handwriting label "
    "logo font script alphabet clock watch map flag keyboard zero one two three four five six seven "
    "eight nine ten eleven twelve hand left-handed right-handed",
    "字数文写标钟表旗图零一二三四五六七八九十",
)
PITCHES = ("high low pitch pitched deep note tone octave bass treble soprano key chord melody", "高低音调")
LOUDNESS = ("loud quiet soft silent faint whisper shout louder quieter far near distant", "响轻静弱强远近")

ARTICLE = re.compile("一(?=[只个张条朵件头匹辆座棵位名幅阵声])")  # "one" as an article, not as a number


def allowed_by(captions: Iterable[str], colour_pictures: bool) -> Allowed:
    """Which augmentations rows under these captions (English or Chinese) allow; in doubt, fewer.

    Pictures are mirrored only where they are in colour and no caption speaks of anything that is read or lies on one
    side: grey pictures of a few dozen are mostly writing.
    """
    text = ARTICLE.sub("", "\n".join(captions).casefold())
    words = set(re.findall(r"[^\W\d_]+", text))

    def names(group: tuple[str, str]) -> bool:
        return bool(words & set(group[0].split())) or any(character in text for character in group[1])

    readable = names(READABLE) or bool(re.search(r"\d", text)) or any(len(w) == 1 and w not in "aio" for w in words)
    return Allowed(
        flip=colour_pictures and not readable and not names(PLACES),
        colour=not names(COLOURS), place=not names(PLACES), gain=not names(LOUDNESS), pitch=not names(PITCHES),
    )  # fmt: skip


def notes(allowed: Allowed) -> list[Message]:
    """Notes on what is not augmented because captions name it; [] if all is."""
    words = {"colour": "brightness", "place": "places", "gain": "loudness", "pitch": "pitch"}
    kept = [Message(f"finetune.{word}") for name, word in words.items() if not getattr(allowed, name)]
    return [Message("finetune.not_augmented", listed=kept)] if kept else []
