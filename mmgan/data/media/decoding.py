"""A picture's bytes, which strangers made -> a decoded picture, within stated limits."""

from __future__ import annotations

import io

from PIL import Image

from ...errors import DataError
from ...language import Message
from ..limits import Limits

PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
UNREADABLE = {  # what is said of a file of either kind
    "image": Message("media.picture_unreadable"),
    "sound": Message("media.sound_unreadable"),
}
MOST_MEMORY = 160 << 20  # bytes of a picture decoded while somebody waits: 41 million pixels in colour
DECODED_BYTES = {"WEBP": 12}  # for a pixel, where the decoder holds several copies of the picture
MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2}
SHEET = ("Software", "mmgan: a sheet of samples")  # text that marks the PNG of a sheet, wherever it is copied


def open_picture(data: bytes, limits: Limits = Limits(), draft: int | None = None) -> Image.Image:
    """PNG, JPEG, WebP, GIF (its first frame) or BMP bytes -> a fully decoded picture.

    Args:
        draft: a JPEG may be decoded at a reduced size that is no smaller than this on either side, which is faster.

    Raises:
        DataError: not a picture, damaged, or of more pixels than ``limits`` allow (seen before decoding).
    """
    too_large = Message("media.too_many_pixels", count=limits.pixels // 1_000_000)
    try:
        image = Image.open(io.BytesIO(data), formats=PICTURE_FORMATS)  # reads the header only
        if image.width * image.height > limits.pixels or max(image.size) > limits.picture_side:
            raise DataError(too_large)
        if draft:
            full = image.size
            image.draft(None, (draft, draft))
            _check_memory(image, full)
        image.load()
        return image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(too_large) from error
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise almost anything on damaged files, SyntaxError included
        raise DataError(UNREADABLE["image"]) from error


def _check_memory(image: Image.Image, full: tuple[int, int]) -> None:
    """Raises DataError where decoding an opened picture would take more than ``MOST_MEMORY``."""
    each = DECODED_BYTES.get(image.format or "", MODE_BYTES.get(image.mode, 4))
    width, height = image.size
    if image.format == "JPEG" and image.info.get("progressive"):  # decoded at full size even for a draft
        (width, height), each = full, 2 * len(image.getbands())
    if width * height * each > MOST_MEMORY:
        raise DataError("media.too_much_memory", count=MOST_MEMORY // each // 1_000_000)
