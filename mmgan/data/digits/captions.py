"""Captions of handwritten and spoken digits: many phrasings, English and Chinese, with attributes.

A phrasing is a string with slots: ``{d}`` the digit ("7" or "seven"), ``{ad}`` the digit with its article ("an 8"). The
others can carry attributes: ``{np}``, ``{strokes}`` and ``{slanted}`` are the noun phrase in three wordings ("a thin
seven leaning left", "a seven with thin strokes, leaning to the left", "a slender, left-slanting seven"); ``{spoken}``
and ``{say}`` add the speaking speed to a noun phrase (", spoken slowly") or to a request (" and say it slowly").
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CHINESE = "零一二三四五六七八九"

STROKE, LEAN, SPEED = ("thin", "thick"), ("left", "right", "upright"), ("slow", "fast")  # a caption names one of each
PICTURE_ATTRIBUTES, SOUND_ATTRIBUTES = STROKE + LEAN, SPEED
CONTRARY = {
    "thin": "thick", "thick": "thin", "left": "right", "right": "left", "upright": "left",
    "slow": "fast", "fast": "slow",
}  # fmt: skip
MOST_ATTRIBUTES = 2  # in one caption: people seldom name more, and the number of different captions stays small

# Phrasings without attributes.
PLAIN = (
    "{d}", "the digit {d}", "The number {d}.", "digit {d}", "number {d}", "the numeral {d}", "handwritten {d}",
    "a handwritten {d}", "the handwritten number {d}", "a handwritten digit {d}", "The handwritten digit {d}.",
    "the number {d} written by hand", "{d}, written by hand", "the figure {d} in handwriting", "a hand-drawn {d}",
    "someone's handwritten {d}", "draw the number {d}", "Write the digit {d}.", "please write the number {d}",
    "write {d}", "draw {d}", "show me the digit {d}", "I want to see the number {d}", "a picture of the number {d}",
    "a picture of a handwritten {d}", "an image of the digit {d}", "pen strokes that form the number {d}",
    "white ink on black: {d}", "say {d}", "Say the number {d}.", "a voice saying {d}", "someone saying {d}",
    "spoken {d}", "the spoken digit {d}", "the sound of someone saying {d}", "let me hear the number {d}",
    "a recording of the number {d}", "read {d} aloud", "please say and write the number {d}",
    "Write {d} and say it aloud.", "the number {d}, written and spoken", "the digit {d} to see and hear",
    "a person writes {d} and reads it out", "how the number {d} looks and sounds", "what does {ad} look like?",
    "can you write the number {d}?", "{ad}, please",
)  # fmt: skip

# Phrasings with places for attributes; they also work without any.
DETAILED = (
    "{np}{spoken}", "Draw {np}{say}.", "draw {np} for me{say}", "please write {np}{say}", "show me {np}{spoken}",
    "a picture of {np}{spoken}", "I would like {np}{spoken}", "can you draw {np}{say}?",
    "{strokes}{spoken}", "write {strokes}{say}", "An image of {strokes}{spoken}.", "I want {strokes}{spoken}",
    "{slanted}{spoken}", "please draw {slanted}{say}", "give me {slanted}{spoken}", "make {slanted}{say}",
)  # fmt: skip

# Chinese phrasings, each with the English one that means the same.
CHINESE_PLAIN = {
    "{d}": "{d}", "数字{d}": "the number {d}", "手写的{d}": "a handwritten {d}",
    "手写数字{d}": "the handwritten digit {d}", "手绘的数字{d}": "the number {d} written by hand",
    "写数字{d}": "write the number {d}", "画一个{d}": "draw {ad}", "请写出数字{d}": "please write the number {d}",
    "我想看数字{d}": "I want to see the number {d}", "数字{d}的图片": "a picture of the number {d}",
    "说数字{d}": "say the number {d}", "念出{d}": "read {d} aloud", "有人在说{d}": "someone saying {d}",
    "数字{d}的读音": "the sound of someone saying {d}", "让我听数字{d}": "let me hear the number {d}",
    "请写出并读出数字{d}": "please write and say the number {d}",
    "写一个{d}，再念出来": "write {ad} and say it aloud", "给我一个{d}": "give me {ad}",
    "写个{d}": "write {ad}", "帮我画个{d}": "draw {ad} for me", "来个{d}吧": "let me have {ad}",
    "写{d}给我看": "write {ad} for me to see", "请你念个{d}": "please say {d}",
}  # fmt: skip
CHINESE_DETAILED = {
    "{np}{spoken}": "{np}{spoken}", "写{np}{say}": "write {np}{say}", "请画{np}{say}": "please draw {np}{say}",
    "我想要{np}{spoken}": "I want {np}{spoken}", "{strokes}{spoken}": "{strokes}{spoken}",
    "给我画{strokes}{say}": "draw {strokes}{say}",
}  # fmt: skip

# Kept out of training, so that the evaluation also uses words that the generator has never seen.
HELD_OUT = ("could you write me {ad}, please?", "I'd love to see and hear the number {d} now")
HELD_OUT_CHINESE = {"麻烦你帮我写个{d}看看": "could you help me and write {ad}?"}
EVALUATED = ("a handwritten {d}", "the digit {d}")  # these two the generator knows


@dataclass(frozen=True)
class Phrasing:
    """One way to ask for a digit: ``english`` is what a Chinese ``text`` means, ``detailed`` ones take attributes."""

    text: str
    english: str | None = None
    detailed: bool = False


PHRASINGS = (
    *(Phrasing(text) for text in PLAIN),
    *(Phrasing(text, detailed=True) for text in DETAILED),
    *(Phrasing(text, english) for text, english in CHINESE_PLAIN.items()),
    *(Phrasing(text, english, detailed=True) for text, english in CHINESE_DETAILED.items()),
)
DETAILED_PHRASINGS = tuple(phrasing for phrasing in PHRASINGS if phrasing.detailed)


def _article(phrase: str) -> str:
    return ("an " if phrase.startswith(("8", "eight", "upright")) else "a ") + phrase


def _pick(attributes: tuple[str, ...], wordings: dict[str, str]) -> str:
    return next((wordings[name] for name in attributes if name in wordings), "")


def _english(template: str, digit: str, attributes: tuple[str, ...]) -> str:
    stroke, lean, speed = (_pick(attributes, {name: name for name in kind}) for kind in (STROKE, LEAN, SPEED))
    before = ", ".join(filter(None, (stroke, "upright" if lean == "upright" else "")))
    after = {"left": " leaning left", "right": " leaning right"}.get(lean, "")
    slots = {"d": digit, "ad": _article(digit), "np": _article(f"{before} {digit}".strip()) + after}
    with_strokes = f" with {stroke} strokes" if stroke else ""
    posture = {"left": "leaning to the left", "right": "leaning to the right", "upright": "standing upright"}.get(
        lean, ""
    )
    comma = ", " if stroke and posture else " " if posture else ""
    slots["strokes"] = _article(digit) + with_strokes + comma + posture
    adjectives = (
        {"thin": "slender", "thick": "bold"}.get(stroke, ""),
        {"left": "left-slanting", "right": "right-slanting", "upright": "straight"}.get(lean, ""),
    )
    slots["slanted"] = _article(f"{', '.join(filter(None, adjectives))} {digit}".strip())
    slots["spoken"] = {"slow": ", spoken slowly", "fast": ", spoken quickly"}.get(speed, "")
    slots["say"] = {"slow": " and say it slowly", "fast": " and say it quickly"}.get(speed, "")
    text = template.format(**slots)
    return text[0].upper() + text[1:] if template.endswith(".") else text


def _chinese(template: str, digit: str, attributes: tuple[str, ...]) -> str:
    stroke = _pick(attributes, {"thin": "细的", "thick": "粗的"})
    lean = _pick(attributes, {"left": "向左倾斜的", "right": "向右倾斜的", "upright": "端正的"})
    slots = {"d": digit, "np": "一个" + "、".join(filter(None, (stroke, lean))) + digit}
    stroke = _pick(attributes, {"thin": "笔画很细的", "thick": "笔画很粗的"})
    lean = _pick(attributes, {"left": "往左斜的", "right": "往右斜的", "upright": "写得很直的"})
    slots["strokes"] = "一个" + "、".join(filter(None, (stroke, lean))) + digit
    slots["spoken"] = _pick(attributes, {"slow": "，读得很慢", "fast": "，读得很快"})
    slots["say"] = _pick(attributes, {"slow": "，再慢慢地念出来", "fast": "，再快速地念出来"})
    return template.format(**slots)


@functools.lru_cache(maxsize=1 << 16)
def caption(phrasing: Phrasing, digit: int, numeral: bool = False, attributes: tuple[str, ...] = ()) -> str:
    """The phrasing for ``digit`` (0-9), as "7" or, in words, "seven" or "七"; attributes only in detailed phrasings."""
    if phrasing.english is not None:
        return _chinese(phrasing.text, str(digit) if numeral else CHINESE[digit], attributes)
    return _english(phrasing.text, str(digit) if numeral else WORDS[digit], attributes)


def contradict(attributes: tuple[str, ...]) -> tuple[str, ...]:
    """The opposite attributes, which make a caption false for both the picture and its sound."""
    return tuple(CONTRARY[name] for name in attributes)


def evaluation_prompts() -> list[tuple[str, int]]:
    """(prompt, digit): two phrasings of the training, then three that were held out, for each digit."""
    asked = [Phrasing(text) for text in (*EVALUATED, *HELD_OUT)]
    asked += [Phrasing(text, english) for text, english in HELD_OUT_CHINESE.items()]
    return [
        (caption(phrasing, digit, numeral=i in (1, 2)), digit)
        for i, phrasing in enumerate(asked)
        for digit in range(10)
    ]


def attribute_prompts() -> list[tuple[str, str, str]]:
    """(measured attribute, prompt, prompt whose picture or sound should measure more), three for each digit.

    The attributes are "thickness" (pixels), "slant" (radians, positive to the right) and "duration" (seconds), measured
    by :mod:`mmgan.data.digits.attributes`.
    """
    phrasing = DETAILED_PHRASINGS[0]
    pairs = (("thickness", "thin", "thick"), ("slant", "left", "right"), ("duration", "fast", "slow"))
    return [
        (measured, caption(phrasing, digit, False, (less,)), caption(phrasing, digit, False, (more,)))
        for measured, less, more in pairs
        for digit in range(10)
    ]
