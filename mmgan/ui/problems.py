"""What went wrong, as one sentence in the language of whoever reads it."""

from __future__ import annotations

from ..errors import MmganError, PromptError
from .strings import say


class Problem(PromptError):
    """A sentence of the page, kept by its key, so that each visitor reads it in their language."""

    def __init__(self, key: str, **values):
        super().__init__(say(key, **values))
        self.key, self.values = key, values


def sentence(error: MmganError, language: str) -> str:
    """The sentence of ``error``; what lies below the page speaks English only."""
    return say(error.key, language, **error.values) if isinstance(error, Problem) else str(error)
