"""Datasets: one module each, all giving the same :class:`~mmgan.data.base.Dataset`."""

from pathlib import Path

from ..errors import DataError
from .base import Dataset, Example, Prompt, Row

__all__ = ["Dataset", "Example", "Prompt", "Row", "chosen", "load_dataset"]

NAMES = ("shapes", "digits")
PREFIX = "dataset:"  # says that a name is meant, where a folder is called the same


def chosen(source: str | None) -> str | None:
    """What a person means by a name, which a folder here may have as well; for :func:`load_dataset`.

    Raises:
        DataError: it may be either; the sentence says how to write each.
    """
    if source in NAMES and Path(source).exists():
        raise DataError(
            f"There is a dataset called {source} and a folder or zip called that here; write ./{source} for what is "
            f"here, or {PREFIX}{source} for the dataset."
        )
    name = (source or "").removeprefix(PREFIX)
    return name if name in NAMES else source


def load_dataset(
    source: str, split: str = "train", pieces: bool = False, progress: bool = False, encoding: str | None = None
) -> Dataset:
    """A dataset by name, or from a folder or zip in a layout of :mod:`mmgan.data.reading`.

    Args:
        source: "shapes", "digits", either with "dataset:" before it, or a folder or zip.
        pieces: of a folder or zip, cut long sounds into several instead of to their loudest part.
        progress: whether reading a folder or zip shows a bar.
        encoding: of a folder's or zip's captions, where it is not to be guessed (:mod:`mmgan.data.encodings`).

    Raises:
        DataError: not a known name, nothing there, or a layout that is not understood.
    """
    name = source.removeprefix(PREFIX) if isinstance(source, str) else source
    if name == "shapes":
        from .shapes import Shapes

        return Shapes(split)
    if name == "digits":
        from .digits import Digits

        return Digits(split)
    from .folder import Folder

    return Folder(source, split, pieces=pieces, progress=progress, encoding=encoding)
