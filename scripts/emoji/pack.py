"""Packs the emoji's pictures, captions and their embeddings into one file for :mod:`scripts.emoji.remember`.

python -m scripts.emoji.pack OUT.npz
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from mmgan.data.emoji import asking, captions
from mmgan.data.emoji.colours import COLOURS, main_hue
from mmgan.data.emoji.files import load_concepts, load_pictures
from mmgan.text.encoder import TextEncoder

SIDE = 64
PAIRS, TESTED_PAIRS = 60_000, 500
ALL = -1  # in place of a style, colour or second thing: none named


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    concepts, styles, draw = load_concepts(), list(captions.STYLES), random.Random(0)
    index = {concept.hexcode: number for number, concept in enumerate(concepts)}
    images, concept_of, style_of, hues = [], [], [], []
    for number, style in enumerate(styles):
        for hexcode, picture in load_pictures(style):
            small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
            hue = main_hue(small)
            images.append(np.asarray(small))
            concept_of.append(index[hexcode])
            style_of.append(number)
            hues.append(ALL if hue is None else hue)
    rows = list(training_captions(concepts, styles, colours_of(concept_of, hues), draw))
    tested = list(tested_prompts(concepts, styles, colours_of(concept_of, hues), random.Random(1)))
    print(len(images), "pictures,", len(rows), "captions,", len(tested), "prompts", file=sys.stderr)
    encoder = TextEncoder.from_pretrained()
    names = [[concept.english for concept in concepts], [concept.chinese for concept in concepts]]
    np.savez(
        options.out, images=np.stack(images), concept=np.array(concept_of, np.int16),
        style=np.array(style_of, np.int8), hue=np.array(hues, np.int16),
        held_out=np.array([concept.held_out for concept in concepts]),
        names=np.stack([embedded(encoder, some) for some in names], axis=1),
        **columns(encoder, rows, ""), **columns(encoder, tested, "test_"),
    )  # fmt: skip


def colours_of(concept_of: list[int], hues: list[int]) -> dict[int, list[str]]:
    """By concept, the colours in which its pictures can be shown: all, where most styles have a main hue."""
    known: dict[int, list[int]] = {}
    for concept, hue in zip(concept_of, hues, strict=True):
        known.setdefault(concept, []).append(hue)
    return {
        concept: list(COLOURS) for concept, found in known.items() if 2 * sum(hue != ALL for hue in found) >= len(found)
    }


def training_captions(concepts, styles, colours, draw):
    """(text, concept, second concept, style, colour, kind) of the concepts that training may see."""
    known, words = {concept.english for concept in concepts}, list(COLOURS)
    seen = [number for number, concept in enumerate(concepts) if not concept.held_out]
    for number in seen:
        concept = concepts[number]
        for text in (*captions.plain(concept), *captions.with_keywords(concept, draw)):
            yield text, number, ALL, ALL, ALL, "plain"
        for style, name in enumerate(styles):
            for text in captions.styled(concept, name, draw):
                yield text, number, ALL, style, ALL, "style"
        for word in asking.may_have(concept, known) if number in colours else ():
            for text in captions.coloured(concept, COLOURS[word], draw):
                yield text, number, ALL, ALL, words.index(word), "colour"
    for _ in range(PAIRS):
        first, second = sorted(draw.sample(seen, 2))
        yield captions.two(concepts[first], concepts[second], draw), first, second, ALL, ALL, "two"


def tested_prompts(concepts, styles, colours, draw):
    """The same of prompts that no caption has word for word; "new" are those of concepts held out."""
    words = list(COLOURS)
    seen = [number for number, concept in enumerate(concepts) if not concept.held_out]
    for number, concept in enumerate(concepts):
        patterns = [*captions.HELD_OUT, *captions.HELD_OUT_CHINESE]
        for pattern in patterns if concept.held_out else [draw.choice(patterns)]:
            name = concept.chinese if pattern in captions.HELD_OUT_CHINESE else concept.english
            yield captions.phrase(pattern, name), number, ALL, ALL, ALL, "new" if concept.held_out else "plain"
    for number in draw.sample(seen, 200):
        style = draw.randrange(len(styles))
        word = draw.choice(captions.STYLES[styles[style]][0])
        text = captions.phrase(draw.choice(captions.HELD_OUT_STYLED), concepts[number].english, word)
        yield text, number, ALL, style, ALL, "style"
    for number in draw.sample([number for number in seen if number in colours], 200):
        colour = draw.randrange(len(words))
        name = captions.in_colour(concepts[number].english, COLOURS[words[colour]])
        yield captions.phrase(draw.choice(captions.HELD_OUT), name), number, ALL, ALL, colour, "colour"
    for _ in range(TESTED_PAIRS):
        first, second = sorted(draw.sample(seen, 2))
        one, other = draw.sample([concepts[first].english, concepts[second].english], 2)
        yield captions.phrase(draw.choice(captions.HELD_OUT_TWO), one, other=other), first, second, ALL, ALL, "two"


def columns(encoder, rows, prefix: str) -> dict[str, np.ndarray]:
    texts, first, second, style, colour, kind = zip(*rows, strict=True)
    return {
        f"{prefix}text": np.array(texts), f"{prefix}kind": np.array(kind), f"{prefix}first": np.array(first, np.int16),
        f"{prefix}second": np.array(second, np.int16), f"{prefix}asked_style": np.array(style, np.int8),
        f"{prefix}asked_colour": np.array(colour, np.int8), f"{prefix}embedding": embedded(encoder, list(texts)),
    }  # fmt: skip


def embedded(encoder, texts: list[str]) -> np.ndarray:
    parts = [encoder.encode(texts[start : start + 256]).numpy() for start in range(0, len(texts), 256)]
    return np.concatenate(parts).astype(np.float16)


if __name__ == "__main__":
    main()
