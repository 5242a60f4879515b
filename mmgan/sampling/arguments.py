"""Checks prompts, numbers and arrays that people give; each error is a sentence that says what is allowed.

The page uses these too, so it takes the same numbers as Python, within limits of its own.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..errors import PromptError
from ..language import Message
from ..text.encoder import check_prompt

MAX_SAMPLES = 64  # of one prompt
MAX_TOTAL = 1_024  # of one call
MAX_SEED = 2**32 - 1


def checked_integer(what: Message, value, low: int, high: int) -> int:
    """``value`` as a whole number from ``low`` to ``high``; 4.0, as JSON may give it, is 4.

    Raises:
        PromptError: it is none, as all here do.
    """
    try:
        number = int(value) if isinstance(value, float) and value.is_integer() else operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number <= high:
        raise PromptError("sampling.bad_whole", name=what, low=low, high=high, value=_short(value))
    return number


def checked_count(value, limit: int = MAX_SAMPLES) -> int:
    """``value`` as a number of samples of one prompt."""
    return checked_integer(Message("sampling.samples"), value, 1, limit)


def checked_seed(value) -> int:
    """``value`` as a seed."""
    return checked_integer(Message("sampling.seed"), value, 0, MAX_SEED)


def checked_truncation(value) -> float:
    """``value`` as a number from 0 to 1."""
    try:
        number = -1.0 if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if not 0 <= number <= 1:
        raise PromptError("sampling.bad_truncation", value=_short(value))
    return number


def checked_prompts(prompt: str | Sequence[str] | None) -> list[str]:
    """One prompt or several, as a list."""
    prompts = _listed("" if prompt is None else prompt)
    if not prompts:
        raise PromptError("sampling.no_prompts")
    if len(prompts) > MAX_TOTAL:
        raise PromptError("sampling.too_many_prompts", count=len(prompts), limit=MAX_TOTAL)
    for each in prompts:
        check_prompt(each)
    return prompts


def checked_embeddings(embeddings, prompt: str | Sequence[str] | None, width: int) -> tuple[Tensor, list[str]]:
    """Embeddings [n, width] that the caller gave, and their n prompts, "" without any."""
    rows = checked_rows("embeddings", embeddings, width)
    prompts = [""] * len(rows) if prompt is None else _listed(prompt)
    if len(prompts) != len(rows):
        raise PromptError("sampling.embeddings_misfit", count=len(prompts), embeddings=len(rows))
    return rows, prompts


def checked_total(prompts: int, num_samples: int) -> int:
    """How many samples that is in all."""
    total = prompts * num_samples
    if total > MAX_TOTAL:
        raise PromptError("sampling.too_many_samples", count=prompts, samples=num_samples, all=total, limit=MAX_TOTAL)
    return total


def checked_rows(what: str, values, width: int) -> Tensor:
    """A float32 copy [n, width] on the CPU of what the caller gave."""
    try:
        rows = torch.as_tensor(values).detach().to("cpu", torch.float32, copy=True)
    except (TypeError, ValueError, RuntimeError) as error:
        raise PromptError("sampling.bad_array", name=what, width=width) from error
    if rows.ndim != 2 or rows.shape[1] != width or not 1 <= len(rows) <= MAX_TOTAL:
        raise PromptError("sampling.bad_shape", name=what, shape=str(list(rows.shape)), width=width, limit=MAX_TOTAL)
    if not torch.isfinite(rows).all():
        raise PromptError("sampling.not_finite", name=what)
    return rows


def _listed(prompt: str | Sequence[str]) -> list[str]:
    if not isinstance(prompt, Iterable):
        check_prompt(prompt)  # says what a prompt is
    return [prompt] if isinstance(prompt, str) else list(prompt)


def _short(value) -> str:
    try:
        return repr(value)[:30].splitlines()[0]
    except ValueError:  # Python writes out no whole number of more than 4,300 digits
        return "one of thousands of digits"
