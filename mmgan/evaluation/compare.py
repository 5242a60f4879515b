"""Generated against real, for one modality: distances with their floor, coverage, diversity, memorisation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from . import metrics
from .samples import Items, balanced, halves

FEWEST = 8  # items a side below which a distance between distributions says nothing
NEIGHBOURS = 3  # k of precision and recall


class Figures(dict):
    """Name -> generated value, real value beside it, unit ("share" or "") and a note."""

    def put(
        self, name: str, generated: float | None, real: float | None = None, note: str = "", unit: str = ""
    ) -> None:
        self[name] = {"generated": generated, "real": real, "unit": unit, "note": note}

    def share(self, name: str, generated: float | None, real: float | None = None, note: str = "") -> None:
        """A figure that is printed in per cent."""
        self.put(name, generated, real, note, "share")


def distances(
    figures: Figures,
    modality: str,
    generated: Items,
    real: Items,
    features: Callable[[Items], Tensor],
    seed: int,
    note: str,
) -> None:
    """Frechet and kernel distance, precision and recall of generated data to one half of the real data.

    The real value is the floor: what the other half of the real data scores, with as many items of every concept.
    """
    rng = np.random.default_rng(seed)
    first, second = (real.take(half) for half in halves(real.concepts, rng))
    groups = (generated, first, second)
    chosen = balanced([group.concepts for group in groups], rng)
    x, a, b = (features(group.take(index)) for group, index in zip(groups, chosen, strict=True))
    names = [f"{modality}_{name}" for name in ("frechet_distance", "kernel_distance", "precision", "recall")]
    if len(x) < FEWEST:
        for name in names:
            figures.put(name, None, None, f"left out: needs {2 * FEWEST} real and {FEWEST} generated items")
        return
    for name, distance in zip(names, (metrics.frechet_distance, metrics.kernel_distance), strict=False):
        value, floor = distance(x, a), distance(b, a)
        ratio = f"{value / floor:.1f} times the floor; " if name == names[0] and floor > 0 else ""
        figures.put(name, value, floor, f"{ratio}{note}, {len(x)} each" if ratio else f"{note}, {len(x)} each")
    ours, floors = (metrics.precision_recall(a, other, NEIGHBOURS) for other in (x, b))
    for name, value, floor in zip(names[2:], ours, floors, strict=True):
        figures.share(name, value, floor, f"{note}, k = {NEIGHBOURS}")


def diversities(
    figures: Figures, modality: str, generated: Items, real: Items, spaces: dict[str, Callable[[Items], Tensor]]
) -> None:
    """Mean distance between items of one concept, in each of the spaces."""
    for space, features in spaces.items():
        ours = metrics.diversity(features(generated), generated.concepts)
        theirs = metrics.diversity(features(real), real.concepts)
        share = f"{ours / theirs:.0%} of real" if theirs > 0 else ""
        figures.put(
            f"{modality}_diversity_in_{space}", ours, theirs, f"{share}; mean distance within a concept".strip("; ")
        )


def memorisation(
    figures: Figures, modality: str, generated: Items, training: Items, held_out: Items | None,
    space: Callable[[Items], Tensor], note: str,
) -> None:  # fmt: skip
    """Distance to the nearest training item, beside the same distance of held-out real data; copies score 0.

    Without held-out data: beside the distance between training items.
    """
    found = metrics.memorisation(space(generated), space(training), None if held_out is None else space(held_out))
    other = "training items to each other" if held_out is None else "held-out real data"
    for name, words in (("median", "median"), ("p5", "nearest 5 %")):
        figures.put(
            f"{modality}_nearest_training_item_{name}", found[f"generated_{name}"], found[f"held_out_{name}"],
            f"{found[f'ratio_{name}']:.2f} times {other}, {words}; {note}; copies give 0",
        )  # fmt: skip
