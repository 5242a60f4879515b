"""The figures of an evaluation, each as its formula reads. Features are float [N, F], results Python floats."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

CHUNK = 1_000  # rows of a distance matrix held at once


def accuracy(predicted: Sequence[Hashable], wanted: Sequence[Hashable]) -> float:
    """Share of ``predicted`` that equals ``wanted``."""
    return sum(a == b for a, b in zip(predicted, wanted, strict=True)) / len(wanted)


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """|mu_x - mu_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^(1/2)), the FID of Heusel et al. (2017), in any features.

    tr (S_x S_y)^(1/2) is the sum of the square roots of the eigenvalues of S_x^(1/2) S_y S_x^(1/2), which is symmetric.
    """
    x, y = x.double(), y.double()
    cov_x, cov_y = x.T.cov(correction=1), y.T.cov(correction=1)
    values, vectors = torch.linalg.eigh(cov_x)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_y @ root).clamp(min=0).sqrt().sum()
    return float((x.mean(0) - y.mean(0)).square().sum() + cov_x.trace() + cov_y.trace() - 2 * cross)


def kernel_distance(x: Tensor, y: Tensor) -> float:
    """Unbiased squared maximum mean discrepancy under k(a, b) = (a.b / F + 1)^3, the KID of Binkowski et al. (2018)."""
    x, y = x.double(), y.double()

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a: Tensor) -> Tensor:
        k = kernel(a, a)
        return (k.sum() - k.diagonal().sum()) / (len(a) * (len(a) - 1))

    return float(within(x) + within(y) - 2 * kernel(x, y).mean())


def energy_distance(x: Tensor, y: Tensor) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'|, unbiased (Szekely and Rizzo 2013); in units of the features.

    A kernel distance with the distance itself as kernel. It grows with how far two sets lie apart, and not with a power
    of that, which a few rows cannot estimate.
    """
    within = [float(torch.pdist(a.double()).mean()) if len(a) > 1 else 0.0 for a in (x, y)]
    return 2 * float(torch.cdist(x.double(), y.double()).mean()) - sum(within)


def energy_interval(x: Tensor, y: Tensor, draws: int, share: float) -> tuple[float, float]:
    """The middle ``share`` of :func:`energy_distance` over bootstrap draws of both sets (Efron 1979); always the same.

    A row that was drawn twice is not compared with itself, which would make both sets look narrower than they are.
    """
    generator = torch.Generator().manual_seed(0)
    counts = []
    for rows in (x, y):
        drawn = torch.randint(len(rows), (draws, len(rows)), generator=generator)
        counts.append(torch.zeros(draws, len(rows)).scatter_add_(1, drawn, torch.ones(draws, len(rows))).double())

    def mean(a: Tensor, distances: Tensor, b: Tensor, pairs: Tensor) -> Tensor:
        return ((a @ distances) * b).sum(1) / pairs.clamp(min=1)

    (a, b), (x, y) = counts, (x.double(), y.double())
    within = [
        mean(some, torch.cdist(rows, rows), some, len(rows) ** 2 - some.square().sum(1))
        for some, rows in ((a, x), (b, y))
    ]
    between = mean(a, torch.cdist(x, y), b, torch.full((draws,), len(x) * len(y)).double())
    found = 2 * between - within[0] - within[1]
    return float(found.quantile((1 - share) / 2)), float(found.quantile((1 + share) / 2))


def nearest_distances(queries: Tensor, bank: Tensor, k: int = 1) -> Tensor:
    """Euclidean distance [N] from every query to its ``k``-th nearest row of the bank."""
    parts = [torch.cdist(part, bank).kthvalue(k, dim=1).values for part in queries.float().split(CHUNK)]
    return torch.cat(parts)


def precision_recall(real: Tensor, generated: Tensor, k: int = 3) -> tuple[float, float]:
    """Improved precision and recall of Kynkaanniemi et al. (2019).

    A set covers a point that lies within one of its members' distance to that member's ``k``-th neighbour. Precision:
    generated points that the real set covers; recall: real points that the generated set covers.
    """

    def covered(points: Tensor, by: Tensor) -> float:
        radius = nearest_distances(by, by, k + 1)  # the nearest of all is the point itself
        hits = [(torch.cdist(part, by) <= radius).any(dim=1) for part in points.float().split(CHUNK)]
        return float(torch.cat(hits).double().mean())

    real, generated = real.float(), generated.float()
    return covered(generated, real), covered(real, generated)


def mean_pairwise_distance(x: Tensor) -> float:
    """Mean Euclidean distance over all pairs of different rows."""
    x = x.float()
    total = sum(float(torch.cdist(part, x).double().sum()) for part in x.split(CHUNK))
    return total / (len(x) * (len(x) - 1))


def diversity(x: Tensor, concepts: Sequence[Hashable]) -> float:
    """Mean pairwise distance among rows of one concept, averaged over the concepts that have two rows or more."""
    groups: dict[Hashable, list[int]] = {}
    for index, concept in enumerate(concepts):
        groups.setdefault(concept, []).append(index)
    distances = [mean_pairwise_distance(x[torch.tensor(rows)]) for rows in groups.values() if len(rows) > 1]
    return sum(distances) / len(distances) if distances else float("nan")


def memorisation(generated: Tensor, training: Tensor, held_out: Tensor | None = None) -> dict[str, float]:
    """How near generated data come to the training data, compared with held-out real data.

    Without held-out data, every training row is measured against all the others instead.

    Returns the distances to the nearest training row, median and 5th percentile, of generated and of held-out data, and
    their ratios. About 1: as new as unseen real data. Near 0: copies of the training data.
    """
    near = nearest_distances(generated, training)
    far = nearest_distances(training, training, 2) if held_out is None else nearest_distances(held_out, training)
    result = {}
    for name, q in (("median", 0.5), ("p5", 0.05)):
        a, b = float(near.quantile(q)), float(far.quantile(q))
        result |= {f"generated_{name}": a, f"held_out_{name}": b, f"ratio_{name}": a / b if b > 0 else float("nan")}
    return result
