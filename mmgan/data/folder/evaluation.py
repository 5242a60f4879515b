"""The evaluation of a person's own files, which have neither judge nor rule: plain, averaged-down features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...evaluation.compare import Figures
from ...evaluation.plain import compare_images, compare_sounds
from ...evaluation.samples import Generated, real_images, real_sounds
from ..base import Dataset

COMPARED = 4_000  # real pictures and real sounds


def evaluate(
    pipeline, generated: Generated, train: Dataset, held_out: Callable[[], Dataset], seed: int, progress: bool = True
) -> tuple[Figures, dict]:
    """Distances, diversity and memorisation, and no tables; see :class:`mmgan.data.registry.DatasetPackage`."""
    figures, rng = Figures(), np.random.default_rng(seed)
    if train.num_images:
        chosen = rng.permutation(train.num_images)[:COMPARED]
        compare_images(figures, generated, real_images(train, chosen, generated.images.values), seed)
    if train.num_sounds:
        chosen = rng.permutation(train.num_sounds)[:COMPARED]
        compare_sounds(figures, generated, real_sounds(train, chosen, generated.audio), seed)
    return figures, {}
