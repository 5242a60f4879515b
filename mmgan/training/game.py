"""The two players and what their critics say: everything that the terms of the losses look at.

Scores have names: a modality's own ("image"), "joint", and a modality's twins ("image_twins"). A modality that the data
lack altogether is neither made nor judged, which nearly halves a step; its scores would not count anyway.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import TrainingConfig
from ..data.loader import Batch
from ..models import Critic, Discriminators, Generator
from ..models.image_features import apart as directions_apart
from ..models.modalities import MODALITIES
from .losses import Loss, mean

JOINT = "joint"
MATCHED = 128  # real rows by whose distances it is known what a copy is
COPY_SHARE = 0.3  # of the usual distance to the most similar row
SAME = 0.01  # twins that are nearer than this are one and the same file
POOLED = 8  # side of the averages that twins are compared by; they leave out fine noise


@dataclass
class Scores:
    """What the discriminators say of B rows: descriptions [B, F] by modality, and scores [B] by name."""

    features: dict[str, Tensor]
    values: dict[str, Tensor]

    def total(self, counts: dict[str, Tensor]) -> Tensor:
        """All scores of each row that count, summed, [B]."""
        return functools.reduce(operator.add, (value * counts[name] for name, value in self.values.items()))


@dataclass
class Slice:
    """The rows of a batch that a process looks at in one piece, and all that was made and said of them.

    Captions are embeddings: ``captions`` [N, 384] of the whole batch, ``caption`` and ``wrong_caption`` [B, 384] of the
    slice's rows. ``latents`` and ``noise`` are [B, L], ``between`` [B] in 0..1. ``counts`` [B] by score is 1 where a
    row has what that critic looks at, else 0.
    """

    batch: Batch
    part: Batch
    rows: slice
    captions: Tensor
    caption: Tensor
    wrong_caption: Tensor
    latents: Tensor
    noise: Tensor
    between: Tensor
    counts: dict[str, Tensor]
    progress: float = 0.0  # share of the training that is done
    draws: Tensor | None = None  # [B, draws, L], of the samples among which the one most like the row is sought
    generated: dict[str, Tensor] = field(default_factory=dict)  # rows by modality, before augmentation
    real_inputs: dict[str, Tensor] = field(default_factory=dict)  # rows as the critics see them
    fake_inputs: dict[str, Tensor] = field(default_factory=dict)
    real: Scores = field(default_factory=lambda: Scores({}, {}))  # empty until the critics have been asked
    fake: Scores = field(default_factory=lambda: Scores({}, {}))


class Game:
    """A generator, its discriminators, and what is known of the data.

    Args:
        spreads: by modality, the mean squared distance between two real rows, the unit of errors.
        present: the modalities that the data have.
    """

    def __init__(
        self, config: TrainingConfig, loss: Loss, generator: Generator, discriminators: Discriminators, bf16: bool,
        spreads: dict[str, float], present: Iterable[str],
    ):  # fmt: skip
        self.config, self.weights, self.loss, self.bf16, self.spreads = config, config.losses, loss, bf16, spreads
        self.generator, self.discriminators = generator, discriminators
        self.present = tuple(present)
        self.match_radius = dict.fromkeys(config.model.modalities, 0.0)  # see measure_matches
        self.twin_spreads = dict.fromkeys(config.model.modalities, 0.0)  # see measure_twins
        self.device = next(discriminators.parameters()).device

    # What is made and said ----------------------------------------------------------------------------------------

    def generate(self, caption: Tensor, latents: Tensor, wanted: Collection[str] | None = None) -> dict[str, Tensor]:
        """Captions [B, 384] and latents [B, L] -> rows by modality (all present ones), in full precision."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            made = self.generator(caption, latents, self.present if wanted is None else wanted)
        return {name: rows.float() for name, rows in made.items()}

    def scores(self, inputs: dict[str, Tensor], caption: Tensor) -> Scores:
        """Rows by modality under captions [B, 384] -> what the critics say."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            features = self.discriminators.features({name: inputs[name] for name in self.present})
        features = {name: described.float() for name, described in features.items()}
        twins = self.discriminators.twin_scores(features, caption)
        return Scores(features, self.values(features, caption) | {f"{name}_twins": s for name, s in twins.items()})

    def values(self, features: dict[str, Tensor], caption: Tensor) -> dict[str, Tensor]:
        """Scores of single rows under captions [B, 384]; the joint critic's where there is something to join."""
        found = {name: self.critics[name].score(described, caption) for name, described in features.items()}
        if self.joined(features):
            found[JOINT] = self.discriminators.joint_score(features, caption)
        return found

    @property
    def critics(self) -> dict[str, Critic]:
        """The critics of the modalities that the data have."""
        return {name: getattr(self.discriminators, name) for name in self.present}

    def joined(self, features: dict[str, Tensor]) -> bool:
        """Whether every modality of the model is there, which the joint critic asks for."""
        return len(features) == len(self.config.model.modalities) > 1

    # What counts --------------------------------------------------------------------------------------------------

    def same_concept(self, part: Batch, distance: int) -> Tensor:
        """Whether row i and row i ^ distance share their concept, bool [B]."""
        same = [part.concepts[i] == part.concepts[i ^ distance] for i in range(len(part))]
        return torch.tensor(same, device=self.device)

    def counts(self, part: Batch) -> dict[str, Tensor]:
        """1 where a row has what a critic looks at, else 0: [B] by score."""
        twins, other = self.same_concept(part, 1), torch.arange(len(part), device=self.device) ^ 1
        counts = dict(part.has)
        counts[JOINT] = torch.stack(list(part.has.values())).all(dim=0)
        counts |= {f"{name}_twins": twins & has & has[other] for name, has in part.has.items()}
        return {name: count.float() for name, count in counts.items()}

    def weight(self, score: str) -> float:
        """How much a score counts among the others."""
        if score == JOINT:
            return self.weights.joint_weight
        return self.weights.twin_weight if score.endswith("_twins") else 1.0

    def weighted(self, values: dict[str, Tensor], counts: dict[str, Tensor]) -> Tensor:
        """Values [B] by score, summed by weight, averaged over the rows that have what the critic looks at."""
        terms = (self.weight(name) * mean(value, counts[name]) for name, value in values.items())
        return functools.reduce(operator.add, terms)

    # What is known of the data ------------------------------------------------------------------------------------

    def apart(self, name: str, rows: Tensor) -> Tensor:
        """How far each row is from its twin, [B], by small averages of both."""
        return apart(MODALITIES[name].maps(rows))

    def measure_matches(self, batches: Sequence[Batch]) -> None:
        """Within what distance a sample counts as a copy: a share of what real rows keep to the one most like them."""
        for name in self.present:
            eyes = MODALITIES[name].eyes(self.device)
            if eyes is None:
                continue
            rows = torch.cat([batch.rows[name][batch.has[name]] for batch in batches])[:MATCHED].to(self.device)
            if not len(rows):  # pictures may be so few among the sounds that none was drawn
                continue
            with torch.no_grad():
                seen = eyes.directions(rows)
                apart = torch.stack([directions_apart([s[i : i + 1] for s in seen], seen) for i in range(len(rows))])
            apart = apart.masked_fill(apart < SAME, float("inf")).min(dim=1).values  # a file drawn twice is itself
            apart = apart[apart.isfinite()]
            self.match_radius[name] = COPY_SHARE * float(apart.median()) if len(apart) else 0.0

    def measure_twins(self, batches: Iterable[Batch]) -> None:
        """How far real twins are apart: the root mean square, 0 where there are none."""
        squares = {name: [] for name in self.present}
        for batch in batches:
            part = batch.to(self.device)
            counts = self.counts(part)
            for name, found in squares.items():
                found.append(self.apart(name, part.rows[name])[counts[f"{name}_twins"].bool()].square())
        for name, found in squares.items():
            some = torch.cat(found)
            some = some[some > SAME**2]  # a file that is its own twin says nothing
            self.twin_spreads[name] = float(some.mean()) ** 0.5 if len(some) else 0.0


def apart(maps: Tensor) -> Tensor:
    """How far each map [B, C, H, W] is from its twin, [B], by small averages of both."""
    small = F.adaptive_avg_pool2d(maps, POOLED).flatten(1)
    return ((small - small[torch.arange(len(maps), device=maps.device) ^ 1]).square().mean(1) + 1e-8).sqrt()
