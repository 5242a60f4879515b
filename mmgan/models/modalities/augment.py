"""Differentiable augmentation (Zhao et al. 2020) for both modalities, applied to real and generated rows alike.

Every random number is drawn beforehand for the whole batch (:meth:`Plan.draw`), so that any slice of a batch, on any
process, is augmented exactly as it would be within the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

IMAGE_SHIFT = 1 / 8  # largest shift, as a share of the side
IMAGE_CUTOUT = 3 / 8  # side of the square that is blanked
BRIGHTNESS, CONTRAST = 0.3, 0.3
TIME_SHIFT = 1 / 10  # as a share of the clip
BAND_SHIFT = 1  # mel bands, about a semitone or two of pitch
GAIN = 0.1  # in units of a log-mel: 4 dB
TIME_CUTOUT, BAND_CUTOUT = 1 / 6, 1 / 6


@dataclass(frozen=True)
class Allowed:
    """Which changes leave a caption true. Flips are off unless nothing in the pictures can be read."""

    flip: bool = False  # left and right
    colour: bool = True  # brightness and contrast
    place: bool = True  # shifts of the picture
    gain: bool = True
    pitch: bool = True  # shifts of mel bands


@dataclass
class Plan:
    """Random numbers of one batch: ``uniform`` [B, 12] in -1..1 and ``chosen`` [B, 12] in 0..1, compared with p."""

    uniform: Tensor
    chosen: Tensor

    @classmethod
    def draw(cls, rows: int, generator: torch.Generator) -> Plan:
        return cls(torch.rand(rows, 12, generator=generator) * 2 - 1, torch.rand(rows, 12, generator=generator))

    def slice(self, start: int, stop: int, device: torch.device | str) -> Plan:
        return Plan(self.uniform[start:stop].to(device), self.chosen[start:stop].to(device))

    def amount(self, column: int, p: float) -> Tensor:
        """[B] in -1..1, 0 in rows that are not chosen."""
        return self.uniform[:, column] * (self.chosen[:, column] < p)

    def on(self, column: int, p: float) -> Tensor:
        """Bool [B]."""
        return self.chosen[:, column] < p


def shift(x: Tensor, rows: Tensor, columns: Tensor, fill: float) -> Tensor:
    """[B, C, H, W] moved by whole ``rows`` and ``columns`` [B] (down and right), ``fill`` where nothing comes in."""
    batch, _, height, width = x.shape
    y = torch.arange(height, device=x.device) - rows[:, None]  # [B, H]
    z = torch.arange(width, device=x.device) - columns[:, None]  # [B, W]
    inside = ((y >= 0) & (y < height))[:, None, :, None] & ((z >= 0) & (z < width))[:, None, None, :]
    picked = x[
        torch.arange(batch, device=x.device)[:, None, None],
        :,
        y.clamp(0, height - 1)[:, :, None],
        z.clamp(0, width - 1)[:, None, :],
    ]
    return torch.where(inside, picked.permute(0, 3, 1, 2), fill)


def blank(
    x: Tensor, center_row: Tensor, center_column: Tensor, height: float, width: float, on: Tensor, fill: float
) -> Tensor:
    """A box of ``height`` x ``width`` (shares of the sides) around centres in -1..1 [B] becomes ``fill``."""
    y = torch.linspace(-1, 1, x.shape[2], device=x.device)
    z = torch.linspace(-1, 1, x.shape[3], device=x.device)
    box = ((y - center_row[:, None]).abs() <= height)[:, :, None] & ((z - center_column[:, None]).abs() <= width)[
        :, None, :
    ]
    return torch.where((box & on[:, None, None]).unsqueeze(1), fill, x)


def augment_image(image: Tensor, plan: Plan, p: float, allowed: Allowed = Allowed()) -> Tensor:
    """[B, C, S, S] in -1..1 -> the same, each of shift, brightness, contrast and cutout with probability ``p``."""
    if allowed.flip:  # half of the rows, whatever p is: a mirrored picture is as real as the picture
        image = torch.where((plan.chosen[:, 11] < 0.5)[:, None, None, None], image.flip(3), image)
    if p <= 0:
        return image
    size = image.shape[-1]
    if allowed.colour:
        image = image + BRIGHTNESS * plan.amount(0, p)[:, None, None, None]
        middle = image.mean(dim=(1, 2, 3), keepdim=True)
        image = (image - middle) * (1 + CONTRAST * plan.amount(1, p)[:, None, None, None]) + middle
    if allowed.place:
        moves = (torch.stack([plan.amount(2, p), plan.amount(3, p)]) * IMAGE_SHIFT * size).round().long()
        image = shift(image, moves[0], moves[1], -1.0)
    return blank(image, plan.uniform[:, 4], plan.uniform[:, 5], IMAGE_CUTOUT, IMAGE_CUTOUT, plan.on(4, p / 2), 0.0)


def augment_mel(mel: Tensor, plan: Plan, p: float, allowed: Allowed = Allowed()) -> Tensor:
    """[B, bands, T] -> the same, each of gain, shift in time, shift of bands and two cutouts with probability ``p``."""
    if p <= 0:
        return mel
    floor = -1.0
    # Gain leaves silence silent, like a volume knob.
    if allowed.gain:
        mel = torch.where(mel > floor + 0.02, mel + GAIN * plan.amount(6, p)[:, None, None], mel)
    time = (plan.amount(7, p) * TIME_SHIFT * mel.shape[2]).round().long()
    bands = (plan.amount(8, p) * (BAND_SHIFT + 0.5)).round().long().clamp(-BAND_SHIFT, BAND_SHIFT)
    if not allowed.pitch:
        bands = torch.zeros_like(bands)
    x = shift(mel.unsqueeze(1), bands, time, floor)
    x = blank(x, torch.zeros_like(plan.uniform[:, 9]), plan.uniform[:, 9], 2.0, TIME_CUTOUT, plan.on(9, p / 2), floor)
    x = blank(
        x, plan.uniform[:, 10], torch.zeros_like(plan.uniform[:, 10]), BAND_CUTOUT, 2.0, plan.on(10, p / 2), floor
    )
    return x.squeeze(1)
