"""Measures a model on a few files of a person's own: does it match files it never saw, and copy those it saw?

Features come from critics that no longer learn (the base's) and from small averages of the picture or mel itself,
scaled by the training files. They and the latent codes are the same at every visit, so a figure changes only because
the model does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.loader import Loader
from ..language import Message
from ..models import Critic, Discriminators
from ..models.modalities import MODALITIES
from .metrics import diversity, energy_distance, nearest_distances

MOST = 512  # files of a bank that are looked at
POOLED = 8  # side of the small averages
FEW_HELD_OUT = 8  # with fewer, distances among the training files help to estimate the usual one
COPY_SHARE = 0.5  # a near-copy is nearer to a file than this share of the usual distance of two files, and
LONE_SHARE = 0.7  # nearer than this share of its distance to any other file; a blurred average of many is not
COPYING, CLOSE = 0.3, 0.1  # shares of near-copies from which the gauge says so
MOST_CAPTIONS = 64  # among which a critic picks a sample's own


@dataclass(frozen=True)
class Measures:
    """Figures of one modality; None where the data do not allow them."""

    to_held_out: float | None  # energy distance of samples to files never trained on, divided by the files' spread
    to_training: float  # the same to the files that it was trained on
    copies: float  # share of samples that are nearly the same as one training file
    nearer: float  # probability that a sample is nearer to the training files than a file never seen is; 0.5 is ideal
    diversity: float  # mean distance between samples over that between training files; 1 is ideal
    caption_match: float | None = None  # share of samples whose caption a critic picks among all
    real_caption_match: float | None = None  # the same of files, held out where there are any
    variety: float | None = None  # as diversity, among the samples and the files of one caption

    def as_dict(self, prefix: str) -> dict[str, float]:
        """Rows for a run's metrics: ``image_to_held_out`` and so on."""
        return {f"{prefix}_{name}": value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, row: dict, prefix: str) -> Measures:
        """What :meth:`as_dict` wrote."""
        values: dict[str, Any] = {f.name: row.get(f"{prefix}_{f.name}") for f in fields(cls)}
        for f in fields(cls):
            if f.default is not None and f.name != "to_held_out":
                values[f.name] = values[f.name] or 0.0
        return cls(**values)

    def with_match(self, match: float, real: float | None) -> Measures:
        return replace(self, caption_match=match, real_caption_match=real)

    @property
    def code(self) -> str:
        """The memorisation gauge: "copying", "close" to copying, "far" from the files, or making its "own" things."""
        if self.copies >= CLOSE:
            return "copying" if self.copies >= COPYING else "close"
        return "far" if self.nearer < 0.1 else "own"

    @property
    def gauge(self) -> Message:
        """The same in plain words."""
        return Message(f"memorisation.{self.code}", share=self.copies)


