"""What went wrong, as one sentence in the language of whoever reads it."""

from __future__ import annotations

from ..errors import MmganError, PromptError
from .strings import say
from .translation import in_chinese


class Problem(PromptError):
    """A sentence of the page, kept by its key, so that each visitor reads it in their language."""

    def __init__(self, key: str, **values):
        super().__init__(say(key, **values))
        self.key, self.values = key, values


def sentence(error: MmganError | str, language: str) -> str:
    """The sentence of ``error``, or one that the library wrote down, such as why a run ended.

    What lies below the page speaks English; a sentence that nobody has translated stays so.
    """
    if isinstance(error, Problem):
        return say(error.key, language, **error.values)
    return in_chinese(str(error)) if language == "zh" else str(error)
