"""What the page says of a prompt beside its results: which words mattered, and whether the model knows such prompts."""

from __future__ import annotations

import logging
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Insight:
    """Word shares as (start, end, share of 1) in the order of the prompt; the nearest caption of an unknown prompt."""

    words: tuple[tuple[int, int, float], ...] = ()
    nearest: str = ""


async def insight(sampler, model: str, prompt: str) -> Insight:
    """What there is to say of ``prompt``; nothing where the model or the encoder cannot say it."""
    return Insight()
