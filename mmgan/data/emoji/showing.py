"""Pictures that no set of emoji has: two things in one."""

from __future__ import annotations

import numpy as np
from PIL import Image

# Of the whole's side: the width and height of each of two things side by side. A judge that knows the real pictures
# names both in a third of such, in 8 % where each is as narrow and no higher.
NARROW, HIGH = 36 / 64, 56 / 64


def together(first: Image.Image, second: Image.Image) -> Image.Image:
    """Two RGB pictures on white, side by side, each made narrow, in one of the first's size."""
    side = first.width
    width, height = round(side * NARROW), round(side * HIGH)
    whole, top = np.full((side, side, 3), 255, np.uint8), (side - height) // 2
    for picture, left in ((first, 0), (second, side - width)):
        place = whole[top : top + height, left : left + width]
        np.minimum(place, np.asarray(picture.resize((width, height), Image.Resampling.BOX)), out=place)
    return Image.fromarray(whole)
