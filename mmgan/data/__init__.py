"""Datasets: a package each, all giving the same :class:`~mmgan.data.base.Dataset`, and a list of those with names."""

from .registry import DATASETS, chosen, load_dataset

__all__ = ["DATASETS", "Dataset", "Example", "Prompt", "Row", "chosen", "load_dataset"]


def __getattr__(name: str):  # on first use, so that listing the names needs no NumPy
    if name in __all__:
        from . import base

        return getattr(base, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
