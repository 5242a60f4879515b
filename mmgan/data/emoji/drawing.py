"""From the published art to pictures: 128 x 128 pixels, RGB, on white."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from ...errors import DataError

SIDE, DRAWN_SIDE = 128, 512  # pixels, of a picture and of a drawing before it is reduced
MOST_PIXELS = 1_024  # a side of a published picture


def svg(icons: Mapping, name: str) -> str:
    """The drawing of that name of an Iconify set, which may be another's mirror image, as a whole SVG."""
    turned = icons.get("aliases", {}).get(name, {}) if name not in icons["icons"] else {}
    icon = icons["icons"][turned.get("parent", name)]
    width = icon.get("width", icons["width"])
    height = icon.get("height", icons["height"])
    body = (
        f'<g transform="translate({width} 0) scale(-1 1)">{icon["body"]}</g>' if turned.get("hFlip") else icon["body"]
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}" width="{DRAWN_SIDE}" height="{DRAWN_SIDE}">{body}</svg>'
    )


def renderer():
    """What turns an SVG into a PNG, bytes. Raises DataError where resvg is not installed."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise DataError("emoji.no_renderer") from error
    return lambda drawing: bytes(
        svg_to_bytes(svg_string=drawing, width=DRAWN_SIDE, height=DRAWN_SIDE, skip_system_fonts=True)
    )


def picture(data: bytes) -> Image.Image:
    """A published or drawn picture of any size, PNG or WebP, as the dataset has it.

    Raises:
        ValueError, OSError: no such picture, or far too large.
    """
    with Image.open(io.BytesIO(data), formats=("PNG", "WEBP")) as file:
        if max(file.size) > MOST_PIXELS:
            raise ValueError("far too large for an emoji")
        art = file.convert("RGBA")
    rgba = np.asarray(art, np.float32)
    opaque = rgba[..., 3:] / 255
    flat = rgba[..., :3] * opaque + 255 * (1 - opaque)
    side = max(art.size)
    if art.size == (side, side) and side % SIDE == 0:
        factor = side // SIDE
        return _rounded(flat.reshape(SIDE, factor, SIDE, factor, 3).mean((1, 3)))
    square = np.full((side, side, 3), 255, np.float32)
    top, left = (side - art.height) // 2, (side - art.width) // 2
    square[top : top + art.height, left : left + art.width] = flat
    channels = (Image.fromarray(np.ascontiguousarray(channel)) for channel in np.moveaxis(square, 2, 0))
    reduced = (np.asarray(channel.resize((SIDE, SIDE), Image.Resampling.LANCZOS)) for channel in channels)
    return _rounded(np.stack([*reduced], 2))


def _rounded(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray((pixels + 0.5).clip(0, 255).astype(np.uint8))
