"""Numbers and arrays that people give, checked: each error is a sentence that says what can be given."""

from __future__ import annotations

import operator

import torch
from torch import Tensor

from .errors import PromptError

MAX_SAMPLES = 64  # of one prompt
MAX_TOTAL = 1_024  # of one call
MAX_SEED = 2**32 - 1


def checked_integer(what: str, value, low: int, high: int) -> int:
    """``value`` as a whole number from ``low`` to ``high``. Raises PromptError, as all here do."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number <= high:
        raise PromptError(f"{what} should be a whole number from {low} to {high:,}, not {_short(value)}.")
    return number


def checked_truncation(value) -> float:
    """``value`` as a number from 0 to 1."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if not 0 <= number <= 1:
        raise PromptError(f"Truncation should be a number from 0 to 1, not {_short(value)}.")
    return number


def _short(value) -> str:
    try:
        return repr(value)[:30].splitlines()[0]
    except ValueError:  # Python writes out no whole number of more than 4,300 digits
        return "one of thousands of digits"


def checked_rows(what: str, values, width: int) -> Tensor:
    """A float32 copy [n, width] on the CPU of what the caller gave."""
    try:
        rows = torch.as_tensor(values).detach().to("cpu", torch.float32, copy=True)
    except (TypeError, ValueError, RuntimeError) as error:
        raise PromptError(f"The {what} should be an array of numbers of shape [n, {width}].") from error
    if rows.ndim != 2 or rows.shape[1] != width or not 1 <= len(rows) <= MAX_TOTAL:
        raise PromptError(
            f"The {what} have the shape {list(rows.shape)}; give [n, {width}] with n from 1 to {MAX_TOTAL:,}."
        )
    if not torch.isfinite(rows).all():
        raise PromptError(f"The {what} hold numbers that are not finite; give finite ones.")
    return rows
