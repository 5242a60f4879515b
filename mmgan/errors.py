"""Errors that are meant for people.

Everything mmgan raises on bad input is an :class:`MmganError` whose text is one sentence that says what to do. The
page shows that sentence where the person is looking, the command line prints it and exits with 2, Python raises it.
"""


class MmganError(Exception):
    """Something the user can put right; ``str(error)`` is one sentence that says how."""


class PromptError(MmganError, ValueError):
    """The prompt, count, seed or truncation cannot be used."""


class CheckpointError(MmganError, ValueError):
    """A model folder is missing, truncated, from another version, or not ours."""


class DataError(MmganError, ValueError):
    """A dataset is absent, or one of its files cannot be read."""


class TrainingError(MmganError, RuntimeError):
    """A training run cannot start or had to end."""
