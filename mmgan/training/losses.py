"""Adversarial losses to choose from, each as its paper writes it.

Scores are the critics' linear outputs [B]. A loss answers two questions: what the discriminator minimises given scores
of real and of fake rows, and what the generator minimises. Rows weigh by ``weight`` [B], so that a row without a
picture adds nothing to the picture's loss.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """``discriminator(real, fake) -> [B]`` and ``generator(real, fake) -> [B]``, both to be minimised.

    ``penalty`` is what keeps this loss's critics smooth by default: "r1r2", "r1", "gp" (towards slope 1) or "none".
    """

    title: str
    paper: str
    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    penalty: str


LOSSES: dict[str, Loss] = {
    "minimax": Loss(
        "Minimax binary cross-entropy",
        "Goodfellow et al. 2014, eq. 1",
        # max log D(x) + log(1 - D(G(z))), with D = sigmoid(score)
        lambda real, fake: F.softplus(-real) + F.softplus(fake),
        # min log(1 - D(G(z))): its gradient vanishes while the discriminator wins, which is its lesson
        lambda real, fake: -F.softplus(fake),
        "r1",
    ),
    "non-saturating": Loss(
        "Non-saturating",
        "Goodfellow et al. 2014, section 3",
        lambda real, fake: F.softplus(-real) + F.softplus(fake),
        lambda real, fake: F.softplus(-fake),  # max log D(G(z))
        "r1",
    ),
    "least-squares": Loss(
        "Least squares (MSE)",
        "Mao et al. 2017, eq. 9",
        lambda real, fake: ((real - 1) ** 2 + fake**2) / 2,
        lambda real, fake: (fake - 1) ** 2 / 2,
        "r1",
    ),
    "hinge": Loss(
        "Hinge",
        "Lim and Ye 2017; Miyato et al. 2018, eqs. 16-17",
        lambda real, fake: F.relu(1 - real) + F.relu(1 + fake),
        lambda real, fake: -fake,
        "r1",
    ),
    "wasserstein": Loss(
        "Wasserstein with gradient penalty",
        "Gulrajani et al. 2017, eq. 3",
        lambda real, fake: fake - real,
        lambda real, fake: -fake,
        "gp",
    ),
    "relativistic": Loss(
        "Relativistic pairing with R1 and R2",
        "Jolicoeur-Martineau 2019; Huang et al. 2024 (R3GAN), eq. 2",
        lambda real, fake: F.softplus(fake - real),
        lambda real, fake: F.softplus(real - fake),
        "r1r2",
    ),
}


def mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of values [B] over the rows that count (weight [B] of 0 or 1), divided by B.

    Divided by B and not by the rows that count, so that slices of a batch add up to the batch however it is cut.
    """
    return (values * weight).sum() / len(values)


def squared_slope(score: Tensor, inputs: list[Tensor]) -> Tensor:
    """||d score_i / d input_i||^2 of each row, summed over the inputs, [B]; differentiable.

    R1 (Mescheder et al. 2018, eq. 9) when the inputs are real rows, R2 when they are generated ones.
    """
    gradients = torch.autograd.grad(score.sum(), inputs, create_graph=True)
    return functools.reduce(operator.add, (g.flatten(1).square().sum(1) for g in gradients))


def slope_towards_one(score: Tensor, inputs: list[Tensor]) -> Tensor:
    """(||gradient_i|| - 1)^2 of each row, [B] (Gulrajani et al. 2017); inputs lie between real and generated rows."""
    return ((squared_slope(score, inputs) + 1e-12).sqrt() - 1).square()


def contrastive(similarity: Tensor, right: Tensor, excluded: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of each row's own caption among all captions (InfoNCE; XMC-GAN, Zhang et al. 2021, eq. 5), [B].

    Args:
        similarity: cosines [B, N] of rows with captions.
        right: index [B] of each row's own caption.
        excluded: bool [B, N]; captions that are neither right nor wrong for the row (they share its concept).
    """
    return F.cross_entropy((similarity / temperature).masked_fill(excluded, -1e4), right, reduction="none")
