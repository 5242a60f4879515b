"""What an emoji shows, by comparison with all real ones.

A picture's thing is the one whose real pictures, over all styles, lie nearest; its style is read by a ridge regression
from what is seen and from how colours and edges are distributed. An evaluation sees through ``pretrained/image-judge``,
which no training looks through, or through the network in the folder that ``MMGAN_EYES`` names
(:class:`mmgan.models.image_features.ImageFeatures`); a training that runs is judged by colours and edges alone,
averaged over the cells of a grid, which takes a second instead of many.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...models.image_features import JUDGED_WITH, ImageFeatures, shipped
from ...models.layers import unit
from .captions import STYLES
from .dataset import Emoji

EYES = "MMGAN_EYES"
SIDE, CELLS, DIRECTIONS = 64, 8, 8  # pixels, cells a side, directions of an edge
RIDGE = 0.3  # of the regression on styles, in units of its rows
AT_ONCE = 64

Eyes = Callable[[Tensor], Tensor]  # pictures [B, 3, 64, 64] in -1..1 -> what is seen [B, F]


def colours_and_edges(images: Tensor) -> Tensor:
    """Mean colour and directions of edges in each cell of a grid, as in HOG (Dalal and Triggs 2005)."""
    colours = F.adaptive_avg_pool2d(images, CELLS).flatten(1)
    grey = F.pad(images.mean(1, keepdim=True), (1, 1, 1, 1), "replicate")
    across, down = grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2], grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]
    turn = torch.atan2(down, across).remainder(torch.pi) / torch.pi * DIRECTIONS  # light on dark is dark on light
    length = (across.square() + down.square()).sqrt()
    bins = torch.arange(DIRECTIONS, device=images.device)[None, :, None, None]
    apart = ((turn - bins + DIRECTIONS / 2).remainder(DIRECTIONS) - DIRECTIONS / 2).abs()
    edges = F.adaptive_avg_pool2d(length * (1 - apart).clamp(min=0), CELLS).sqrt().flatten(1)
    return torch.cat([unit(colours), unit(edges)], 1)


def manner(images: Tensor) -> Tensor:
    """How pictures are made, [B, 60]: how many edges are how strong, colours how pure and light, and the margins."""
    grey, purity = images.mean(1), images.amax(1) - images.amin(1)
    across, down = (grey[..., 1:] - grey[..., :-1]).abs().sqrt(), (grey[:, 1:] - grey[:, :-1]).abs().sqrt()
    sides = grey[:, :4], grey[:, -4:], grey[..., :4], grey[..., -4:]
    margins = torch.stack([side.mean((1, 2)) for side in sides], 1)
    counted = ((across, 0.0, 1.2, 16), (down, 0.0, 1.2, 16), (purity, 0.0, 2.0, 12), (grey, -1.0, 1.0, 12))
    return torch.cat([*(_histogram(*each) for each in counted), margins], 1)


def _histogram(values: Tensor, low: float, high: float, bins: int) -> Tensor:
    """Shares [B, bins] of values [B, H, W] around as many centres; a value between two counts for both."""
    at = ((values - low) / (high - low) * (bins - 1)).clamp(0, bins - 1).flatten(1)
    return torch.stack([(1 - (at - centre).abs()).clamp(min=0).mean(1) for centre in range(bins)], 1)


def chosen_eyes() -> tuple[Eyes, str]:
    """The eyes that ``MMGAN_EYES`` names, else those that ship for measuring; and words for them.

    Raises:
        CheckpointError: the folder holds no such network.
    """
    folder = os.environ.get(EYES)
    if not folder:
        return shipped(JUDGED_WITH, torch.device("cpu")).describe, "by pretrained/image-judge"
    return ImageFeatures.from_pretrained(folder).describe, f"by the eyes in {folder}"


class Judge:
    """Real pictures as some eyes see them, for others to be compared with.

    Attributes:
        names: the things' English names, in the order of ``concepts``.
        real: float32 [N, F], the real pictures, unit vectors around their common mean.
        concept, style: int64 [N], what each shows, and how.
        fitted: bool [N], by which of them styles are read; the others say how well.
        concepts: float32 [concepts, F], the mean direction of each thing's pictures.
    """

    def __init__(self, images: Tensor, concept: Tensor, style: Tensor, fitted: Tensor, names: list[str], eyes: Eyes):
        self.eyes, self.names, self.concept, self.style, self.fitted = eyes, names, concept, style, fitted
        self.mean = torch.zeros(())
        self.mean = self.see(images).mean(0)
        self.real = self.see(images)
        self.sums = torch.zeros(len(names), self.real.shape[1]).index_add_(0, concept, self.real)
        self.concepts = unit(self.sums)
        self._made = torch.cat([manner(some) for some in _sized(images).split(AT_ONCE)])
        rows = torch.cat([self.real, self._made], 1)
        self._middle, self._spread = rows[fitted].mean(0), rows[fitted].std(0) + 1e-6
        rows = self._rows(self.real, self._made)[fitted]
        wanted = F.one_hot(style[fitted], len(STYLES)).float()
        ridge = RIDGE * len(rows) * torch.eye(rows.shape[1])
        self._weights = torch.linalg.solve(rows.T @ rows + ridge, rows.T @ wanted)

    @classmethod
    def of(cls, train: Emoji, test: Emoji, eyes: Eyes = colours_and_edges) -> Judge:
        """With all plain pictures of both splits."""
        pictures = [
            (picture, split.plain(index)) for split in (train, test) for index, picture in enumerate(split.pictures)
        ]
        images = torch.stack([_small(image) for _, image in pictures])
        concept = torch.tensor([picture.concept for picture, _ in pictures])
        style = torch.tensor([list(STYLES).index(picture.style) for picture, _ in pictures])
        fitted = torch.arange(len(pictures)) < len(train.pictures)
        return cls(images, concept, style, fitted, [known.english for known in train.known], eyes)

    @torch.no_grad()
    def see(self, images: Tensor) -> Tensor:
        """Pictures [B, 1 or 3, S, S] in -1..1 -> unit vectors [B, F]."""
        seen = []
        for some in images.split(AT_ONCE):
            seen.append(self.eyes(_sized(some)))
        return unit(torch.cat(seen) - self.mean)

    def places(self, seen: Tensor, asked: Tensor) -> Tensor:
        """How many things are likelier than the one asked for, int64 [B]: 0 is the first place."""
        likeness = seen @ self.concepts.T
        return (likeness > likeness.gather(1, asked[:, None])).sum(1)

    def real_places(self) -> Tensor:
        """The places of all real pictures, each judged without itself; -1 where a thing has no other picture."""
        likeness = self.real @ self.concepts.T
        others = self.sums[self.concept] - self.real
        alone = others.norm(dim=1) < 1e-4
        own = (self.real * unit(others)).sum(1)
        likeness.scatter_(1, self.concept[:, None], own[:, None])
        return torch.where(alone, -1, (likeness > own[:, None]).sum(1))

    def styles(self, images: Tensor, seen: Tensor) -> Tensor:
        """The places of the pictures' styles, int64 [B], from the pictures and from what :meth:`see` gave."""
        made = [manner(_sized(some)) for some in images.split(AT_ONCE)]
        return self._style(self._rows(seen, torch.cat(made)))

    def real_styles(self) -> Tensor:
        """Whether the style of each picture that was not fitted is read right, bool."""
        rest = ~self.fitted
        return self._style(self._rows(self.real[rest], self._made[rest])) == self.style[rest]

    def _rows(self, seen: Tensor, made: Tensor) -> Tensor:
        rows = (torch.cat([seen, made], 1) - self._middle) / self._spread
        return F.pad(rows, (0, 1), value=1.0)

    def _style(self, rows: Tensor) -> Tensor:
        return (rows @ self._weights).argmax(1)


@functools.lru_cache(maxsize=1)
def light_judge() -> Judge:
    """By colours and edges, of all real pictures; kept, for a training asks again and again."""
    return Judge.of(Emoji("train"), Emoji("test"))


def _small(image) -> Tensor:
    pixels = torch.from_numpy(np.array(image.resize((SIDE, SIDE))))
    return pixels.permute(2, 0, 1).float() / 127.5 - 1


def _sized(images: Tensor) -> Tensor:
    """Pictures [B, 1 or 3, S, S] -> [B, 3, 64, 64] in -1..1."""
    images = images.float().clamp(-1, 1).expand(-1, 3, -1, -1)
    if images.shape[-1] == SIDE:
        return images
    if images.shape[-1] > SIDE:
        return F.adaptive_avg_pool2d(images, SIDE)
    return F.interpolate(images, (SIDE, SIDE), mode="bilinear", align_corners=False)
