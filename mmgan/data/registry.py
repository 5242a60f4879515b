"""The datasets that can be named, each a package with its reader, its captions, its evaluation and its live judge.

A new one is a package and a line in ``DATASETS``; the page asks for its strings ``train_form_NAME`` and
``train_form_NAME_note``. Its parts are imported when they are used, so that listing names costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, overload

from ..errors import DataError

if TYPE_CHECKING:
    from .base import Dataset

PREFIX = "dataset:"  # says that a dataset is meant, not a folder of the same name


@dataclass(frozen=True)
class DatasetPackage:
    """Where the parts of a dataset are, each as "module:attribute".

    Attributes:
        reader: (split "train" or "test") -> Dataset.
        evaluator: (pipeline, generated, train, held_out, seed, progress) -> (Figures, tables), as
            :func:`mmgan.evaluation.evaluate.evaluate` calls it; ``held_out()`` gives the test split.
        judge: () -> LiveJudge, or None where what it judges by is absent; "" where the dataset has none.
        files: a module with ``present()`` and ``fetch_all()``; "" of a dataset that needs no download.
        most_prompts: of its prompts an evaluation asks for so many, drawn at random; None: all.
    """

    name: str
    reader: str
    evaluator: str
    judge: str = ""
    files: str = ""
    most_prompts: int | None = None

    def read(self, *arguments, **options) -> Dataset:
        return resolve_name(self.reader)(*arguments, **options)

    def evaluate(self, *arguments):
        return resolve_name(self.evaluator)(*arguments)

    def live_judge(self) -> Callable | None:
        """What scores the samples of a training now and then (:data:`mmgan.evaluation.judges.LiveJudge`)."""
        return resolve_name(self.judge)() if self.judge else None

    def present(self) -> bool:
        """Whether it can be used without the network."""
        return not self.files or resolve_name(self.files).present()

    def fetch(self) -> Sequence[Path]:
        """Its files, downloaded if absent. Raises DataError where that fails."""
        return resolve_name(self.files).fetch_all() if self.files else ()

    def attribution(self) -> str:
        """Whose its files are, as their licences ask to be said; "" where its module of files does not say."""
        return getattr(resolve_name(self.files), "ATTRIBUTION", "") if self.files else ""


_PACKAGES = (  # in the order shown
    DatasetPackage(
        "digits", "mmgan.data.digits.dataset:Digits", "mmgan.data.digits.evaluation:evaluate",
        "mmgan.data.digits.evaluation:live_judge", "mmgan.data.digits.files",
    ),
    DatasetPackage(
        "shapes", "mmgan.data.shapes.dataset:Shapes", "mmgan.data.shapes.evaluation:evaluate",
        "mmgan.data.shapes.evaluation:live_judge",
    ),
    DatasetPackage(
        "emoji", "mmgan.data.emoji.dataset:Emoji", "mmgan.data.emoji.evaluation:evaluate",
        "mmgan.data.emoji.evaluation:live_judge", "mmgan.data.emoji.files",
    ),
)  # fmt: skip
DATASETS = {package.name: package for package in _PACKAGES}
FOLDER = DatasetPackage(
    "folder", "mmgan.data.folder.dataset:Folder", "mmgan.data.folder.evaluation:evaluate", most_prompts=200
)


def package_of(source: str | Path) -> DatasetPackage:
    """The package of a dataset's name, with "dataset:" before it or without; ``FOLDER`` of anything else."""
    return DATASETS.get(source.removeprefix(PREFIX), FOLDER) if isinstance(source, str) else FOLDER


@overload
def chosen(source: str) -> str: ...
@overload
def chosen(source: None) -> None: ...
def chosen(source: str | None) -> str | None:
    """The dataset or folder that a person means by a name, for :func:`load_dataset`.

    Raises:
        DataError: it may be either; the sentence says how to write each.
    """
    if source in DATASETS and Path(source).exists():
        raise DataError("data.ambiguous", name=source, prefix=PREFIX)
    name = (source or "").removeprefix(PREFIX)
    return name if name in DATASETS else source


def load_dataset(
    source: str | Path, split: str = "train", pieces: bool = False, progress: bool = False, encoding: str | None = None
) -> Dataset:
    """A dataset by name, or from a folder or zip in a layout of :mod:`mmgan.data.folder.reading`.

    Args:
        source: one of ``DATASETS``, also with "dataset:" before it, or a folder or zip.
        pieces: of a folder or zip, cut long sounds into several instead of to their loudest part.
        progress: whether reading a folder or zip shows a bar.
        encoding: of a folder's or zip's captions, where it is not to be guessed (:mod:`mmgan.data.folder.encodings`).

    Raises:
        DataError: not a known name, nothing there, or a layout that is not understood.
    """
    package = package_of(source)
    if package is not FOLDER:
        return package.read(split)
    return package.read(source, split, pieces=pieces, progress=progress, encoding=encoding)


def live_judge(name: str) -> Callable | None:
    """What scores the samples of a training on the dataset of that name; None where nothing does."""
    return DATASETS[name].live_judge() if name in DATASETS else None
