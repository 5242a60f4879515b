"""How near a prompt is to what a model was trained on, for a gentle "I have never seen this".

A model keeps a few hundred of its training captions as text (``info["captions"]``), spread so that every caption it
learned from has one of them near it: the greedy k-centre choice (Gonzalez 1985). They are embedded when first asked
for, by whatever encoder the pipeline has.

A cosine alone does not tell "seben", which a classroom types, from "a blue whale", which lies near "a blue circle". So
the words count too: a prompt made of the captions' words, misspelt perhaps, is known, and one with a word that no
caption has must be nearer.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .encoder import TextEncoder, check_prompt
from .words import find_words

CAPTIONS = 384  # captions kept of a model
# Least cosine to the nearest caption of a prompt that is known: in the captions' own words, more by the share of other
# words, and of any prompt. Chosen by scripts/text_encoder/evaluate_familiarity.py.
KNOWN_WORDS, MORE, KNOWN = 0.2, 1.4, 0.66


@dataclass(frozen=True)
class Familiarity:
    """The training caption nearest to a prompt."""

    cosine: float
    caption: str
    new_words: tuple[str, ...]  # of the prompt, lower case: neither in the captions nor a slip of a word that is
    known: bool  # near enough to the captions that the model learned from


def spread_captions(captions: Sequence[str], encoder: TextEncoder, count: int = CAPTIONS) -> list[str]:
    """At most ``count`` of the captions, the same every time: all of their words, and none of the others far from all.

    The words come first, because a word that only the captions left out had would make prompts with it unknown.
    """
    captions = sorted(set(captions))
    if len(captions) <= count:
        return captions
    chosen, words = [], set()
    for i, caption in enumerate(captions):
        if len(chosen) < count and not words.issuperset(fresh := _words(caption)):
            chosen.append(i)
            words.update(fresh)
    embeddings = encoder.encode(captions)
    nearest = (embeddings @ embeddings[chosen].T).amax(1)
    while len(chosen) < count:
        chosen.append(int(nearest.argmin()))
        nearest = torch.maximum(nearest, embeddings @ embeddings[chosen[-1]])
    return [captions[i] for i in sorted(chosen)]


def measure_familiarity(prompts: Sequence[str], captions: Sequence[str], encoder: TextEncoder) -> list[Familiarity]:
    """The nearest of ``captions`` (at least one) to each prompt, and whether the prompt is known.

    Raises:
        PromptError: see :func:`mmgan.text.encoder.check_prompt`.
    """
    if not prompts:
        return []
    captions = tuple(captions)
    cosines, indices = (encoder.encode(prompts) @ _embedded(encoder, captions).T).max(1)
    vocabulary, real = _vocabulary(captions), _tokens(encoder.tokenizer)
    found = []
    for prompt, cosine, i in zip(prompts, cosines.tolist(), indices.tolist(), strict=True):
        words = _words(prompt)
        new = tuple(word for word in words if not _spelt_like(word, vocabulary, word in real))
        known = cosine >= min(KNOWN, KNOWN_WORDS + MORE * len(new) / len(words))
        found.append(Familiarity(cosine, captions[i], new, known))
    return found


# These are the same for every prompt, and cost more than everything else here.
@functools.lru_cache(maxsize=16)
def _embedded(encoder: TextEncoder, captions: tuple[str, ...]) -> Tensor:
    return encoder.encode(captions)


@functools.lru_cache(maxsize=16)
def _vocabulary(captions: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*map(_words, captions))


@functools.lru_cache(maxsize=4)
def _tokens(tokenizer) -> dict[str, int]:
    return tokenizer.get_vocab()


def _words(prompt: str) -> list[str]:
    prompt = check_prompt(prompt).lower()
    return list(dict.fromkeys(prompt[start:end] for start, end in find_words(prompt)))


def _spelt_like(word: str, vocabulary: frozenset[str], real: bool) -> bool:
    """Whether it is a word of the vocabulary or a slip: one letter (two from six on) more, less, other or swapped.

    A word that the language has (``real``) is a slip only where two letters are swapped ("tow").
    """
    if word in vocabulary:
        return True
    if not re.fullmatch("[a-z]{2,24}", word):
        return False
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    if real or swapped & vocabulary:
        return bool(swapped & vocabulary)
    most = 1 if len(word) < 6 else 2
    return any(
        len(other) > 2 and abs(len(other) - len(word)) <= most and _distance(word, other) <= most
        for other in vocabulary
        if other.isascii() and other.isalpha()
    )


def _distance(one: str, other: str) -> int:
    """Edit distance with swaps of neighbours (optimal string alignment, Damerau 1964)."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            least = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]
