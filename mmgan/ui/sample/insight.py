"""What the page says of a prompt beside its results: which words mattered, and whether the model knows such prompts."""

from __future__ import annotations

import functools
import logging

from ...errors import MmganError
from ...text.words import word_importance
from ..server.seeing import SeenSampler

log = logging.getLogger(__name__)


async def nearest_caption(sampler: SeenSampler, model: str, prompt: str) -> str:
    """The caption nearest to a prompt that the model does not know, else "".

    "" also where that fails, since the results are worth showing without it.
    """
    try:
        return await sampler.aside(_nearest, sampler, model, prompt)
    except MmganError:
        return ""
    except Exception:
        log.exception("nothing could be said of a prompt")
        return ""


def _nearest(sampler: SeenSampler, model: str, prompt: str) -> str:
    found = sampler.pipeline(model).familiarity(prompt)  # None where the model keeps no captions
    return found[0].caption if found and not found[0].known else ""


async def word_shares(sampler: SeenSampler, model: str, prompt: str) -> list[float]:
    """The share, of 1, of each of the prompt's :func:`~mmgan.text.words.word_groups`.

    The text encoder reads the prompt once for each, which takes about as long as the samples do.
    """
    return list(await sampler.aside(_shares_of, sampler, model, prompt))


def _shares_of(sampler: SeenSampler, model: str, prompt: str) -> tuple[float, ...]:
    return _shares(sampler.pipeline(model).text_encoder, prompt)


@functools.lru_cache(maxsize=4_096)
def _shares(encoder, prompt: str) -> tuple[float, ...]:
    return tuple(word.share for word in word_importance(encoder, prompt))
