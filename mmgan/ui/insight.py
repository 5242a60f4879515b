"""What the page says of a prompt beside its results: which words mattered, and whether the model knows such prompts."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass

from ..errors import MmganError
from ..words import word_importance

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Insight:
    """Word shares as (start, end, share of 1) in the order of the prompt; the nearest caption of an unknown prompt."""

    words: tuple[tuple[int, int, float], ...] = ()
    nearest: str = ""


async def insight(sampler, model: str, prompt: str) -> Insight:
    """What there is to say of ``prompt``; nothing where that fails, since results are worth showing all the same.

    ``sampler`` is a visitor's: see :class:`~mmgan.ui.seeing.SeenSampler`.
    """
    try:
        return await sampler.aside(_insight, sampler, model, prompt)
    except MmganError:
        return Insight()
    except Exception:
        log.exception("nothing could be said of a prompt")
        return Insight()


def _insight(sampler, model: str, prompt: str) -> Insight:
    pipeline = sampler.pipeline(model)
    found = pipeline.familiarity(prompt)  # nothing where the model keeps no captions
    nearest = found[0].caption if found and not found[0].known else ""
    return Insight(_words(pipeline.text_encoder, prompt), nearest)


@functools.lru_cache(maxsize=4_096)
def _words(encoder, prompt: str) -> tuple[tuple[int, int, float], ...]:
    return tuple((word.start, word.end, word.share) for word in word_importance(encoder, prompt))
