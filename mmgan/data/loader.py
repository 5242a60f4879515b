"""Batches: rows drawn from a dataset, as tensors, a pure function of (seed, step).

Because a batch depends on nothing but those two numbers, a training that resumes at step N, and every process of a
training on several, see exactly the batches they should, and no sampler state has to be stored.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ..audio import CENTER_DB, HALF_RANGE_DB, fit_length, log_mel, resample
from ..config import AudioConfig
from .base import Dataset

SOURCE_RATE = 16_000  # Hz, of every Dataset.sound
CACHE_BYTES = 2 << 30  # a bank's items beyond this are computed anew each time they are drawn
CHUNK = 256  # sounds whose spectra are computed at once, which bounds the memory of a first pass
PLAIN_SHARE, PLAIN_DISTANCE = (
    0.75,
    16,
)  # this share of the border within this distance of its median: a plain background
FILL_SHARE = 0.85  # a plain picture is enlarged by a whole factor if it then fills this much of the side


@dataclass
class Batch:
    """B rows. A missing picture is all 0, a missing sound silence; ``has_image`` and ``has_audio`` tell."""

    texts: list[str]
    wrong_texts: list[str]
    concepts: list[str]
    image: Tensor  # float32 [B, C, S, S] in -1..1
    mel: Tensor  # float32 [B, bands, T], the scale of mmgan.audio
    has_image: Tensor  # bool [B]
    has_audio: Tensor  # bool [B]

    def __len__(self) -> int:
        return len(self.texts)

    def slice(self, start: int, stop: int) -> Batch:
        """Rows ``start`` to ``stop`` (a process's share, or one of several accumulated parts)."""
        return Batch(**{name: value[start:stop] for name, value in vars(self).items()})

    def to(self, device: torch.device | str) -> Batch:
        """The same batch with its tensors on ``device``."""
        move = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Batch(**{**vars(self), **move})


class Loader:
    """Draws batches; every picture and sound is turned into a tensor once and kept, up to 2 GiB each."""

    def __init__(
        self,
        dataset: Dataset,
        image_size: int,
        image_channels: int,
        audio: AudioConfig = AudioConfig(),
        batch_size: int = 32,
        seed: int = 0,
    ):
        self.dataset, self.audio, self.batch_size, self.seed = dataset, audio, batch_size, seed
        self.image_size, self.image_channels = image_size, image_channels
        self.silence = (audio.floor_db - CENTER_DB) / HALF_RANGE_DB
        self._pictures = _Bank(
            dataset.num_images, (image_channels, image_size, image_size), torch.uint8, self._load_pictures
        )
        # Half precision is exact to 0.0005 in -1..1, 0.02 dB.
        self._mels = _Bank(dataset.num_sounds, (audio.bands, audio.frames), torch.float16, self._load_mels)

    def batch(self, step: int) -> Batch:
        """The batch of ``step``: the same for the same seed, whatever was drawn before."""
        rows = self.dataset.rows(np.random.default_rng([self.seed, step]), self.batch_size)
        has_image = torch.tensor([row.image is not None for row in rows], dtype=torch.bool)
        has_audio = torch.tensor([row.sound is not None for row in rows], dtype=torch.bool)
        image = torch.zeros(len(rows), self.image_channels, self.image_size, self.image_size)
        mel = torch.full((len(rows), self.audio.bands, self.audio.frames), self.silence)
        if has_image.any():
            image[has_image] = self.images([row.image for row in rows if row.image is not None])
        if has_audio.any():
            mel[has_audio] = self.mels([row.sound for row in rows if row.sound is not None])
        return Batch(
            [row.text for row in rows], [row.wrong_text for row in rows], [row.concept for row in rows],
            image, mel, has_image, has_audio,
        )  # fmt: skip

    def images(self, indices: Sequence[int]) -> Tensor:
        """Pictures of the bank, float32 [len(indices), C, S, S] in -1..1."""
        return self._pictures.take(indices).float().div_(127.5).sub_(1)

    def mels(self, indices: Sequence[int]) -> Tensor:
        """Log-mels of the bank's sounds, float32 [len(indices), bands, T]."""
        return self._mels.take(indices).float()

    def _load_pictures(self, indices: list[int]) -> Tensor:
        arrays = [picture_to_array(self.dataset.image(i), self.image_size, self.image_channels) for i in indices]
        return torch.from_numpy(np.stack(arrays))

    def _load_mels(self, indices: list[int]) -> Tensor:
        rate, length = self.audio.sampling_rate, self.audio.num_samples
        sounds = [fit_length(resample(self.dataset.sound(i), SOURCE_RATE, rate), length) for i in indices]
        return log_mel(torch.from_numpy(np.stack(sounds)), self.audio)


class _Bank:
    """Items 0..count-1 as one tensor, computed by ``load(indices)`` where missing. Not for several threads at once."""

    def __init__(
        self, count: int, shape: tuple[int, ...], dtype: torch.dtype, load: Callable[[list[int]], Tensor]
    ) -> None:
        item_bytes = int(np.prod(shape)) * dtype.itemsize
        kept = min(count, CACHE_BYTES // item_bytes)
        self.items = torch.empty(kept, *shape, dtype=dtype)  # the system gives the memory as it is written to
        self.filled = np.zeros(kept, dtype=bool)
        self.load = load

    def take(self, indices: Sequence[int]) -> Tensor:
        """Items [len(indices), *shape] of the bank's dtype, a copy."""
        wanted = np.asarray(indices, dtype=np.int64)
        beyond = wanted >= len(self.filled)
        inside = wanted[~beyond]
        missing = np.unique(inside[~self.filled[inside]])
        for start in range(0, len(missing), CHUNK):
            part = missing[start : start + CHUNK]
            self.items[torch.from_numpy(part)] = self.load(part.tolist()).to(self.items.dtype)
            self.filled[part] = True
        if not beyond.any():
            return self.items[torch.from_numpy(wanted)]
        out = torch.empty(len(wanted), *self.items.shape[1:], dtype=self.items.dtype)
        out[torch.from_numpy(~beyond)] = self.items[torch.from_numpy(inside)]
        places = np.flatnonzero(beyond)
        for start in range(0, len(places), CHUNK):
            part = places[start : start + CHUNK]
            out[torch.from_numpy(part)] = self.load(wanted[part].tolist()).to(out.dtype)
        return out


def picture_to_array(image: Image.Image, size: int, channels: int) -> np.ndarray:
    """Any picture -> uint8 [channels, size, size]; ``channels`` 1 grey, 3 RGB.

    Turned upright by its EXIF orientation, flattened on white where transparent, scaled with its proportions kept. A
    picture on a plain background is padded to a square with that background, and a small one is enlarged by whole
    factors where that nearly fills the square, so that 28x28 digits become 32x32 without any blur; any other picture
    (a photograph) is cropped to its central square, since bars beside it would be learned as part of it.
    """
    image = upright(image).convert("L" if channels == 1 else "RGB")
    background = _plain_background(image)
    if background is None:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        return _to_channels_first(_resize(image.crop((left, top, left + side, top + side)), (size, size)))
    longest = max(image.size)
    scale = size / longest
    whole = size // longest
    if whole * longest >= FILL_SHARE * size:
        scale = whole
    image = _resize(image, tuple(max(1, round(side * scale)) for side in image.size))
    if image.size != (size, size):
        canvas = Image.new(image.mode, (size, size), background)
        canvas.paste(image, ((size - image.width) // 2, (size - image.height) // 2))
        image = canvas
    return _to_channels_first(image)


def upright(image: Image.Image) -> Image.Image:
    """Turned by its EXIF orientation, flattened on white, 8 bits; mode L for grey kinds, else RGB."""
    with contextlib.suppress(Exception):  # a damaged tag raises whatever writing it anew does; the picture is there
        image = ImageOps.exif_transpose(image)
    return flattened(image)


def flattened(image: Image.Image) -> Image.Image:
    """On white, 8 bits; mode L for grey kinds, else RGB."""
    if image.mode.startswith("I"):  # 16 bits: Pillow's own conversion would clip everything above 255
        return Image.fromarray((np.clip(np.asarray(image), 0, 65_535) // 257).astype(np.uint8))
    if image.has_transparency_data:
        grey = image.mode == "LA"
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        return image.convert("L" if grey else "RGB")
    return image.convert("L" if image.mode in ("1", "L", "LA", "F") else "RGB")


def _plain_background(image: Image.Image) -> int | tuple[int, ...] | None:
    """The border's median colour if most of the border is close to it, else None."""
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]]).reshape(
        -1, len(image.getbands())
    )
    median = np.median(border, axis=0).astype(np.int16)
    if (np.abs(border - median).max(axis=1) <= PLAIN_DISTANCE).mean() < PLAIN_SHARE:
        return None
    return tuple(median.tolist()) if len(median) > 1 else int(median[0])


def _resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Antialiased (Lanczos); pictures far too large are first reduced by whole factors, which is quicker."""
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _to_channels_first(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
