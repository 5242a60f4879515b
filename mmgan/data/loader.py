"""Batches: rows drawn from a dataset, as tensors by modality, a pure function of (seed, step)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..config import ModelConfig
from ..models.modalities import MODALITIES
from .base import Dataset

CACHE_BYTES = 2 << 30  # a bank's items beyond this are computed anew each time they are drawn
CHUNK = 256  # sounds whose spectra are computed at once, which bounds the memory of a first pass


@dataclass
class Batch:
    """B rows. ``rows`` are float32 [B, ...] by modality; ``has``, bool [B], tells which of them the data have."""

    texts: list[str]
    wrong_texts: list[str]
    concepts: list[str]
    rows: dict[str, Tensor]
    has: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.texts)

    def slice(self, start: int, stop: int) -> Batch:
        """Rows ``start`` to ``stop`` (a process's share, or one of several accumulated parts)."""
        part = slice(start, stop)
        rows, has = ({name: x[part] for name, x in side.items()} for side in (self.rows, self.has))
        return Batch(self.texts[part], self.wrong_texts[part], self.concepts[part], rows, has)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch with its tensors on ``device``."""
        rows, has = ({name: x.to(device) for name, x in side.items()} for side in (self.rows, self.has))
        return replace(self, rows=rows, has=has)


class Loader:
    """Draws batches; every item is turned into a row once and kept, up to 2 GiB of each modality."""

    def __init__(self, dataset: Dataset, model: ModelConfig, batch_size: int = 32, seed: int = 0):
        self.dataset, self.model, self.batch_size, self.seed = dataset, model, batch_size, seed
        self._banks = {}
        for name, section in model.modalities.items():
            modality = MODALITIES[name]
            load = partial(modality.load, dataset, section=section)
            self._banks[name] = _Bank(modality.count(dataset), modality.shape(section), modality.stored, load)

    def batch(self, step: int) -> Batch:
        """The batch of ``step``: the same for the same seed, whatever was drawn before."""
        drawn = self.dataset.rows(np.random.default_rng([self.seed, step]), self.batch_size)
        rows, has = {}, {}
        for name in self._banks:
            places = [MODALITIES[name].place(row) for row in drawn]
            has[name] = torch.tensor([place is not None for place in places], dtype=torch.bool)
            rows[name] = self.blank(name, len(drawn))
            if has[name].any():
                rows[name][has[name]] = self.rows(name, [place for place in places if place is not None])
        texts, wrong_texts = [row.text for row in drawn], [row.wrong_text for row in drawn]
        return Batch(texts, wrong_texts, [row.concept for row in drawn], rows, has)

    def rows(self, name: str, indices: Sequence[int]) -> Tensor:
        """Items of a modality's bank, float32 [len(indices), ...]."""
        return MODALITIES[name].decode(self._banks[name].take(indices))

    def blank(self, name: str, count: int) -> Tensor:
        """``count`` rows that hold nothing: black or silence."""
        section = self.model.modalities[name]
        return torch.full((count, *MODALITIES[name].shape(section)), MODALITIES[name].absent(section))


class _Bank:
    """Items 0..count-1 as one tensor, computed by ``load(indices)`` where missing. Not for several threads at once."""

    def __init__(
        self, count: int, shape: tuple[int, ...], dtype: torch.dtype, load: Callable[[list[int]], Tensor]
    ) -> None:
        item_bytes = int(np.prod(shape)) * dtype.itemsize
        kept = min(count, CACHE_BYTES // item_bytes)
        self.items = torch.empty(kept, *shape, dtype=dtype)  # takes no memory until it is written to
        self.filled = np.zeros(kept, dtype=bool)
        self.load = load

    def take(self, indices: Sequence[int]) -> Tensor:
        """Items [len(indices), *shape] of the bank's dtype, a copy."""
        wanted = np.asarray(indices, dtype=np.int64)
        beyond = wanted >= len(self.filled)
        inside = wanted[~beyond]
        missing = np.unique(inside[~self.filled[inside]])
        for start in range(0, len(missing), CHUNK):
            part = missing[start : start + CHUNK]
            self.items[torch.from_numpy(part)] = self.load(part.tolist()).to(self.items.dtype)
            self.filled[part] = True
        if not beyond.any():
            return self.items[torch.from_numpy(wanted)]
        out = torch.empty(len(wanted), *self.items.shape[1:], dtype=self.items.dtype)
        out[torch.from_numpy(~beyond)] = self.items[torch.from_numpy(inside)]
        places = np.flatnonzero(beyond)
        for start in range(0, len(places), CHUNK):
            part = places[start : start + CHUNK]
            out[torch.from_numpy(part)] = self.load(wanted[part].tolist()).to(out.dtype)
        return out
