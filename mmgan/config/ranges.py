"""Settings that say which values a file may give them."""

from __future__ import annotations

from dataclasses import field

RANGE = "range"  # metadata key: (smallest, largest) value accepted from a file, for numbers and for items of a tuple
CHOICES = "choices"  # metadata key: the accepted strings


def number(default, low, high):
    """A setting between two values, or a tuple of such."""
    return field(default=default, metadata={RANGE: (low, high)})


def choice(default, *choices):
    """A setting that is one of some strings."""
    return field(default=default, metadata={CHOICES: choices})
