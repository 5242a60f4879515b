"""Every caption of digits and shapes, each Chinese one with its English, for a text encoder to learn from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from mmgan.data.digits import captions as digits
from mmgan.data.shapes import captions as shapes
from mmgan.data.shapes.dataset import ALL_COMBINATIONS


def digits_captions(limit: int | None = None, seed: int = 0) -> list[tuple[str, str | None]]:
    """Every caption that training can draw, in an order fixed by ``seed``, as (caption, English or None).

    The second item is what a Chinese caption means in English; English captions have None. ``limit`` keeps the first.
    The phrasings held out for the evaluation are not among them.
    """
    found: dict[str, str | None] = {}
    for phrasing, digit, numeral in itertools.product(digits.PHRASINGS, range(10), (False, True)):
        for names in attribute_sets() if phrasing.detailed else [()]:
            text = digits.caption(phrasing, digit, numeral, names)
            plain = phrasing.english and digits.caption(digits.Phrasing(phrasing.english), digit, numeral, names)
            found.setdefault(text, plain if plain != text else None)
    items = list(found.items())
    return [items[i] for i in np.random.default_rng(seed).permutation(len(items))][:limit]


def attribute_sets() -> Iterator[tuple[str, ...]]:
    """Every set of attributes that a caption of a digit can name: none, one, or two of different kinds."""
    for chosen in itertools.product(*((None, *kind) for kind in (digits.STROKE, digits.LEAN, digits.SPEED))):
        names = tuple(name for name in chosen if name)
        if len(names) <= digits.MOST_ATTRIBUTES:
            yield names


def shapes_captions(limit: int | None = None, seed: int = 0) -> list[tuple[str, str | None]]:
    """Distinct captions of every combination, phrasing and synonym.

    Args:
        limit: how many to return, drawn at random by ``seed``; None returns all, in a fixed order.

    Returns:
        (caption, None) in English, or (caption, a plain English caption that says the same) in Chinese.
    """
    captions = {}
    for phrasing, combination in itertools.product(shapes.ALL_PHRASINGS, ALL_COMBINATIONS):
        values = combination._asdict()
        plain = english(phrasing, values) if phrasing.chinese else None
        captions.update((caption, plain) for caption in fill_all(phrasing, values))
    pairs = list(captions.items())
    if limit is None or limit >= len(pairs):
        return pairs
    return [pairs[i] for i in np.random.default_rng(seed).choice(len(pairs), limit, replace=False)]


def fill_all(phrasing: shapes.Phrasing, values: Mapping[str, str]) -> list[str]:
    """The caption of a combination in every choice of synonyms."""
    choices = [phrasing.words(name, values[name]) for name in phrasing.mentions]
    return [
        shapes.with_article(phrasing.text.format(**dict(zip(phrasing.mentions, words, strict=True))))
        for words in itertools.product(*choices)
    ]


def english(phrasing: shapes.Phrasing, values: Mapping[str, str]) -> str:
    """A plain English caption that mentions exactly what ``phrasing`` mentions."""
    named = phrasing.mentions
    adjectives = " ".join(values[name] for name in ("size", "colour") if name in named)
    noun = f"{adjectives} {values['shape']}".strip() if "shape" in named else f"something {adjectives}".strip()
    text = f"a {noun}" if "shape" in named else noun
    return shapes.with_article(f"{text} on {values['background']}" if "background" in named else text)
