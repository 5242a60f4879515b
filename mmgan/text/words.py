"""Which words of a prompt moved its embedding: leave one out, all in one batch (Li et al. 2016, erasure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .encoder import TextEncoder, check_prompt, normalise_prompt

MAX_WORDS = 64  # left out one at a time; in longer prompts neighbours are taken together

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PICTURE = "[\u2190-\u21ff\u2300-\u2bff\U0001f000-\U0001faff]"
_ONE = f"{_PICTURE}[\ufe0f\U0001f3fb-\U0001f3ff]*"
_EMOJI = f"[\U0001f1e6-\U0001f1ff]{{2}}|{_ONE}(?:\u200d{_ONE})*"
_LETTER = f"[^\\W_{_CJK}]"
_WORD = re.compile(f"{_EMOJI}|[{_CJK}]|{_LETTER}(?:[\u0300-\u036f'\u2019.:-]*{_LETTER})*")


@dataclass(frozen=True)
class WordImportance:
    """One word of a prompt, ``prompt[start:end]``, and how much of the embedding depends on it."""

    word: str
    start: int
    end: int
    importance: float  # 1 - cosine between the embeddings with and without the word; 0 to 2
    share: float  # of the sum over the prompt's words


def find_words(prompt: str) -> list[tuple[int, int]]:
    """Start and end of each word: between spaces and punctuation, each emoji and each Chinese or Japanese character.

    Where there is none (a prompt of punctuation), of what stands between spaces.
    """
    spans = [match.span() for match in _WORD.finditer(prompt)]
    return spans or [match.span() for match in re.finditer(r"\S+", prompt)]


def word_groups(prompt: str) -> list[tuple[int, int]]:
    """The words as :func:`word_importance` leaves them out, in long prompts in ``MAX_WORDS`` groups."""
    spans = find_words(prompt) or [(0, len(prompt))]
    step = -(-len(spans) // MAX_WORDS)
    return [(group[0][0], group[-1][1]) for group in (spans[i : i + step] for i in range(0, len(spans), step))]


def word_importance(encoder: TextEncoder, prompt: str) -> list[WordImportance]:
    """How far the embedding moves when a word is left out, in the order of the prompt.

    The encoder reads the prompt once without each word, in one batch. A prompt of one word owes everything to it
    (importance 1). Of prompts with more than ``MAX_WORDS`` words, neighbouring words are left out together and share
    one item. Words beyond what the encoder reads (128 tokens) have importance 0.

    Raises:
        PromptError: see :func:`mmgan.text.encoder.check_prompt`.
    """
    whole = check_prompt(prompt)
    spans, moved = word_groups(prompt), [1.0]
    if len(spans) > 1:
        without = [normalise_prompt(f"{prompt[:start]} {prompt[end:]}") for start, end in spans]
        embeddings = encoder.embed_once([whole, *without])
        moved = (1 - embeddings[1:] @ embeddings[0]).clamp(min=0).tolist()
    total = sum(moved)
    return [
        WordImportance(prompt[start:end], start, end, value, value / total if total > 0 else 1 / len(spans))
        for (start, end), value in zip(spans, moved, strict=True)
    ]
