"""Looking at a picture: how much it may take, and that a reduced one is what it was."""

import io
import threading
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from mmgan.data.media import decoding, preview
from mmgan.data.media.preview import THUMBNAIL, examine_picture
from mmgan.errors import DataError
from mmgan.image.pictures import upright


def written(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def gradient(mode, size=(1_500, 900)):
    ramp = np.linspace(0, 255, size[0], dtype=np.uint8)[None].repeat(size[1], 0)
    ramp[: size[1] // 3] //= 3
    image = Image.fromarray(ramp)
    if mode == "I;16":
        return Image.fromarray(ramp.astype(np.uint16) * 257)
    if mode in ("LA", "RGBA"):
        image = image.convert("RGB" if mode == "RGBA" else "L")
        image.putalpha(Image.fromarray(ramp.T.copy()).resize(size))
        return image
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("turned", [1, 3, 6])
def test_a_large_picture_is_reduced_to_what_it_was(mode, turned):
    exif = Image.Exif()
    exif[preview.ORIENTATION] = turned
    data = written(gradient(mode), exif=exif)
    found = examine_picture(data)
    whole = upright(Image.open(io.BytesIO(data)))
    assert (found.width, found.height) == whole.size == ((900, 1_500) if turned == 6 else (1_500, 900))
    thumbnail = Image.open(io.BytesIO(found.thumbnail))
    whole.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    assert thumbnail.size == whole.size and max(thumbnail.size) == THUMBNAIL
    difference = np.abs(np.asarray(thumbnail.convert("L"), float) - np.asarray(whole.convert("L"), float))
    assert difference.mean() < 4


@pytest.mark.parametrize("size", [(4_001, 9), (9, 4_001), (1_000, 1), (1, 1), (300, 301)])
def test_odd_shapes(size):
    found = examine_picture(written(Image.new("RGB", size, "red")))
    assert (found.width, found.height) == size and Image.open(io.BytesIO(found.thumbnail)).width >= 1


@pytest.mark.parametrize("kind, size", [("PNG", (30_000, 2_100)), ("BMP", (8_000, 6_000)), ("WEBP", (6_000, 4_000))])
def test_what_would_take_hundreds_of_megabytes_is_refused_before_it_is_decoded(kind, size, monkeypatch):
    data = written(Image.new("RGB", size), kind)
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(DataError, match=r"takes too much memory to be looked at; save it as JPEG, or make it smaller"):
        examine_picture(data)


def test_a_progressive_jpeg_is_kept_whole_by_its_decoder_and_another_is_not():
    image = Image.new("RGB", (30_000, 2_100))
    assert examine_picture(written(image, "JPEG")).width == 30_000
    with pytest.raises(DataError, match="too much memory"):
        examine_picture(written(image, "JPEG", progressive=True))
    assert examine_picture(written(Image.new("RGB", (6_000, 4_000)), "JPEG", progressive=True)).width == 6_000


def test_a_scan_and_a_photograph_are_let_in():
    scan = examine_picture(written(Image.new("L", (4_960, 7_016)), compress_level=1))  # A4 at 600 dots per inch
    assert (scan.width, scan.height) == (4_960, 7_016)
    assert examine_picture(written(Image.new("RGB", (8_160, 6_144)), "JPEG")).width == 8_160  # 50 million pixels
    assert decoding.MOST_MEMORY // 4 > 4_960 * 7_016  # and in colour


def test_no_copy_of_a_large_picture_is_made(monkeypatch):
    seen = []
    real = preview.flattened
    monkeypatch.setattr(preview, "flattened", lambda image: seen.append(image.width * image.height) or real(image))
    data = written(Image.new("RGB", (6_000, 2_000), "red"), compress_level=1)
    tracemalloc.start()
    examine_picture(data)
    assert len(seen) > 5 and max(seen) < 2 * preview.STRIP_PIXELS
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_one_large_picture_is_decoded_at_a_time(monkeypatch):
    monkeypatch.setattr(preview, "LARGE_PIXELS", 1_000)
    large, small = written(Image.new("RGB", (100, 100))), written(Image.new("RGB", (10, 10)))
    waiting = threading.Thread(target=examine_picture, args=(large,))
    with preview._large:
        waiting.start()
        assert examine_picture(small).width == 10  # which waits for nobody
        assert waiting.is_alive()
    waiting.join(20)
    assert not waiting.is_alive() and not preview._large.locked()