class OwnMeasure:
    """Measures samples of one modality against training files and held-out ones.

    Args:
        kind: the modality's name.
        critics: whose features are used; they must no longer learn.
        training, held_out: loaders of both splits; None where nothing is held out.
    """

    def __init__(self, kind: str, critics: Discriminators, training: Loader, held_out: Loader | None):
        self.kind, self.critic = kind, getattr(critics, kind)
        rows, self.places, self.concepts = bank(training, kind)
        features = self._raw(rows)
        middle, spread = features.mean(0), features.std(0, correction=0)
        self._scale = middle, spread.clamp(min=0.1 * float(spread.mean()) + 1e-6)
        self.training = self._scaled(features)
        held_rows = bank(held_out, kind)[0] if held_out else rows[:0]
        self.held_out = self._scaled(self._raw(held_rows)) if len(held_rows) else features[:0]
        among = nearest_distances(self.training, self.training, 2) if len(rows) > 1 else torch.ones(1)
        if len(self.held_out):
            unseen = nearest_distances(self.held_out, self.training)
            self.usual = unseen if len(unseen) >= FEW_HELD_OUT else torch.cat([unseen, among])
        else:
            self.usual = among
        self.spread = max(1e-6, float(torch.pdist(self.training).mean())) if len(rows) > 1 else 1.0

    def _raw(self, rows: Tensor) -> Tensor:
        """Rows [N, ...] -> features [N, D] before scaling."""
        if not len(rows):
            return rows.new_zeros(0, 1)
        device = next(self.critic.parameters()).device
        with torch.no_grad():
            seen = torch.cat([self.critic.features(part.to(device)).float().cpu() for part in rows.split(64)])
        small = F.adaptive_avg_pool2d(MODALITIES[self.kind].maps(rows).cpu().float(), POOLED).flatten(1)
        return torch.cat([seen, small * (seen.shape[1] / small.shape[1]) ** 0.5], dim=1)

    def _scaled(self, features: Tensor) -> Tensor:
        middle, spread = self._scale
        return (features - middle) / spread

    def __call__(self, samples: Tensor, concepts: Sequence[str] | None = None) -> Measures:
        """Samples [N, ...] of these concepts [N], as figures."""
        features = self._scaled(self._raw(samples))
        distances = torch.cdist(features, self.training)
        nearest, place = distances.min(dim=1)
        nearer = (nearest[:, None] < self.usual).float() + (nearest[:, None] == self.usual).float() / 2
        return Measures(
            to_held_out=energy_distance(features, self.held_out) / self.spread if len(self.held_out) > 1 else None,
            to_training=energy_distance(features, self.training) / self.spread,
            copies=float(self._copied(distances, nearest, place).float().mean()),
            nearer=float(nearer.mean()),
            diversity=float(torch.pdist(features).mean()) / self.spread,
            variety=None if concepts is None else self._variety(features, concepts),
        )

    def _variety(self, features: Tensor, concepts: Sequence[str]) -> float | None:
        """None where no caption has two files and two samples."""
        files, samples = Counter(self.concepts), Counter(concepts)
        both = {concept for concept in files if files[concept] > 1 and samples[concept] > 1}
        distances = []
        for rows, named in ((features, concepts), (self.training, self.concepts)):
            kept = [i for i, concept in enumerate(named) if concept in both]
            distances.append(diversity(rows[kept], [named[i] for i in kept]))
        return distances[0] / distances[1] if both and distances[1] > 0 else None

    def _copied(self, distances: Tensor, nearest: Tensor, place: Tensor) -> Tensor:
        """Which samples are near-copies, bool [N]: much nearer to one file than files are to each other, and than to
        any other file that is not itself like that one (compare the ratios of Carlini et al. 2023)."""
        near = nearest < COPY_SHARE * self.usual.median()
        if len(self.training) < 3:
            return near
        alike = torch.cdist(self.training, self.training) < COPY_SHARE * self.usual.median()
        others = distances.masked_fill(alike[place], float("inf")).min(dim=1).values
        return near & (nearest < LONE_SHARE * others)

    def nearest_places(self, samples: Tensor) -> list[int]:
        """The training file, as an index into the dataset's bank, that each sample is nearest to."""
        nearest = torch.cdist(self._scaled(self._raw(samples)), self.training).argmin(dim=1)
        return [self.places[i] for i in nearest.tolist()]


def describe(kind: str, now: Measures, before: Measures | None) -> list[Message]:
    """The figures in sentences for a person; ``before`` are the base's."""

    def note(key: str, **values) -> None:
        said.append(Message(f"memorisation.{key}_{kind}", **values))

    said: list[Message] = []
    note(now.code, share=now.copies)
    if before is not None and now.to_held_out is not None and before.to_held_out is not None:
        note("distance", now=max(0.0, now.to_held_out), before=before.to_held_out)
    if now.caption_match is not None:
        own = now.real_caption_match
        note("caption" if own is None else "caption_own", share=now.caption_match, own=own)
    if now.variety is not None and now.variety < 0.6:
        note("variety", share=now.variety)
    elif now.diversity < 0.6:
        note("diversity", share=now.diversity)
    return said


def caption_match(critic: Critic, rows: Tensor, asked: Tensor, captions: Tensor) -> float:
    """Share of rows to which the critic finds their own caption most similar among captions [K, 384]."""
    device = next(critic.parameters()).device
    with torch.no_grad():
        similar = torch.cat([
            critic.similarity(critic.features(part.to(device)), captions.to(device)).cpu() for part in rows.split(64)
        ])  # fmt: skip
    return float((similar.argmax(dim=1) == asked).float().mean())


def bank(loader: Loader, kind: str) -> tuple[Tensor, list[int], list[str]]:
    """Up to ``MOST`` rows [N, ...] of a modality of a dataset, their places and concepts."""
    modality, data = MODALITIES[kind], loader.dataset
    count = modality.count(data)
    places = [i * count // min(count, MOST) for i in range(min(count, MOST))]
    rows = loader.rows(kind, places) if places else loader.blank(kind, 0)
    return rows, places, [modality.concept(data, i) for i in places]


def some_captions(captions: Sequence[str], most: int = MOST_CAPTIONS) -> list[str]:
    """Up to ``most`` distinct captions, spread over all of them."""
    distinct = list(dict.fromkeys(captions))
    return [distinct[i * len(distinct) // min(most, len(distinct))] for i in range(min(most, len(distinct)))]
