"""What an evaluation compares: generated samples, and real data in the same form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ..audio.griffin_lim import vocode
from ..audio.mel import log_mel
from ..audio.waveform import SOURCE_RATE, fit_length, resample
from ..config import AudioConfig
from ..data.base import Dataset, Prompt
from ..image.pictures import picture_to_array

CHUNK = 64  # sounds turned into spectra at once
AT_ONCE = 50  # samples asked of a pipeline in one call


@dataclass
class Items:
    """N pictures (uint8 [N, C, S, S]) or N sounds (float32 [N, num_samples]) and the concept of each."""

    values: np.ndarray
    concepts: list[str]

    def __len__(self) -> int:
        return len(self.concepts)

    def take(self, indices: Iterable[int]) -> Items:
        """The items at ``indices``."""
        indices = list(map(int, indices))
        return Items(self.values[indices], [self.concepts[i] for i in indices])


@dataclass
class Generated:
    """What a pipeline made of the evaluation's prompts: picture, sound and mel i belong to ``prompts[i]``."""

    images: Items
    sounds: Items
    mels: np.ndarray  # float32 [N, bands, T], before the vocoder
    prompts: list[Prompt]
    audio: AudioConfig


def generate(pipeline, prompts: Sequence[Prompt], per_prompt: int, seed: int, progress: bool = True) -> Generated:
    """``per_prompt`` samples of every prompt; each prompt has a seed of its own, so that no latent is used twice."""
    images, sounds, mels, asked = [], [], [], []
    for number, prompt in enumerate(tqdm(prompts, "generating", disable=not progress)):
        for start in range(0, per_prompt, AT_ONCE):
            out = pipeline(
                [prompt.text], num_samples=min(AT_ONCE, per_prompt - start), seed=seed + number + 1_000 * start
            )
            images += [image_array(image) for image in out.images]
            sounds.append(np.asarray(out.audio, dtype=np.float32))
            mels.append(np.asarray(out.mels, dtype=np.float32))
        asked += [prompt] * per_prompt
    concepts = [prompt.concept for prompt in asked]
    return Generated(
        Items(np.stack(images), concepts), Items(np.concatenate(sounds), concepts), np.concatenate(mels), asked,
        pipeline.config.audio,
    )  # fmt: skip


def image_array(image) -> np.ndarray:
    """A PIL picture -> uint8 [1 or 3, H, W]."""
    pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def real_images(dataset: Dataset, indices: Iterable[int], like: np.ndarray) -> Items:
    """Pictures of the dataset at the size and with the channels of ``like`` [N, C, S, S]."""
    indices = list(map(int, indices))
    arrays = [picture_to_array(dataset.image(i), like.shape[-1], like.shape[1]) for i in indices]
    values = np.stack(arrays) if arrays else np.zeros((0, *like.shape[1:]), np.uint8)
    return Items(values, [dataset.image_concept(i) for i in indices])


def real_sounds(dataset: Dataset, indices: Iterable[int], audio: AudioConfig) -> Items:
    """Sounds of the dataset at the length and rate of ``audio``."""
    indices = list(map(int, indices))
    clips = [
        fit_length(resample(dataset.sound(i), SOURCE_RATE, audio.sampling_rate), audio.num_samples) for i in indices
    ]
    values = np.stack(clips) if clips else np.zeros((0, audio.num_samples), np.float32)
    return Items(values, [dataset.sound_concept(i) for i in indices])


def mels_of(waveforms: np.ndarray, audio: AudioConfig) -> Tensor:
    """Waveforms [N, num_samples] -> log-mels [N, bands, T], levels as they are."""
    parts = torch.from_numpy(np.ascontiguousarray(waveforms, dtype=np.float32)).split(CHUNK)
    return torch.cat([log_mel(part, audio) for part in parts])


def vocoded(sounds: Items, audio: AudioConfig, progress: bool = True) -> Items:
    """The sounds as a perfect generator would make them: to log-mel and back through the vocoder."""
    parts = mels_of(sounds.values, audio).split(CHUNK)
    bar = tqdm(parts, "real sounds through the vocoder", disable=not progress)
    return Items(torch.cat([vocode(part, audio) for part in bar]).numpy(), sounds.concepts)


def halves(concepts: Sequence[str], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Indices of two disjoint halves, each with half of every concept where it has several items."""
    shuffled = rng.permutation(len(concepts))
    order = shuffled[np.argsort(np.asarray(concepts)[shuffled], kind="stable")]
    even = len(order) // 2 * 2
    return order[:even:2], order[1:even:2]


def balanced(groups: Sequence[Sequence[str]], rng: np.random.Generator) -> list[np.ndarray]:
    """Indices into each group of concepts, so that all groups have equally many items, if possible of every concept.

    Distances depend on the number of items and on the mixture of concepts; this leaves only what is to be measured.
    """
    counts = [Counter(group) for group in groups]
    names = sorted(set().union(*counts))
    least = min(count[name] for count in counts for name in names)
    if least:
        arrays = [np.asarray(group) for group in groups]
        return [np.concatenate([rng.permutation(np.flatnonzero(a == n))[:least] for n in names]) for a in arrays]
    size = min(map(len, groups))
    return [rng.permutation(len(group))[:size] for group in groups]


def pixels(values: np.ndarray, side: int | None = None) -> Tensor:
    """Pictures uint8 [N, C, S, S] -> float32 [N, C * side * side] in -1..1, averaged down to ``side`` pixels."""
    images = torch.from_numpy(np.ascontiguousarray(values)).float() / 127.5 - 1
    if side and side < images.shape[-1]:
        images = F.adaptive_avg_pool2d(images, side)
    return images.flatten(1)


def bands(mels: Tensor, height: int | None = None, width: int | None = None) -> Tensor:
    """Log-mels [N, bands, T] -> float32 [N, height * width], averaged down to that many bands and frames."""
    return (F.adaptive_avg_pool2d(mels, (height, width)) if height else mels).flatten(1)
