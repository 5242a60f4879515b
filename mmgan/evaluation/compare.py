"""Generated against real, for one modality: distances with their floor, coverage, diversity, memorisation.

All take features: :class:`~mmgan.evaluation.samples.Items` whose values are float32 [N, F].
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from . import metrics
from .samples import Items, balanced, halves

FEWEST = 8  # items; with fewer on a side a distance between distributions says nothing
NEIGHBOURS = 3  # k of precision and recall


class Figures(dict):
    """Name -> generated value, real value beside it, unit ("share" or "") and a note."""

    def put(
        self, name: str, generated: float | None, real: float | None = None, note: str = "", unit: str = ""
    ) -> None:
        generated, real = (None if value is None else float(value) for value in (generated, real))
        self[name] = {"generated": generated, "real": real, "unit": unit, "note": note}

    def share(self, name: str, generated: float | None, real: float | None = None, note: str = "") -> None:
        """A figure printed in per cent."""
        self.put(name, generated, real, note, "share")


def distances(figures: Figures, modality: str, generated: Items, real: Items, seed: int, note: str) -> None:
    """Frechet and kernel distance, precision and recall of generated data to one half of the real data.

    The real value is the floor: the score of the other half of the real data, with as many items of every concept.
    """
    rng = np.random.default_rng(seed)
    first, second = (real.take(half) for half in halves(real.concepts, rng))
    groups = (generated, first, second)
    chosen = balanced([group.concepts for group in groups], rng)
    x, a, b = (_tensor(group.take(index)) for group, index in zip(groups, chosen, strict=True))
    if len(x) < FEWEST:
        for name in ("frechet_distance", "kernel_distance", "precision", "recall"):
            figures.put(
                f"{modality}_{name}", None, None, f"left out: needs {FEWEST} generated, {2 * FEWEST} real items"
            )
        return
    note = f"{note}, {len(x)} each"
    value, floor = metrics.frechet_distance(x, a), metrics.frechet_distance(b, a)
    ratio = f"{value / floor:.1f} times the floor; " if floor > 0 else ""
    figures.put(f"{modality}_frechet_distance", value, floor, ratio + note)
    figures.put(f"{modality}_kernel_distance", metrics.kernel_distance(x, a), metrics.kernel_distance(b, a), note)
    ours, floors = (metrics.precision_recall(a, other, NEIGHBOURS) for other in (x, b))
    for name, value, floor in zip(("precision", "recall"), ours, floors, strict=True):
        figures.share(f"{modality}_{name}", value, floor, f"k = {NEIGHBOURS}, {note}")


def diversity(figures: Figures, modality: str, space: str, generated: Items, real: Items) -> None:
    """Mean distance between items of one concept."""
    ours, theirs = (metrics.diversity(_tensor(items), items.concepts) for items in (generated, real))
    share = f"{ours / theirs:.0%} of real; " if theirs > 0 else ""
    figures.put(f"{modality}_diversity_in_{space}", ours, theirs, share + "mean distance within a concept")


def memorisation(
    figures: Figures, modality: str, generated: Items, training: Items, held_out: Items | None, note: str
) -> None:
    """Distance to the nearest training item, beside the same distance of held-out real data; copies score 0.

    Without held-out data, beside the distance between training items.
    """
    others = None if held_out is None else _tensor(held_out)
    found = metrics.memorisation(_tensor(generated), _tensor(training), others)
    other = "training items to each other" if held_out is None else "held-out real data"
    for name, words in (("median", "median"), ("p5", "nearest 5 %")):
        figures.put(
            f"{modality}_nearest_training_item_{name}", found[f"generated_{name}"], found[f"held_out_{name}"],
            f"{found[f'ratio_{name}']:.2f} times {other} ({words}; copies give 0), {note}",
        )  # fmt: skip


def _tensor(items: Items) -> Tensor:
    return torch.from_numpy(items.values)
