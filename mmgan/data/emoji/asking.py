"""What can be asked of a model of the emoji: the meaning of a caption, and the evaluation's prompts."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from . import captions
from .captions import Concept
from .colours import COLOURS

PLAIN, STYLE, COLOUR, TWO, NEW = "plain", "style", "colour", "two", "new"
COUNTS = {PLAIN: 300, STYLE: 120, COLOUR: 120, TWO: 120}  # prompts of an evaluation; NEW are two of each held-out one
AND, COLON = " + ", ": "


@dataclass(frozen=True)
class Asked:
    """A prompt's meaning, in places of the list of concepts.

    Attributes:
        kind: one of the five above; "new" is a thing whose pictures training never saw.
        first, second: the things; second None: one alone.
        style, colour: keys of ``captions.STYLES`` and ``COLOURS``; "": open.
    """

    text: str
    kind: str
    first: int
    second: int | None = None
    style: str = ""
    colour: str = ""


def name(concepts: Sequence[Concept], first: int, second: int | None = None, colour: str = "") -> str:
    """The dataset's name of a concept: "dog face", "blue: dog face" or "cat face + dog face"."""
    if second is not None:
        return AND.join(sorted((concepts[first].english, concepts[second].english)))
    return f"{colour}{COLON}{concepts[first].english}" if colour else concepts[first].english


def things(concept: str) -> tuple[tuple[str, ...], str]:
    """The English names in a concept as :func:`name` writes it, and its colour's word or ""."""
    colour, colon, rest = concept.partition(COLON)
    if colon and colour in COLOURS:
        return (rest,), colour
    return tuple(concept.split(AND)), ""


def may_have(concept: Concept, known: Iterable[str]) -> list[str]:
    """The colours in which a thing can be asked for: those that do not make it another thing ("red heart")."""
    others = set(known) - {concept.english}
    return [word for word, colour in COLOURS.items() if captions.in_colour(concept.english, colour) not in others]


def prompts(concepts: Sequence[Concept], coloured: Callable[[int], bool], always: Sequence[int] = ()) -> list[Asked]:
    """Prompts that no caption of training has word for word, the same for the same concepts.

    Args:
        coloured: whether the pictures of the concept at a place have a main colour.
        always: places of concepts that are asked for, whatever is drawn.
    """
    return list({asked.text: asked for asked in _prompts(concepts, coloured, always, random.Random(1))}.values())


def _prompts(
    concepts: Sequence[Concept], coloured: Callable[[int], bool], always: Sequence[int], draw: random.Random
) -> Iterator[Asked]:
    seen = [place for place, concept in enumerate(concepts) if not concept.held_out]
    known = {concept.english for concept in concepts}

    def some(places: Sequence[int], kind: str) -> list[int]:
        return draw.sample(list(places), min(COUNTS[kind], len(places)))

    for place in dict.fromkeys((*always, *some(seen, PLAIN))):
        yield _plain(concepts, place, PLAIN, draw)
    for place in some(seen, STYLE):
        style = draw.choice(list(captions.STYLES))
        word = draw.choice(captions.STYLES[style][0])
        text = captions.phrase(draw.choice(captions.HELD_OUT_STYLED), concepts[place].english, word)
        yield Asked(text, STYLE, place, style=style)
    for place in itertools.islice(filter(coloured, draw.sample(seen, len(seen))), COUNTS[COLOUR]):
        colour = draw.choice(may_have(concepts[place], known))
        asked_for = captions.in_colour(concepts[place].english, COLOURS[colour])
        text = captions.phrase(draw.choice(captions.HELD_OUT), asked_for)
        yield Asked(text, COLOUR, place, colour=colour)
    for _ in range(COUNTS[TWO] if len(seen) > 1 else 0):
        first, second = draw.sample(seen, 2)
        names = concepts[first].english, concepts[second].english
        text = captions.phrase(draw.choice(captions.HELD_OUT_TWO), names[0], other=names[1])
        yield Asked(text, TWO, first, second)
    for place, concept in enumerate(concepts):
        if concept.held_out:
            yield _plain(concepts, place, NEW, draw)
            yield Asked(captions.phrase(captions.HELD_OUT_CHINESE[0], concept.chinese), NEW, place)


def _plain(concepts: Sequence[Concept], place: int, kind: str, draw: random.Random) -> Asked:
    pattern = draw.choice((*captions.HELD_OUT, *captions.HELD_OUT_CHINESE))
    chinese = pattern in captions.HELD_OUT_CHINESE and kind != NEW
    pattern = pattern if chinese or pattern in captions.HELD_OUT else captions.HELD_OUT[0]
    return Asked(captions.phrase(pattern, concepts[place].chinese if chinese else concepts[place].english), kind, place)
