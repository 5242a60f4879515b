"""Pictures of people's files as the networks see them: upright, on white, square, at one size."""

from __future__ import annotations

import contextlib

import numpy as np
import torch
from PIL import Image, ImageOps

PLAIN_SHARE, PLAIN_DISTANCE = 0.75, 16  # a background is plain if this share of the border is so close to its median
FILL_SHARE = 0.85  # a plain picture is enlarged by a whole factor if it then fills this much of the side


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
    image = _resize(image, (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    if image.size != (size, size):
        canvas = Image.new(image.mode, (size, size), background)
        canvas.paste(image, ((size - image.width) // 2, (size - image.height) // 2))
        image = canvas
    return _to_channels_first(image)


def upright(image: Image.Image) -> Image.Image:
    """Turned by its EXIF orientation, flattened on white, 8 bits; mode L for grey kinds, else RGB."""
    with contextlib.suppress(Exception):  # a damaged tag may raise anything; the picture itself is fine
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


def to_pil(image: torch.Tensor) -> Image.Image:
    """Float [1 or 3, H, W] in -1..1 -> a grey or RGB picture."""
    return array_to_pil(((image.detach().float().cpu() + 1) * 127.5).round().clamp(0, 255).byte().numpy())


def array_to_pil(pixels: np.ndarray) -> Image.Image:
    """uint8 [1 or 3, H, W] -> a grey or RGB picture."""
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
