"""Datasets: one module each, all giving the same :class:`~mmgan.data.base.Dataset`."""

from .base import Dataset, Example, Prompt, Row

__all__ = ["Dataset", "Example", "Prompt", "Row", "load_dataset"]


def load_dataset(source: str, split: str = "train", pieces: bool = False, progress: bool = False) -> Dataset:
    """A dataset by name ("shapes", "digits") or from a folder or zip in one of the layouts of :mod:`mmgan.data.folder`.

    Args:
        pieces: of a folder or zip, cut long sounds into several instead of to their loudest part.
        progress: whether reading a folder or zip shows a bar.

    Raises:
        DataError: not a known name, nothing there, or a layout that is not understood.
    """
    if source == "shapes":
        from .shapes import Shapes

        return Shapes(split)
    if source == "digits":
        from .digits import Digits

        return Digits(split)
    from .folder import Folder

    return Folder(source, split, pieces=pieces, progress=progress)
