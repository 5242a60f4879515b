"""JSON values that somebody else wrote: what can be shown anywhere, or a ValueError."""

from __future__ import annotations

LONGEST = 20_000  # characters of a text, such as a setting
DEEPEST = 8  # levels of nesting
MOST = 10_000  # values of a list or an object
WHOLE = 2**53  # beyond this, programs in other languages read another number
LARGEST = 1e300  # the sum of a few of these is still finite


def tidy(value, depth: int = 0):
    """A foreign JSON value that can be shown anywhere: bounded, of finite numbers, its texts without lone surrogates.

    Raises:
        ValueError: it is too large or too deep.
    """
    if isinstance(value, str):
        if len(value) > LONGEST:
            raise ValueError("long text")
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, (dict, list)) and (depth >= DEEPEST or len(value) > MOST):
        raise ValueError("large value")
    if isinstance(value, dict):
        return {tidy(key): tidy(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [tidy(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return number(value)


def number(value) -> int | float:
    """A finite number. Raises ValueError, as all checks here do."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("no number")
    if not (-WHOLE <= value <= WHOLE if isinstance(value, int) else -LARGEST <= value <= LARGEST):
        raise ValueError("number out of bounds")
    return value
