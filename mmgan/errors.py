"""Errors that are meant for people.

Everything mmgan raises on bad input is an :class:`MmganError`: a key of :mod:`mmgan.language` with the values for its
sentence, which says what to do. The page shows the sentence in the reader's language, the command line prints it in
English and exits with 2, Python raises it.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from .language import Message

NO_MEMORY = Message("files.no_memory")
# What torch, its libraries and the system say when memory runs out; each raises an error of its own kind.
_NO_MEMORY = (
    "allocate memory", "unable to allocate", "not enough memory", "out of memory", "failed to map segment",
    "start new thread", "could not create a primitive", "could not create a memory object",
)  # fmt: skip


class MmganError(Exception):
    """Something the user can put right; ``str(error)`` is one English sentence that says how.

    Args:
        key: of the sentence, or the whole message.
        values: what the sentence has places for.
    """

    def __init__(self, key: str | Message, /, **values):
        self.message = key if isinstance(key, Message) else Message(key, **values)
        super().__init__(str(self.message))

    def __reduce__(self):
        return type(self), (self.message,)


class PromptError(MmganError, ValueError):
    """The prompt, count, seed or truncation cannot be used."""


class CheckpointError(MmganError, ValueError):
    """A model folder is missing, truncated, from another version, or not ours."""


class DataError(MmganError, ValueError):
    """A dataset is absent, or one of its files cannot be read."""


class ModelGivenError(DataError):
    """Pictures and sounds were asked for, and a model was given: it has a place of its own."""


class DataGivenError(CheckpointError):
    """A model was asked for, and pictures and sounds were given: they have a place of their own."""


class TrainingError(MmganError, RuntimeError):
    """A training run cannot start or had to end."""


def lacks_memory(error: BaseException | None) -> bool:
    """Whether ``error``, or its cause, says that the memory, or our limit of it, was too small."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        text = str(error).lower()
        kinds = (RuntimeError, ImportError, OSError)
        if isinstance(error, kinds) and not isinstance(error, MmganError) and any(said in text for said in _NO_MEMORY):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


@contextlib.contextmanager
def within_memory() -> Iterator[None]:
    """Turns errors that say that the memory was too small into one sentence.

    Raises:
        MmganError: it was.
    """
    try:
        yield
    except Exception as error:
        if lacks_memory(error):
            raise MmganError(NO_MEMORY) from error
        raise
