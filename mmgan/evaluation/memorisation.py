"""Measures a model on a few files of a person's own: does it match files it never saw, and copy those it saw?

Features come from networks that do not learn here: for pictures one that no training looks through, for sounds the
base's critic. Small averages of the picture or mel itself stand beside them, all scaled by the training files. They and
the latent codes are the same at every visit, so a figure changes only because the model does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.loader import Loader
from ..language import Message
from ..models import Discriminators
from ..models.modalities import MODALITIES
from .metrics import diversity, energy_distance, energy_interval, nearest_distances

MOST = 512  # files of a bank that are looked at
POOLED = 8  # side of the small averages
FEW_HELD_OUT = 8  # fewer say nothing of a distance, and those among the training files help to estimate the usual one
RESAMPLED, INNER = 200, 0.9  # bootstrap draws of a distance, and the share of them that its interval holds
BLURRED = 0.6  # share of the files' fine detail below which pictures are said to be blurred
COPY_SHARE = 0.5  # a near-copy is nearer to a file than this share of the usual distance of two files, and
LONE_SHARE = 0.7  # nearer than this share of its distance to any other file; a blurred average of many is not
COPYING, CLOSE = 0.3, 0.1  # shares of near-copies from which the gauge says so


@dataclass(frozen=True)
class Measures:
    """Figures of one modality; None where the data do not allow them."""

    to_held_out: float | None  # energy distance of samples to files never trained on, divided by the files' spread
    to_training: float  # the same to the files that it was trained on
    copies: float  # share of samples that are nearly the same as one training file
    nearer: float  # probability that a sample is nearer to the training files than a file never seen is; 0.5 is ideal
    diversity: float  # mean distance between samples over that between training files; 1 is ideal
    caption_match: float | None = None  # share of samples that are nearer to their caption's files than to any other's
    real_caption_match: float | None = None  # the same of files, held out or each left out in turn
    variety: float | None = None  # as diversity, among the samples and the files of one caption
    to_held_out_low: float | None = None  # ends of an interval for to_held_out, by the bootstrap
    to_held_out_high: float | None = None
    held_out: float | None = None  # files that were never trained on
    detail: float | None = None  # what lies between neighbouring pixels, over the same of the training files

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

    @property
    def trusted(self) -> bool:
        """Whether there are enough files aside to say how near samples come to them."""
        return (self.held_out or 0) >= FEW_HELD_OUT

    @property
    def distance(self) -> float | None:
        """By which a model is chosen: to the files held out, or, where they are too few, to those learned from.

        Near-copies, which come near to those as well, count against a model beside it.
        """
        return self.to_held_out if self.trusted or self.to_held_out is None else self.to_training

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
        critics: whose features are used where no network describes the modality that no training looks through; they
            must no longer learn.
        training, held_out: loaders of both splits; None where nothing is held out.
    """

    def __init__(self, kind: str, critics: Discriminators, training: Loader, held_out: Loader | None):
        self.kind, self.critic = kind, getattr(critics, kind)
        rows, self.places, self.concepts = bank(training, kind)
        features = self._raw(rows)
        self._scale = features.mean(0), self._spreads(features)
        self.training = self._scaled(features)
        self.training_detail = self._detail(rows) if len(rows) else 0.0
        held_rows, _, self.held_concepts = bank(held_out, kind) if held_out else (rows[:0], [], [])
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
            seen = torch.cat([self._seen(part.to(device)).float().cpu() for part in rows.split(64)])
        small = F.adaptive_avg_pool2d(MODALITIES[self.kind].maps(rows).cpu().float(), POOLED).flatten(1)
        self.seen = seen.shape[1]
        return torch.cat([seen, small], dim=1)

    def _spreads(self, features: Tensor) -> Tensor:
        """What each feature is divided by: one number for all that was seen and one for the small averages.

        Both then weigh the same. A number for each feature would blow up those that hardly differ among the files.
        """
        variances = features.var(0, correction=0)
        blocks = [variances[: self.seen], variances[self.seen :]]
        return torch.cat([each.sum().sqrt().clamp(min=1e-6).expand(len(each)) for each in blocks])

    def _seen(self, rows: Tensor) -> Tensor:
        described = MODALITIES[self.kind].describe(rows)
        return self.critic.features(rows) if described is None else described

    def _scaled(self, features: Tensor) -> Tensor:
        middle, spread = self._scale
        return (features - middle) / spread

    def __call__(self, samples: Tensor, concepts: Sequence[str] | None = None) -> Measures:
        """Samples [N, ...] of these concepts [N], as figures."""
        features = self._scaled(self._raw(samples))
        distances = torch.cdist(features, self.training)
        nearest, place = distances.min(dim=1)
        nearer = (nearest[:, None] < self.usual).float() + (nearest[:, None] == self.usual).float() / 2
        held_out = low = high = None
        if len(self.held_out) > 1:
            held_out = energy_distance(features, self.held_out) / self.spread
            low, high = (end / self.spread for end in energy_interval(features, self.held_out, RESAMPLED, INNER))
        match, real = (None, None) if concepts is None else self._matches(features, concepts)
        return Measures(
            to_held_out=held_out,
            to_training=energy_distance(features, self.training) / self.spread,
            copies=float(self._copied(distances, nearest, place).float().mean()),
            nearer=float(nearer.mean()),
            diversity=float(torch.pdist(features).mean()) / self.spread,
            caption_match=match,
            real_caption_match=real,
            variety=None if concepts is None else self._variety(features, concepts),
            to_held_out_low=low,
            to_held_out_high=high,
            held_out=float(len(self.held_out)),
            detail=self._detail(samples) / self.training_detail if self.training_detail > 0 else None,
        )

    def _matches(self, features: Tensor, concepts: Sequence[str]) -> tuple[float | None, float | None]:
        """Shares of samples, and of real files, that are nearest to the mean of their own concept's training files.

        Nothing in this judge was trained, so samples cannot have learned to please it. Real files are those held out,
        or where they are few, each training file with itself left out of its concept's mean.
        """
        names = sorted(set(self.concepts))
        known = [index for index, concept in enumerate(concepts) if concept in names]
        if len(names) < 2 or not known:
            return None, None
        own = torch.tensor([names.index(concept) for concept in self.concepts])
        sums = torch.zeros(len(names), features.shape[1]).index_add_(0, own, self.training)
        counts = torch.bincount(own, minlength=len(names)).float()[:, None]
        means = sums / counts

        def right(some: Tensor, asked: list[str]) -> float:
            found = torch.cdist(some, means).argmin(1)
            return float((found == torch.tensor([names.index(concept) for concept in asked])).float().mean())

        share = right(features[known], [concepts[index] for index in known])
        held = [index for index, concept in enumerate(self.held_concepts) if concept in names]
        if len(held) >= FEW_HELD_OUT:
            return share, right(self.held_out[held], [self.held_concepts[index] for index in held])
        several = (counts[own, 0] > 1).nonzero()[:, 0]
        if not len(several):
            return share, None
        hits = []
        for index in several.tolist():
            without = means.clone()
            without[own[index]] = (sums[own[index]] - self.training[index]) / (counts[own[index]] - 1)
            hits.append(torch.cdist(self.training[index : index + 1], without).argmin() == own[index])
        return share, float(torch.stack(hits).float().mean())

    def _detail(self, rows: Tensor) -> float:
        """Mean absolute difference of each place of the rows' maps from the average of the nine around it."""
        maps = MODALITIES[self.kind].maps(rows).cpu().float().clamp(-1, 1)
        if min(maps.shape[-2:]) < 3:
            return 0.0
        return float((maps[..., 1:-1, 1:-1] - F.avg_pool2d(maps, 3, 1)).abs().mean())

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
    if now.held_out and not now.trusted:
        note("few", count=int(now.held_out))
    elif before is not None and now.to_held_out_high is not None and before.to_held_out is not None:
        low, high = (max(0.0, end) for end in (now.to_held_out_low or 0.0, now.to_held_out_high))
        note("distance", count=int(now.held_out or 0), low=low, high=high, before=max(0.0, before.to_held_out))
    if kind == "image" and now.detail is not None and now.detail < BLURRED:
        note("blurred", share=now.detail)
    if now.caption_match is not None and now.real_caption_match is not None:
        note("caption", share=now.caption_match, own=now.real_caption_match)
    if now.variety is not None and now.variety < 0.6:
        note("variety", share=now.variety)
    elif now.diversity < 0.6:
        note("diversity", share=now.diversity)
    return said


def bank(loader: Loader, kind: str) -> tuple[Tensor, list[int], list[str]]:
    """Up to ``MOST`` rows [N, ...] of a modality of a dataset, their places and concepts."""
    modality, data = MODALITIES[kind], loader.dataset
    count = modality.count(data)
    places = [i * count // min(count, MOST) for i in range(min(count, MOST))]
    rows = loader.rows(kind, places) if places else loader.blank(kind, 0)
    return rows, places, [modality.concept(data, i) for i in places]
