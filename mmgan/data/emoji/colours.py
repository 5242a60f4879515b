"""Pictures in another colour: the pixels of a picture's main hue are moved to the hue that a caption asks for.

"a blue dog" is no emoji. Without pictures of such things a model learns that colour words belong to names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

TURN = 256  # hues of Pillow's HSV: 0 is red, 85 green, 171 blue
COLOURED, BRIGHT = 60, 50  # smallest saturation and value of a pixel whose hue can be seen, of 255
ALIKE = 26  # hues this far from the main one belong to it
PURER = 0.25  # share of what a pixel lacks in saturation that it gets: beige with red's hue is still no red
LEAST_AREA, LEAST_SHARE = 0.06, 0.5  # of a picture and of its coloured pixels that the main hue must cover


@dataclass(frozen=True)
class Colour:
    """A colour word, and what becomes of hue (0 to 255), saturation and value (factors) of a pixel."""

    english: str
    chinese: str
    hue: int
    saturation: float = 1.0
    value: float = 1.0
    keeps_hue: bool = True  # False: pixels of the same hue have another name ("brown" is a dark orange)


COLOURS = {
    colour.english: colour
    for colour in (
        Colour("red", "红色", 252), Colour("orange", "橙色", 18), Colour("yellow", "黄色", 34),
        Colour("green", "绿色", 88), Colour("blue", "蓝色", 150), Colour("purple", "紫色", 192),
        Colour("pink", "粉色", 230, 0.6, 1.15, False), Colour("brown", "棕色", 16, 0.9, 0.6, False),
        Colour("black", "黑色", 0, 0.15, 0.3, False), Colour("grey", "灰色", 0, 0.05, 0.8, False),
    )
}  # fmt: skip


def main_hue(picture: Image.Image) -> int | None:
    """The hue (0 to 255) that most coloured pixels of an RGB picture have, or None where no colour stands out."""
    hue, saturation, value = np.moveaxis(np.asarray(picture.convert("HSV"), np.int16), 2, 0)
    coloured = (saturation > COLOURED) & (value > BRIGHT)
    counts = np.bincount(hue[coloured], minlength=TURN).astype(float)
    if not counts.sum():
        return None
    around = np.arange(-ALIKE, ALIKE + 1)
    main = int(np.argmax(sum(np.roll(counts, -shift) * (1 - abs(shift) / (ALIKE + 1)) for shift in around)))
    covered = counts[(main + around) % TURN].sum()
    return main if covered >= LEAST_AREA * hue.size and covered >= LEAST_SHARE * counts.sum() else None


def distance(hue, other):
    """How far two hues (0 to 255) lie apart on their circle, at most 128."""
    return np.abs((np.asarray(hue, np.int16) - other + TURN // 2) % TURN - TURN // 2)


def has_colour(main: int | None, colour: Colour) -> bool:
    """Whether a picture of that main hue needs no change to have the colour."""
    return main is not None and colour.keeps_hue and bool(distance(main, colour.hue) < 12)


def recoloured(picture: Image.Image, main: int, colour: Colour) -> Image.Image:
    """An RGB picture whose pixels of the hue ``main`` have the colour instead; shades stay."""
    pixels = np.array(picture.convert("HSV"), np.float32)
    hue, saturation, value = np.moveaxis(pixels, 2, 0)
    chosen = (distance(hue.astype(np.int16), main) <= ALIKE) & (saturation > COLOURED / 2)
    shade = ((hue - main + TURN / 2) % TURN - TURN / 2) * 0.4  # highlights and shadows keep a little of their own hue
    pure = saturation + (255 - saturation) * PURER if colour.keeps_hue else saturation
    changed = [(colour.hue + shade) % TURN, pure * colour.saturation, (value * colour.value).clip(max=255)]
    pixels[chosen] = np.stack(changed, axis=2)[chosen]
    return Image.fromarray(pixels.round().astype(np.uint8), "HSV").convert("RGB")
