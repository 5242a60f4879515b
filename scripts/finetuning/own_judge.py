"""A judge for one small set: a classifier of its captions, trained on all of it; and what it says of samples.

Used by scripts/finetuning/compare_finetuning.py. It never trains a generator. Having seen every file it knows what each
caption looks and sounds like, but it would also call a copy right, so near-copies are counted beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgan.evaluation.metrics import diversity, kernel_distance
from scripts.judges.train import augment_sounds

STEPS, BATCH, RATE, DECAY = 240, 32, 3e-3, 1e-2
FOLDS = 4
FEATURES, SIDE = 48, 32


def split_files(groups: dict[str, Sequence[str]], share: float = 0.2) -> set[str]:
    """The files to hold out: of each caption about ``share`` of its files, at least one where it has three or more.

    Pieces of one recording (name.cut1.wav, name.cut2.wav) stay on one side. The order is that of a hash of the names,
    so that it is the same everywhere and follows no order of making.

    Args:
        groups: the files of one kind under each caption.
    """
    held_out: set[str] = set()
    for files in groups.values():
        sources: dict[str, list[str]] = {}
        for name in files:
            sources.setdefault(_source(name), []).append(name)
        left = max(1, round(share * len(files))) if len(sources) >= 3 else 0
        for source in sorted(sources, key=lambda name: hashlib.sha256(name.encode()).hexdigest()):
            if left > 0 and len(sources[source]) <= left:
                held_out.update(sources[source])
                left -= len(sources[source])
    return held_out


def _source(name: str) -> str:
    """What a file was cut from."""
    return name.split(".cut")[0] if ".cut" in Path(name).name else name


class OwnJudge(nn.Module):
    """Tells ``labels`` captions apart in pictures [N, 3, S, S] or log-mels [N, 1, 64, 64], both seen in 32 x 32."""

    def __init__(self, channels: int, labels: int):
        super().__init__()
        layers = []
        for inner, outer in ((channels, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(inner, outer, 3, 1, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(), nn.MaxPool2d(2)]
        self.convolutions = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.3))
        self.describe, self.classify = nn.Linear(64 * 16, FEATURES), nn.Linear(FEATURES, labels)

    def features(self, x: Tensor) -> Tensor:
        """[N, FEATURES] in -1..1, so that one wild sample cannot outweigh all others in a distance."""
        x = x if x.shape[-1] == SIDE else F.interpolate(x, (SIDE, SIDE), mode="area")
        return torch.tanh(self.describe(self.convolutions(x.contiguous(memory_format=torch.channels_last))))

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.features(x))


def augment_pictures(x: Tensor, rng: torch.Generator) -> Tensor:
    """Mirrored, turned to 10 degrees, scaled and moved by an eighth, brighter or darker, blurred: [N, C, S, S]."""
    u = torch.rand(6, len(x), generator=rng) * 2 - 1
    mirror = torch.where(u[5] < 0, -1.0, 1.0)
    angle, scale = u[0] * 0.17, 1 + 0.15 * u[1]
    rows = torch.stack([mirror * scale * angle.cos(), -scale * angle.sin(), u[2] / 4], 1)
    columns = torch.stack([mirror * scale * angle.sin(), scale * angle.cos(), u[3] / 4], 1)
    grid = F.affine_grid(torch.stack([rows, columns], 1), list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False) + 0.2 * u[4].view(-1, 1, 1, 1)
    soft = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return torch.where((torch.rand(len(x), generator=rng) < 0.5).view(-1, 1, 1, 1), soft, x)


def train_judge(rows: Tensor, labels: Tensor, classes: int, seed: int = 0, steps: int = STEPS) -> OwnJudge:
    """A judge of rows [N, C, H, W] and labels [N], captions drawn equally often."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    judge = OwnJudge(rows.shape[1], classes).train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    weights = 1.0 / labels.bincount(minlength=classes)[labels]
    for _ in range(steps):
        chosen = torch.multinomial(weights, BATCH, replacement=True, generator=rng)
        x = augment_pictures(rows[chosen], rng) if rows.shape[1] == 3 else augment_sounds(rows[chosen, 0], rng)[:, None]
        loss = F.cross_entropy(judge(x), labels[chosen], label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return judge.eval().requires_grad_(False)


def cross_validated(rows: Tensor, labels: Tensor, classes: int, folds: Tensor, steps: int = STEPS) -> float:
    """How well judges of this kind know files that they never saw, ``folds`` [N] in turn: what a figure is worth."""
    right = 0
    for fold in folds.unique().tolist():
        out = folds == fold
        judge = train_judge(rows[~out], labels[~out], classes, seed=fold, steps=steps)
        right += int((judge(rows[out]).argmax(1) == labels[out]).sum())
    return right / len(rows)


def folds_of(names: Sequence[str], count: int = FOLDS) -> Tensor:
    """A fold for each file [N], the same for all pieces of one recording."""
    hashed = [int(hashlib.sha256(_source(name).encode()).hexdigest(), 16) for name in names]
    order = {value: place for place, value in enumerate(sorted(set(hashed)))}
    return torch.tensor([order[value] % count for value in hashed])


def chequer(rows: Tensor) -> float:
    """Power of the finest chequerboard in rows [N, C, H, W]: upsampling leaves it, and sounds get rough by it."""
    x = rows.mean(1)
    return float((x[:, 1:, 1:] - x[:, :-1, 1:] - x[:, 1:, :-1] + x[:, :-1, :-1]).square().mean())


@dataclass
class Side:
    """One modality of a set: its files as rows, and the judge of it.

    ``rows`` [N, C, H, W] are all files, ``held`` [N] marks those held out, ``labels`` [N] index ``captions``.
    """

    kind: str
    captions: list[str]
    rows: Tensor
    labels: Tensor
    held: Tensor
    judge: OwnJudge
    known: float  # accuracy of such judges on files that they never saw

    def figures(self, samples: Tensor, asked: Tensor | None) -> dict[str, float | None]:
        """Of samples [N, C, H, W] that should show captions ``asked`` [N] (None: whatever they like)."""
        seen, real = self.judge.features(samples), self.judge.features(self.rows)
        right = variety = None
        if asked is not None:
            right = float((self.judge(samples).argmax(1) == asked).float().mean())
            variety = diversity(seen, asked.tolist()) / diversity(real, self.labels.tolist())
        return {
            "distance": kernel_distance(seen, real[self.held]),
            "distance_training": kernel_distance(seen, real[~self.held]),
            "accuracy": right, "variety": variety, "chequer": chequer(samples) / chequer(self.rows),
        }  # fmt: skip
